"""``jitscope run``, as a user runs it: next to what Python itself does with the same program."""

import json
import os
import signal
import subprocess
import sys
import textwrap

import pytest
import subprocesses

from jitscope.store.reader import load

CONSOLE_SCRIPT = "import sys\nfrom jitscope.commands import main\nsys.exit(main())\n"
"""What an installer writes into ``bin/jitscope``."""


class Runner:
    """Runs programs in a folder, with and without jitscope."""

    def __init__(self, folder, entry):
        self.folder = folder
        self.entry = entry
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("JITSCOPE", "COLUMNS"))}
        paths = [subprocesses.SRC, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = kept | {"PYTHONPATH": os.pathsep.join(paths), "JITSCOPE_STRICT": "1"}

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def start(self, command, **options):
        return subprocess.Popen(
            list(map(str, command)),
            cwd=self.folder,
            env=self.environment | options.pop("env", {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            **options,
        )

    def _run(self, command, given, **options):
        process = self.start(command, **options)
        out, err = process.communicate(given, timeout=60)
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def run(self, *arguments, given="", **environment):
        return self._run([*self.entry, "run", *arguments], given, env=environment)

    def python(self, *arguments, given="", **environment):
        return self._run([sys.executable, *arguments], given, env=environment)

    def both(self, *arguments, given=""):
        """The program by itself and under ``jitscope run``, which must say the same and end alike."""
        alone = self.python(*arguments, given=given)
        watched = self.run("--no-report", *arguments, given=given)
        assert (alone.returncode, alone.stdout, alone.stderr) == (watched.returncode, watched.stdout, watched.stderr)
        return watched

    def recording(self):
        (path,) = (self.folder / ".jitscope").glob("*.jsonl")
        return load(path)


@pytest.fixture
def module_runner(tmp_path):
    return Runner(tmp_path, [sys.executable, "-m", "jitscope"])


@pytest.fixture(params=["module", "script"])
def runner(request, tmp_path):
    if request.param == "module":
        return Runner(tmp_path, [sys.executable, "-m", "jitscope"])
    script = tmp_path / "bin" / "jitscope"
    script.parent.mkdir()
    script.write_text(CONSOLE_SCRIPT)
    return Runner(tmp_path, [sys.executable, script])


# -- as Python runs it ----------------------------------------------------------------------------

LOOK_AROUND = """
    import sys
    left_out = ("sys", "names", "left_out", "__loader__", "__spec__")
    names = {name: value for name, value in globals().items() if name not in left_out}
    print(getattr(__spec__, "name", None), getattr(__spec__, "origin", None))
    print(sys.argv, repr(sys.path[0]), __name__ is sys.modules["__main__"].__name__)
    print(sorted(names.items(), key=lambda item: item[0]), type(__loader__), globals() is vars(sys.modules["__main__"]))
    print(sys._getframe().f_code.co_filename, "jax" in sys.modules, "torch" in sys.modules)
"""


def test_the_program_sees_what_python_shows_it(runner):
    runner.write("folder/script.py", LOOK_AROUND)
    runner.write("folder/without_ending", LOOK_AROUND)
    runner.write("package/__init__.py", "")
    runner.write("package/__main__.py", LOOK_AROUND)
    runner.write("package/module.py", LOOK_AROUND)
    code = textwrap.dedent(LOOK_AROUND)

    assert (
        "['folder/script.py', '-q', '--', '-o', 'x']" in runner.both("folder/script.py", "-q", "--", "-o", "x").stdout
    )
    runner.both("folder/without_ending")
    runner.both("-m", "package", "--help")
    runner.both("-m", "package.module", "-m", "-c")
    runner.both("./package/", "a")
    runner.both("folder/../folder/script.py")
    runner.both("-c", code, "--format", "json")
    runner.both("-", "a", given=code)


def test_a_linked_script_finds_what_lies_beside_the_real_one(runner):
    runner.write("real/beside.py", "print('beside')")
    runner.write("real/script.py", "import beside")
    (runner.folder / "link.py").symlink_to("real/script.py")

    assert "beside\n" == runner.both("link.py").stdout


def test_modules_beside_the_script_come_before_those_that_jitscope_has_imported(runner):
    runner.write("folder/click.py", "print('my own click')")
    runner.write("folder/platform/__init__.py", "print('my own platform')")
    runner.write("folder/rich.py", "print('my own rich')")
    runner.write("folder/script.py", "import click, platform, rich")

    assert "my own click\nmy own platform\nmy own rich\n" == runner.both("folder/script.py").stdout
    assert 1 == len(runner.run("folder/script.py").stderr.splitlines())


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("pass", 0),
        ("raise ValueError('broken')", 1),
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit(42)", 42),
        ("import sys; sys.exit('a text')", 1),
        ("raise SystemExit", 0),
        ("raise EOFError", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("raise BrokenPipeError(32, 'Broken pipe')", 1),
        ("import os; os._exit(5)", 5),
        ("import atexit, threading; atexit.register(print, 2); threading.Thread(target=print, args=(1,)).start()", 0),
        ("import sys; sys.excepthook = lambda *found: print(found[0], found[2].tb_next); 1 / 0", 1),
        ("import threading; threading.Thread(target=lambda: 1 / 0).start() if False else None; open('missing')", 1),
    ],
)
def test_it_ends_as_python_ends_it(module_runner, code, expected):
    assert expected == module_runner.both("-c", code).returncode


def test_ends_of_both_entry_points(runner):
    runner.write("script.py", "import sys; sys.exit(int(sys.argv[1]))")
    assert [0, 1, 3, 42] == [runner.both("script.py", str(code)).returncode for code in (0, 1, 3, 42)]
    assert -signal.SIGINT == runner.both("-c", "raise KeyboardInterrupt").returncode


def test_a_traceback_is_the_programs_own(runner):
    runner.write("inner.py", "def broken():\n    raise KeyError('inner')")
    runner.write(
        "script.py",
        """
        from inner import broken

        def outer():
            try:
                broken()
            except KeyError as error:
                raise ExceptionGroup("several", [ValueError(1), TypeError(2)]) from error

        outer()
        """,
    )
    assert "jitscope" not in runner.both("script.py").stderr.replace(str(runner.folder), "")
    runner.write("syntax.py", "def f(:\n    pass\n")
    assert "SyntaxError" in runner.both("syntax.py").stderr
    runner.write("bad/__init__.py", "import not_there_at_all")
    runner.write("bad/module.py", "")
    done = runner.run("-q", "-m", "bad.module")
    assert 1 == done.returncode
    assert "No module named 'not_there_at_all'" in done.stderr
    assert not {"launch.py", "importlib", "click"} & set(done.stderr.replace("/", " ").replace('"', " ").split())


def test_input_is_the_programs(runner):
    runner.write("script.py", "import sys; print(input('name: ')); print(sys.stdin.read().upper())")

    assert "name: a\nB\nC\n\n" == runner.both("script.py", given="a\nb\nc\n").stdout


def test_what_is_in_main_can_be_pickled_to_the_very_end(runner):
    runner.write(
        "script.py",
        """
        import atexit, pickle, sys

        class Thing:
            pass

        def again():
            print(type(pickle.loads(pickle.dumps(Thing()))) is Thing, Thing.__module__)

        atexit.register(again)
        again()
        """,
    )
    assert "True __main__\n" * 2 == runner.both("script.py").stdout


def test_processes_that_the_program_starts_and_forks(module_runner):
    module_runner.write(
        "script.py",
        """
        import multiprocessing, os, sys, warnings

        warnings.simplefilter("ignore")  # Python 3.12 warns of forks next to threads, with the process's number

        def square(x):
            return x * x

        if __name__ == "__main__":
            for method in ("spawn", "fork"):
                with multiprocessing.get_context(method).Pool(1) as pool:
                    print(method, pool.map(square, [1, 2, 3]))
            if os.fork() == 0:
                sys.exit(0)  # with all exit functions: the report is not the child's
            print(os.wait()[1])
        """,
    )
    module_runner.both("script.py")
    done = module_runner.run("-q", "-o", "one.jsonl", "script.py")
    assert 1 == len(done.stderr.splitlines())


# -- interrupted ----------------------------------------------------------------------------------

WAITING = """
    import sys, time

    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("cleaned up", flush=True)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGKILL"])
def test_signals(runner, name):
    runner.write("script.py", WAITING)
    number = getattr(signal, name)
    ends = []
    for command in ([sys.executable, "script.py"], [*runner.entry, "run", "-q", "-o", "run.jsonl", "script.py"]):
        process = runner.start(command)
        assert "ready\n" == process.stdout.readline()
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        ends.append((process.returncode, out))
    assert ends[0] == ends[1]
    assert -number == ends[0][0]
    recording = load(runner.folder / "run.jsonl")
    complete = name != "SIGKILL"
    assert complete == (type(recording.events[-1]).__name__ == "EndEvent" if recording.events else False)
    assert complete == ("nothing was compiled" in err)
    if name == "SIGINT":
        assert "KeyboardInterrupt" in err
        assert "jitscope/" not in err


def test_a_programs_own_handler_is_its_own(module_runner):
    module_runner.write(
        "script.py",
        """
        import os, signal, sys

        signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
        os.kill(os.getpid(), signal.SIGTERM)
        """,
    )
    assert 7 == module_runner.both("script.py").returncode


def test_a_forked_child_is_terminated_as_ever(module_runner):
    code = (
        "import os, signal; child = os.fork(); child or signal.pause(); os.kill(child, signal.SIGTERM); "
        "print(os.wait()[1])"
    )
    assert "15\n" == module_runner.both("-c", code).stdout


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["missing.py"], "can't open file"),
        (["folder"], "can't find '__main__' module in"),
        (["-m", "not_there_at_all"], "No module named not_there_at_all"),
        (["-m", "folder.not_there"], "No module named folder.not_there"),
        (["-m", "json"], "cannot be directly executed"),
        (["-o", "taken.jsonl", "script.py"], "exists already"),
        (["-o", "folder", "script.py"], "exists already"),
        (["-o", "taken.jsonl/run.jsonl", "script.py"], "cannot write"),
    ],
)
def test_bad_input_is_one_line_and_nothing_runs(runner, arguments, says):
    (runner.folder / "folder").mkdir()
    (runner.folder / "taken.jsonl").write_text("precious")
    runner.write("script.py", "print('ran')")
    done = runner.run(*arguments)

    assert (2, "") == (done.returncode, done.stdout)
    (line,) = done.stderr.splitlines()
    assert line.startswith("jitscope: error: ")
    assert says in line
    assert "precious" == (runner.folder / "taken.jsonl").read_text()
    assert not list(runner.folder.glob(".jitscope/*"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is unreadable to root")
def test_an_unreadable_script(runner):
    runner.write("script.py", "").chmod(0)

    assert "Permission denied" in runner.run("script.py").stderr


def test_usage(module_runner):
    for arguments in ([], ["-m"], ["-c"], ["--nonsense", "script.py"], ["-m", "-c", "x"], ["--format", "xml", "x.py"]):
        done = module_runner.run(*arguments)
        assert (2, "") == (done.returncode, done.stdout)
        assert "Traceback" not in done.stderr
    text = module_runner.run("--help").stdout
    assert "jitscope run train.py --epochs 3" in text


def test_off(module_runner):
    done = module_runner.run("-c", "print(1)", JITSCOPE="0")

    assert (0, "1\n", "jitscope: JITSCOPE=0 is set: nothing is watched\n") == (
        done.returncode,
        done.stdout,
        done.stderr,
    )
    assert not (module_runner.folder / ".jitscope").exists()


# -- what is reported -----------------------------------------------------------------------------


def test_a_program_that_compiles_nothing(runner):
    done = runner.run("-c", "print('out')")

    assert "out\n" == done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith("jitscope: nothing was compiled: neither jax nor torch was imported · .jitscope")
    assert 1 == len(list(runner.folder.glob(".jitscope/*.jsonl")))


def test_where_to_write(runner):
    runner.write("script.py", "import os; os.chdir('/'); print('ran')")
    for arguments in (["-o", "a.jsonl"], ["-o", "a.jsonl", "--force"]):
        done = runner.run(*arguments, "script.py")
        assert (0, "ran\n") == (done.returncode, done.stdout)
        assert done.stderr.rstrip().endswith("· a.jsonl")
    assert ("script.py",) == load(runner.folder / "a.jsonl").header.argv


def test_a_program_without_a_standard_error(module_runner):
    assert 0 == module_runner.run("-c", "import os, sys; sys.stderr.close(); os.close(2)").returncode
    assert 0 == module_runner.run("-c", "import sys; sys.stderr = sys.stdout = None").returncode


JAX = """
    import functools, sys
    import jax
    from jax import jit, numpy as jnp

    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, seconds, **kwargs: compiled.append(name) if name.endswith("backend_compile_duration") else None
    )

    @jit
    def step(x):
        return x * 2

    @functools.partial(jax.jit, static_argnames="n")
    def power(x, n):
        return x**n

    class Model:
        @jax.jit
        def __call__(self, x):
            return x + 1

    jax.tree_util.register_pytree_node(Model, lambda model: ((), None), lambda aux, children: Model())

    try:
        scale = jax.jit(static_argnums=0)(lambda n, x: n * x)
    except TypeError:  # an older JAX, without this form
        scale = jax.jit(lambda n, x: n * x, static_argnums=0)
    for n in (3, 3, 4):
        step(jnp.ones(n))
        power(jnp.ones(n), n=2)
        Model()(jnp.ones(n))
    scale(2, jnp.ones(3))
    for n in range(3):
        jit(lambda x: x - 1)(jnp.ones(3))
    print(step, file=sys.stderr)
    print(jit.__name__, jit is jax.jit, step.__name__, step.lower(jnp.ones(3)).as_text()[:20])
    print(isinstance(step, jax.stages.Wrapped), step._cache_size(), jnp.sum(step(jnp.ones(3))))
    print(len(compiled))
"""


@pytest.mark.jax
def test_a_jax_program(runner):
    pytest.importorskip("jax")
    runner.write("train.py", JAX)
    alone, done = runner.python("train.py"), runner.run("train.py")

    assert (0, alone.stdout) == (done.returncode, done.stdout), done.stderr
    path = ".jitscope/" + next(runner.folder.glob(".jitscope/*")).name
    # The function that cost most: which one that is depends on the machine.
    *why, last = done.stderr.splitlines()[-1].split()
    assert (["jitscope", "why"], path) == (why[:2], last)
    assert "cpu x1" in done.stderr
    report = json.loads(runner.run("--format", "json", "train.py").stderr.partition("\n")[2])
    functions = {one["name"]: one for one in report["functions"]}
    assert {"step", "power", "Model.__call__", "<lambda>"} == set(functions)
    assert (4, 2, 2) == tuple(functions["step"][key] for key in ("calls", "hits", "compilations"))
    assert str(runner.folder / "train.py") == functions["step"]["file"]
    totals = report["totals"]
    assert int(done.stdout.split()[-1]) == totals["compilations"] + totals["eager_op_compilations"]


TORCH = """
    import sys
    import torch

    from torch._dynamo.utils import get_compilation_metrics

    def f(x):
        return torch.sin(x) + 1

    compiled = torch.compile(f, backend="eager")
    for n in (3, 3, 4, 5):
        compiled(torch.ones(n))

    @torch.compile(backend="eager", fullgraph=True)
    def g(x):
        return x * 2

    class Net(torch.nn.Module):
        def forward(self, x):
            return torch.relu(x)

    class Other(torch.nn.Module):
        def forward(self, x):
            return torch.sin(x)

    wrapped = torch.compile(Net(), backend="eager")
    inplace = Other()
    inplace.compile(backend="eager")
    by_compiler = torch.compiler.compile(lambda x: x - 1, backend="eager")
    for _ in range(2):
        g(torch.ones(2))
        wrapped(torch.ones(2))
        inplace(torch.ones(2))
        by_compiler(torch.ones(2))

    print(type(wrapped).__name__, isinstance(wrapped, torch.nn.Module), torch.compile.__name__)
    print(torch.compile(f, disable=True) is f, torch.compile(wrapped, disable=True) is wrapped)
    try:
        torch.compile(f, mode="none of them")
    except RuntimeError as error:
        print(error)
    print([metrics.compile_id for metrics in get_compilation_metrics()])
"""


@pytest.mark.torch
def test_a_torch_program(module_runner):
    pytest.importorskip("torch.nn")  # tests/torch is a torch too
    runner = module_runner
    runner.write("train.py", TORCH)
    alone, done = runner.python("train.py"), runner.run("--format", "json", "train.py")

    assert (0, alone.stdout) == (done.returncode, done.stdout), done.stderr
    report = json.loads(done.stderr)
    functions = {one["name"]: one for one in report["functions"]}
    assert {"f", "g", "Net", "Other", "<lambda>"} == set(functions)
    assert (4, 2, 2) == tuple(functions["f"][key] for key in ("calls", "hits", "compilations"))
    assert [1, 1, 1, 1] == [functions[name]["hits"] for name in ("g", "Net", "Other", "<lambda>")]
    assert 6 == report["totals"]["compilations"]
    assert [] == report["notes"]


@pytest.mark.torch
def test_importing_torch_does_not_import_dynamo(module_runner):
    pytest.importorskip("torch.nn")  # tests/torch is a torch too
    assert "False\n" == module_runner.both("-c", "import sys, torch; print('torch._dynamo' in sys.modules)").stdout


@pytest.mark.jax
@pytest.mark.torch
def test_both_frameworks(module_runner):
    pytest.importorskip("jax")
    pytest.importorskip("torch.nn")  # tests/torch is a torch too
    done = module_runner.run(
        "-q",
        "-c",
        "import jax, torch\n"
        "f = jax.jit(lambda x: x + 1)\n"
        "g = torch.compile(lambda x: x + 1, backend='eager')\n"
        "for _ in range(2): f(1.0); g(torch.ones(3))\n",
    )
    assert 0 == done.returncode
    (line,) = done.stderr.splitlines()
    assert "hits 2 / 4" in line
    assert line.endswith(".jsonl")
    assert {"jax", "torch"} == {event.framework for event in module_runner.recording().events if hasattr(event, "kind")}


@pytest.mark.jax
def test_an_interrupted_jax_program_has_its_report(module_runner):
    pytest.importorskip("jax")
    runner = module_runner
    runner.write(
        "script.py",
        """
        import jax, time

        @jax.jit
        def step(x):
            return x + 1

        for n in range(5):
            step(1.0)
        print("ready", flush=True)
        if __name__ == "__main__":
            while True:
                step(1.0)
        """,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        process = runner.start([*runner.entry, "run", "-q", "-o", "run.jsonl", "--force", "script.py"])
        assert "ready\n" == process.stdout.readline()
        process.send_signal(number)
        _, err = process.communicate(timeout=60)
        assert -number == process.returncode
        assert err.splitlines()[-1].endswith("· run.jsonl"), err
        recording = load(runner.folder / "run.jsonl")
        assert "EndEvent" == type(recording.events[-1]).__name__
        assert "jitscope/" not in err


@pytest.mark.jax
def test_a_failing_jax_program_has_its_report_and_its_own_traceback(module_runner):
    pytest.importorskip("jax")
    module_runner.write(
        "script.py",
        """
        import jax

        @jax.jit
        def step(x):
            return x + missing

        step(1.0)
        """,
    )
    alone = module_runner.python("script.py")
    done = module_runner.run("-q", "script.py")
    assert 1 == done.returncode
    *traceback, verdict = done.stderr.splitlines()
    assert alone.stderr.splitlines() == traceback
    assert "nothing compiled" in verdict


@pytest.mark.jax
def test_the_traceback_of_a_thread_is_its_own(module_runner):
    pytest.importorskip("jax")
    module_runner.write(
        "script.py",
        """
        import threading
        import jax

        step = jax.jit(lambda x: x + missing)
        threading.Thread(target=step, args=(1.0,)).start()
        """,
    )
    assert "name 'missing' is not defined" in module_runner.both("script.py").stderr


def test_a_signal_in_the_middle_of_the_recorder_leaves_whole_lines(module_runner):
    """The program does little but record, so that most signals come while that is under way."""
    runner = module_runner
    runner.write(
        "script.py",
        """
        import signal, sys
        import jitscope
        from jitscope.capture.recorder import recorder

        step = jitscope.watch(lambda: recorder.note("slug", "text"))
        signal.signal(signal.SIGALRM, signal.getsignal(signal.SIGTERM))
        signal.setitimer(signal.ITIMER_REAL, float(sys.argv[1]))
        while True:
            for _ in range(100):
                step()
            recorder.flush()
        """,
    )
    for delay in (0.002, 0.003, 0.005, 0.007):
        done = runner.run("-q", "-o", "run.jsonl", "--force", "script.py", str(delay))
        assert -signal.SIGALRM == done.returncode, done.stderr
        assert "Traceback" not in done.stderr
        recording = load(runner.folder / "run.jsonl")
        assert "EndEvent" == type(recording.events[-1]).__name__


@pytest.mark.jax
def test_functions_made_in_a_loop_do_not_pile_up(module_runner):
    pytest.importorskip("jax")
    done = module_runner.run(
        "-q",
        "-c",
        "import gc, jax\n"
        "from jitscope.capture.recorder import recorder\n"
        "for n in range(20):\n"
        "    jax.jit(lambda x: x + 1)(1.0)\n"
        "    jax.jit(lambda x: x + 1)\n"
        "gc.collect()\n"
        "jax.jit(lambda x: x)\n"
        "print(len(recorder.books))\n",
    )
    assert int(done.stdout) < 5
    assert "20" in done.stderr


@pytest.mark.jax
def test_a_program_that_records_itself(module_runner):
    pytest.importorskip("jax")
    done = module_runner.run(
        "-q",
        "-c",
        "import jax, jitscope\n"
        "f = jitscope.watch(jax.jit(lambda x: x + 1))\n"
        "with jitscope.record('own.jsonl') as rec: f(1.0)\n"
        "f(1.0)\n"
        "print(rec.report().value.totals.calls, jitscope.stats(f).calls)\n",
    )
    assert (0, "1 2\n") == (done.returncode, done.stdout), done.stderr
    assert "hits 1 / 2" in done.stderr


COUNT = """
    import jax
    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, seconds, **kwargs: compiled.append(name) if name.endswith("backend_compile_duration") else None
    )
"""

LIBRARIES = {
    "equinox": (
        """
        import equinox as eqx, jax.numpy as jnp
        model = eqx.nn.MLP(2, 1, 4, 1, key=jax.random.key(0))

        @eqx.filter_jit
        def loss(model, x):
            return jnp.mean(jax.vmap(model)(x) ** 2)

        for n in (3, 3, 4):
            print(loss(model, jnp.ones((n, 2))))
        """,
        "loss",
        (3, 1, 2),
    ),
    "flax": (
        """
        from flax import nnx
        import jax.numpy as jnp
        model = nnx.Linear(2, 1, rngs=nnx.Rngs(0))

        @nnx.jit
        def loss(model, x):
            return jnp.mean(model(x) ** 2)

        for n in (3, 3, 4):
            print(loss(model, jnp.ones((n, 2))))
        """,
        "loss",
        (3, 1, 2),
    ),
    "optax": (
        """
        import optax, jax.numpy as jnp
        optimiser = optax.adam(1e-2)
        params = {"w": jnp.ones(3)}
        state = optimiser.init(params)

        @jax.jit
        def step(params, state, x):
            grads = jax.grad(lambda params: jnp.sum(params["w"] * x) ** 2)(params)
            updates, state = optimiser.update(grads, state)
            return optax.apply_updates(params, updates), state

        for n in range(3):
            params, state = step(params, state, jnp.arange(3.0))
        print(params)
        """,
        "step",
        (3, 2, 1),
    ),
    "numpyro": (
        """
        import numpyro, jax.numpy as jnp
        from numpyro import distributions as dist
        from numpyro.infer import MCMC, NUTS

        def model(x):
            numpyro.sample("obs", dist.Normal(numpyro.sample("mu", dist.Normal(0, 1)), 1), obs=x)

        mcmc = MCMC(NUTS(model), num_warmup=5, num_samples=5, progress_bar=False)
        mcmc.run(jax.random.key(0), jnp.ones(3))
        print(mcmc.get_samples()["mu"].shape)
        """,
        None,
        None,
    ),
}


@pytest.mark.jax
@pytest.mark.parametrize("library", LIBRARIES)
def test_libraries(module_runner, library):
    pytest.importorskip("jax")
    pytest.importorskip(library)
    program, name, expected = LIBRARIES[library]
    runner = module_runner
    runner.write("script.py", textwrap.dedent(COUNT) + textwrap.dedent(program) + "print(len(compiled))\n")
    alone, done = runner.python("script.py"), runner.run("-q", "script.py")

    assert (0, alone.stdout) == (done.returncode, done.stdout), done.stderr
    recording = runner.recording()
    from jitscope.analysis.build import build_report

    report = build_report(recording)
    totals = report.totals
    assert int(done.stdout.split()[-1]) == totals.compilations + totals.eager_op_compilations
    assert report.functions
    if name is not None:
        (function,) = (one for one in report.functions if one.name.endswith(name))
        assert expected == (function.calls, function.hits, function.compilations)


TRANSFORMERS = """
    import torch
    from torch._dynamo import convert_frame
    made = []
    convert_frame.register_bytecode_hook(lambda code, new_code: made.append(code.co_name))

    from transformers import GPT2Config, GPT2LMHeadModel
    torch.manual_seed(0)
    config = GPT2Config(n_layer=1, n_head=2, n_embd=8, vocab_size=16, n_positions=16, bos_token_id=0, eos_token_id=0)
    model = GPT2LMHeadModel(config).eval()
    model.compile(backend="eager", dynamic=False)
    with torch.no_grad():
        for length in (4, 4, 5, 4):
            print(model(torch.ones(1, length, dtype=torch.long)).logits.sum().item())
    print(len(made))
"""


@pytest.mark.torch
@pytest.mark.slow
def test_a_transformers_model(module_runner):
    pytest.importorskip("torch.nn")
    pytest.importorskip("transformers")
    module_runner.write("script.py", textwrap.dedent(TRANSFORMERS))
    alone, done = module_runner.python("script.py"), module_runner.run("-q", "script.py")

    assert (0, alone.stdout) == (done.returncode, done.stdout), done.stderr
    from jitscope.analysis.build import build_report

    report = build_report(module_runner.recording())
    assert int(done.stdout.split()[-1]) == report.totals.compilations + report.totals.eager_op_compilations
    (model,) = (one for one in report.functions if one.name.endswith("GPT2LMHeadModel"))
    assert (4, 2) == (model.calls, model.compiling_calls)
