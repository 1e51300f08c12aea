"""``jitscope run`` and the processes that a program starts: one recording each, and nothing else changed."""

import os
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

import pytest
from test_run import Runner

from jitscope.analysis.build import build_report
from jitscope.model.events import CallsEvent, CompilationEvent
from jitscope.store.reader import load

WORK = """
    import jax, os, sys

    compiled = []
    jax.monitoring.register_event_duration_secs_listener(
        lambda name, seconds, **kwargs: compiled.append(name) if name.endswith("backend_compile_duration") else None
    )

    def work(calls):
        step = jax.jit(lambda x: x + 1)
        for n in range(calls):
            step(float(n))
        # In one piece: other processes write to the same pipe.
        os.write(1, f"counted {os.getpid()} {len(compiled)} {calls}\\n".encode())
        return calls
"""


@pytest.fixture
def runner(tmp_path):
    made = Runner(tmp_path, [sys.executable, "-m", "jitscope"])
    made.write("work.py", WORK)
    return made


def recordings(runner, pattern=".jitscope/*.jsonl"):
    """The program's recordings: the first process's, and the others' by process id."""
    found = [load(path) for path in sorted(runner.folder.glob(pattern))]
    (first,) = (one for one in found if one.header.parent is None)
    others = {one.header.pid: one for one in found if one is not first}
    for one in found:
        assert one.header.program == first.header.run, one.header
    return first, others


def counts(recording):
    """Compilations, all of them, and the calls and hits of watched functions."""
    totals = build_report(recording).totals
    return totals.compilations + totals.eager_op_compilations, totals.calls, totals.hits


def counted(done):
    """What the processes counted themselves: by process id, compilations and calls."""
    lines = [line.split() for line in done.stdout.splitlines() if line.startswith("counted")]
    return {int(pid): (int(compiled), int(calls)) for _, pid, compiled, calls in lines}


def agree(done, others):
    told = counted(done)
    assert told, done.stderr
    assert told == {pid: counts(one)[:2] for pid, one in others.items()}
    for one in others.values():
        _, calls, hits = counts(one)
        assert hits == calls - 1
        assert one.end is not None


@pytest.mark.jax
def test_processes_of_multiprocessing(runner):
    pytest.importorskip("jax")
    runner.write(
        "script.py",
        """
        import multiprocessing, os

        def work(calls):
            import work
            work.work(calls)

        if __name__ == "__main__":
            print(os.getpid())
            for calls, method in enumerate(("spawn", "forkserver", "fork"), start=2):
                process = multiprocessing.get_context(method).Process(target=work, args=(calls,))
                process.start()
                process.join()
                assert process.exitcode == 0, method
        """,
    )
    done = runner.run("script.py")

    assert 0 == done.returncode, done.stderr
    first, others = recordings(runner)
    agree(done, others)
    assert ["SpawnProcess-1", "ForkServerProcess-2", "ForkProcess-3"] == sorted(
        (one.header.process for one in others.values()), key=lambda name: name[-1]
    )
    assert {first.header.pid} == {one.header.parent for one in others.values()} == {int(done.stdout.split()[0])}
    nothing, line = done.stderr.splitlines()
    assert "nothing was compiled in the first process" in nothing
    assert line.startswith("jitscope: 3 more processes recorded: 3 compilations in ")
    assert line.endswith(f"· jitscope combine {first.header.run}")


@pytest.mark.jax
def test_python_programs_that_it_starts(runner):
    pytest.importorskip("jax")
    runner.write(
        "script.py",
        """
        import os, subprocess, sys, work

        if len(sys.argv) == 1:
            subprocess.run([sys.executable, __file__, "again"], check=True)
            subprocess.run([sys.executable, "-m", "work"], check=True)
            subprocess.run([sys.executable, "-c", "pass"], check=True)
        work.work(5)
        """,
    )
    done = runner.run("-o", "run.jsonl", "script.py")

    assert 0 == done.returncode, done.stderr
    first, others = recordings(runner, "run*.jsonl")
    # One wrote nothing: neither the one that ran `work` as a module, nor `-c pass` called anything compiled.
    (again,) = others.values()
    assert (runner.folder / f"run.{again.header.pid}.jsonl").exists()
    assert not (runner.folder / ".jitscope").exists()
    agree(done, {first.header.pid: first, again.header.pid: again})
    assert ("script.py", "again") == (again.header.argv[0].rpartition("/")[2], again.header.argv[1])
    assert done.stderr.endswith("· jitscope combine run.jsonl run.*.jsonl\n")


@pytest.mark.jax
def test_an_executor_and_a_grandchild(runner):
    pytest.importorskip("jax")
    runner.write(
        "script.py",
        """
        import multiprocessing, subprocess, sys
        from concurrent.futures import ProcessPoolExecutor

        def task(calls):
            import work
            subprocess.run([sys.executable, "-c", "import work; work.work(7)"], check=True)
            return work.work(calls)

        if __name__ == "__main__":
            for method in ("spawn", "fork"):
                with ProcessPoolExecutor(1, multiprocessing.get_context(method)) as pool:
                    print(list(pool.map(task, [3])))
        """,
    )
    done = runner.run("-q", "script.py")

    assert 0 == done.returncode, done.stderr
    first, others = recordings(runner)
    assert 4 == len(others)
    agree(done, others)
    parents = sorted(one.header.parent for one in others.values())
    children = {pid for pid, one in others.items() if one.header.parent == first.header.pid}
    assert parents == sorted([first.header.pid, first.header.pid, *children])


@pytest.mark.torch
def test_workers_of_a_data_loader_and_forks(runner):
    """A function compiled before the fork is hit in the child, and compiled there again for another shape."""
    pytest.importorskip("torch.nn")  # tests/torch is a torch too
    runner.write(
        "script.py",
        """
        import os, sys, torch
        from torch._dynamo.utils import get_compilation_metrics

        @torch.compile(backend="eager", dynamic=False)
        def step(x):
            return x + 1

        class Data(torch.utils.data.Dataset):
            def __len__(self):
                return 4
            def __getitem__(self, n):
                result = step(torch.ones(5 if n >= 2 else 3))[:3]
                print("worker", len(get_compilation_metrics()) - before, flush=True)
                return result

        before = len(get_compilation_metrics()) if step(torch.ones(3)) is not None else 0
        batches = torch.utils.data.DataLoader(Data(), num_workers=1, batch_size=2, multiprocessing_context="fork")
        print([tuple(batch.shape) for batch in batches], before)
        sys.stdout.flush()
        if os.fork() == 0:
            for n in (3, 3, 4):
                step(torch.ones(n))
            print("child", len(get_compilation_metrics()) - before, flush=True)
            sys.exit(0)
        os.wait()
        """,
    )
    done = runner.run("-q", "script.py")

    assert 0 == done.returncode, done.stderr
    assert "child 1" in done.stdout
    first, others = recordings(runner)
    assert (1, 1, 0) == counts(first)
    worker, fork = sorted(others.values(), key=lambda one: one.header.pid)
    assert "ForkProcess-1" == worker.header.process
    assert fork.header.process is None
    # A worker has one thread, of which torch's guards take note.
    assert [1, 1, 2, 2] == [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("worker")]
    assert (2, 4, 2) == counts(worker)
    assert (1, 3, 2) == counts(fork)
    for one in (worker, fork):
        assert first.header.pid == one.header.parent
        assert [1, 2] <= [event.call for event in one.events if isinstance(event, CompilationEvent)]
        assert "forked" in [note.slug for note in build_report(one).notes]
        assert one.end is not None


@pytest.mark.jax
def test_a_child_that_is_killed_leaves_what_it_compiled(runner):
    pytest.importorskip("jax")
    done = runner.run(
        "-q",
        "-c",
        "import os, signal, subprocess, sys\n"
        "child = 'import os, signal, work; work.work(3); os.kill(os.getpid(), signal.SIGKILL)'\n"
        "print(subprocess.run([sys.executable, '-c', child]).returncode)\n",
    )
    assert "-9" in done.stdout, done.stderr
    _, others = recordings(runner)
    (killed,) = others.values()
    assert 1 == counts(killed)[0]
    assert killed.end is None
    assert "no-end" in [note.slug for note in build_report(killed).notes]


@pytest.mark.parametrize("option", ["--no-children", "JITSCOPE=0", "-I", "-E", "-S"])
@pytest.mark.jax
def test_children_that_are_not_followed(runner, option):
    pytest.importorskip("jax")
    flags = [option] if option in {"-I", "-E", "-S"} else []
    code = f"import sys; sys.path[:] = {[*sys.path, str(runner.folder)]!r}; import work; work.work(2)"
    environment = "{**os.environ, 'JITSCOPE': '0'}" if option == "JITSCOPE=0" else "None"
    program = (
        "import os, subprocess, sys\n"
        f"subprocess.run([sys.executable, *{flags!r}, '-c', {code!r}], check=True, env={environment})\n"
    )
    done = runner.run(*(["--no-children"] if option == "--no-children" else []), "-q", "-c", program)
    assert 0 == done.returncode, done.stderr
    assert counted(done)
    assert 1 == len(list(runner.folder.glob(".jitscope/*")))
    assert 1 == len(done.stderr.splitlines())


def test_the_programs_own_sitecustomize(runner):
    runner.write("site/sitecustomize.py", "import sys\nprint('mine', __file__.endswith('site/sitecustomize.py'))\n")
    code = (
        "import sys\n"
        "print(sys.path)\n"
        "import sitecustomize\n"
        "print(getattr(sitecustomize, '__file__', None), 'jitscope.capture' in sys.modules, 'typing' in sys.modules)\n"
    )
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    path = os.pathsep.join([str(runner.folder / "site"), runner.environment["PYTHONPATH"]])
    alone = runner.python("-c", program, PYTHONPATH=path)
    done = runner.run("--no-report", "-c", program, PYTHONPATH=path)
    # Twice in the first: it is imported by the first process, too, before jitscope is there.
    assert (0, alone.stdout, alone.stderr) == (done.returncode, done.stdout, done.stderr)
    assert "mine True" in done.stdout

    (runner.folder / "site" / "sitecustomize.py").write_text("raise ImportError('broken', name='other')")
    alone = runner.python("-c", program, PYTHONPATH=path)
    done = runner.run("--no-report", "-c", program, PYTHONPATH=path)
    assert alone.stdout == done.stdout
    assert "ImportError: broken" in done.stderr
    assert alone.stderr == done.stderr


def test_a_python_without_jitscope_starts_as_ever(runner):
    """Another environment of the same Python, and an environment that is empty."""
    venv.create(runner.folder / "other", with_pip=False)
    other = runner.folder / "other" / "bin" / "python"
    runner.write("lib/jax.py", "print('a jax of its own')")
    program = (
        "import os, subprocess, sys\n"
        f"path = os.environ['PYTHONPATH'].split(os.pathsep)\n"
        "assert path[0].endswith('_startup'), path\n"
        f"for env in ({{**os.environ, 'PYTHONPATH': path[0] + os.pathsep + 'lib'}}, {{'PYTHONPATH': 'lib'}}):\n"
        f"    subprocess.run([{str(other)!r}, '-c', 'import jax, sys; print(sys.path[1])'], check=True, env=env)\n"
    )
    done = runner.run("--no-report", "-c", program)
    assert (0, "") == (done.returncode, done.stderr)
    assert ["a jax of its own", "lib"] * 2 == [line.rpartition("/")[2] for line in done.stdout.splitlines()]


def test_a_python_that_lacks_what_jitscope_needs_starts_as_ever(runner):
    venv.create(runner.folder / "other", with_pip=False)
    other = runner.folder / "other" / "bin" / "python"
    runner.write("lib/jax.py", "print('a jax of its own')")
    source = runner.environment["PYTHONPATH"].split(os.pathsep)[0]
    program = (
        "import os, subprocess\n"
        f"env = {{**os.environ, 'PYTHONPATH': os.pathsep.join([os.environ['PYTHONPATH'], 'lib'])}}\n"
        f"assert {source!r} in env['PYTHONPATH']\n"
        f"subprocess.run([{str(other)!r}, '-c', 'import jax'], check=True, env=env)\n"
    )
    done = runner.run("--no-report", "-c", program)
    assert (0, "a jax of its own\n", "") == (done.returncode, done.stdout, done.stderr)


def test_what_runs_first_in_a_child_is_understood_by_every_python():
    """No annotations, no f-strings: Python 2 reads it, and steps aside."""
    import ast

    import jitscope._startup

    source = Path(jitscope._startup.FOLDER, "sitecustomize.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 4))
    new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef)
    assert not [node for node in ast.walk(tree) if isinstance(node, new)]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.arg) and node.annotation]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "__future__"]


def test_modules_beside_a_childs_script_come_before_those_that_jitscope_imports(runner):
    """With a framework that imports nothing itself, and that jitscope can't watch."""
    for name in ("platform", "socket", "inspect"):
        runner.write(f"folder/{name}.py", f"print('my own {name}')")
    runner.write("folder/jax.py", "print('my own jax')")
    runner.write("folder/script.py", "import jax, socket, platform, inspect")
    program = (
        "import os, subprocess, sys\n"
        "os.environ.pop('JITSCOPE_STRICT')\n"
        "subprocess.run([sys.executable, 'folder/script.py'], check=True)\n"
    )
    expected = "".join(f"my own {name}\n" for name in ("jax", "socket", "platform", "inspect"))
    assert expected == runner.both("-c", program).stdout


@pytest.mark.jax
def test_a_folder_that_a_child_may_not_write_to(runner):
    pytest.importorskip("jax")
    code = (
        "import os, work\n"
        "os.environ.pop('JITSCOPE_STRICT')\n"
        "from pathlib import Path\n"
        "Path('taken').write_text('')\n"
        "from jitscope.capture.recorder import recorder\n"
        "recorder.files.member.place = 'taken/'\n"
        "import jitscope\n"
        "with jitscope.record('own.jsonl') as rec: work.work(2)\n"
        "print(rec.report().value.totals.calls, [note.slug for note in jitscope.report().value.notes])\n"
    )
    done = runner.run(
        "-q", "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {code!r}], check=True)"
    )
    assert 0 == done.returncode, done.stderr
    assert "2 ['not-recorded']" == done.stdout.splitlines()[-1]
    assert 1 == len(done.stderr.splitlines())


@pytest.mark.jax
def test_a_run_inside_of_a_run_is_its_own(runner):
    pytest.importorskip("jax")
    done = runner.run(
        "-q",
        "-c",
        "import subprocess, sys\n"
        "code = 'import work; work.work(2)'\n"
        "run = [sys.executable, '-m', 'jitscope', 'run', '-q', '-o', 'inner.jsonl', '-c', code]\n"
        "subprocess.run(run, check=True)\n",
    )
    assert 0 == done.returncode, done.stderr
    inner, verdict = done.stderr.splitlines()
    assert "hits 1 / 2" in inner
    assert "nothing was compiled: neither" in verdict
    recording = load(runner.folder / "inner.jsonl")
    assert recording.header.run == recording.header.program
    assert 1 == len(list(runner.folder.glob(".jitscope/*")))


@pytest.mark.inductor
@pytest.mark.torch
@pytest.mark.slow
def test_inductors_own_processes_are_not_followed(runner):
    pytest.importorskip("torch.nn")  # tests/torch is a torch too
    done = runner.run(
        "-q",
        "-c",
        "import torch\n"
        "from torch._inductor.async_compile import AsyncCompile\n"
        "AsyncCompile.wait_pool_ready()\n"
        "step = torch.compile(lambda x: x.sin() + 1)\n"
        "print(step(torch.ones(3)).shape)\n",
        TORCHINDUCTOR_COMPILE_THREADS="2",
        TORCHINDUCTOR_CACHE_DIR=str(runner.folder / "cache"),
    )
    assert 0 == done.returncode, done.stderr
    assert 1 == len(list(runner.folder.glob(".jitscope/*")))
    assert 1 == len(done.stderr.splitlines())


@pytest.mark.torch
@pytest.mark.slow
def test_workers_of_torchrun(runner):
    pytest.importorskip("torch.nn")  # tests/torch is a torch too
    runner.write(
        "train.py",
        """
        import os, torch
        import torch.distributed as dist
        from torch._dynamo.utils import get_compilation_metrics

        dist.init_process_group("gloo")

        @torch.compile(backend="eager", dynamic=False)
        def step(x):
            return x + 1

        calls = 2 + dist.get_rank()
        for n in range(calls):
            step(torch.ones(n + 2))
        step(torch.ones(2))
        dist.barrier()
        os.write(1, f"counted {os.getpid()} {len(get_compilation_metrics())} {calls + 1}\\n".encode())
        dist.destroy_process_group()
        """,
    )
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = runner.run("-q", *torchrun, "train.py", OMP_NUM_THREADS="1")

    assert 0 == done.returncode, done.stderr
    first, others = recordings(runner)
    agree_torch = {pid: counts(one)[:2] for pid, one in others.items()}
    assert counted(done) == agree_torch
    assert {(0, 2), (1, 2)} == {(one.header.rank, one.header.world_size) for one in others.values()}
    assert {f"r{one.header.rank}" for one in others.values()} == {
        one.header.run.rpartition("-")[2] for one in others.values()
    }
    assert {first.header.pid} == {one.header.parent for one in others.values()}


@pytest.mark.jax
@pytest.mark.slow
def test_ranks_of_jax_distributed(runner):
    """Known only once it is initialised: in time for the header of a child, at the end of a first process."""
    pytest.importorskip("jax")
    runner.write(
        "train.py",
        """
        import socket, subprocess, sys
        import jax

        if len(sys.argv) == 1:
            with socket.socket() as one:
                one.bind(("localhost", 0))
                port = one.getsockname()[1]
            child = subprocess.Popen([sys.executable, __file__, str(port)])
        else:
            child, port = None, int(sys.argv[1])
        jax.distributed.initialize(f"localhost:{port}", num_processes=2, process_id=int(child is None))
        import work
        work.work(3 + jax.process_index())
        if child is not None:
            jax.distributed.shutdown()  # when all processes are here
            sys.exit(child.wait())
        """,
    )
    done = runner.run("-q", "train.py", JAX_PLATFORMS="cpu")

    assert 0 == done.returncode, done.stderr
    first, others = recordings(runner)
    (other,) = others.values()
    assert (1, 2) == (other.header.rank, other.header.world_size)
    assert other.header.run.endswith("-r1")
    assert first.header.rank is None
    assert (0, 2) == (first.rank, first.world_size)
    assert 0 == build_report(first).run.rank
    agree(done, {first.header.pid: first, other.header.pid: other})


# -- without the command --------------------------------------------------------------------------


@pytest.fixture
def shell(runner):
    """What ``eval "$(jitscope env)"`` sets."""
    done = subprocess.run(
        ["sh", "-c", f'eval "$({sys.executable} -m jitscope env)"; echo "$JITSCOPE:$PYTHONPATH"'],
        env=runner.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    on, _, path = done.stdout.strip().partition(":")
    return {"JITSCOPE": on, "PYTHONPATH": path}


@pytest.mark.jax
def test_a_shell_that_records_every_program(runner, shell):
    pytest.importorskip("jax")
    runner.write("script.py", "import subprocess, sys, work\nwork.work(3)\nsys.exit(5)\n")
    alone, done = runner.python("script.py"), runner.python("script.py", **shell)
    assert (5, 5) == (alone.returncode, done.returncode)
    assert "hits 2 / 3" in done.stderr
    assert done.stderr.splitlines()[-1].endswith(".jsonl --format json"), done.stderr
    first, others = recordings(runner)
    assert not others
    agree(done, {first.header.pid: first})

    done = runner.python("script.py", **shell, JITSCOPE_REPORT="0")
    assert (5, "") == (done.returncode, done.stderr)
    assert 2 == len(list(runner.folder.glob(".jitscope/*")))


@pytest.mark.jax
def test_a_shell_that_records_every_program_with_its_processes(runner, shell):
    pytest.importorskip("jax")
    done = runner.python(
        "-c", "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import work; work.work(2)'])", **shell
    )
    (line,) = done.stderr.splitlines()
    assert line.startswith("jitscope: 1 process recorded: 1 compilation in ")
    (path,) = runner.folder.glob(".jitscope/*")
    (other,) = [load(path)]
    assert line.endswith(f"jitscope combine {other.header.program}")
    assert other.header.program.endswith(f"-{other.header.parent}")


@pytest.mark.parametrize("code", ["pass", "import jax", "raise SystemExit(3)"])
def test_a_shell_in_which_nothing_is_compiled(runner, shell, code):
    if "jax" in code:
        pytest.importorskip("jax")
    alone, done = runner.python("-c", code), runner.python("-c", code, **shell)
    assert (alone.returncode, "", "") == (done.returncode, done.stdout, done.stderr)
    assert not (runner.folder / ".jitscope").exists()


def test_a_shell_that_records_no_more(runner, shell):
    script = f'eval "$({sys.executable} -m jitscope env --off)"; echo "${{JITSCOPE-unset}}:$PYTHONPATH"'
    done = subprocess.run(
        ["sh", "-c", script], env=runner.environment | shell, capture_output=True, text=True, check=True
    )
    assert f"unset:{runner.environment['PYTHONPATH']}" == done.stdout.strip()


@pytest.mark.jax
@pytest.mark.parametrize("code", ["import jitscope\nimport work\n", "import work\nimport jitscope\n"])
def test_a_program_that_imports_jitscope_needs_no_more_than_the_variable(runner, code):
    pytest.importorskip("jax")
    done = runner.python("-c", f"{code}work.work(4)\n", JITSCOPE="1")
    assert 0 == done.returncode
    assert "hits 3 / 4" in done.stderr
    first, _ = recordings(runner)
    assert 1 == counts(first)[0]
    assert [event for event in first.events if isinstance(event, CallsEvent)]


def test_importing_jitscope_imports_nothing(runner):
    code = "import sys; before = set(sys.modules); import jitscope; print(sorted(set(sys.modules) - before))"
    assert "['__future__', 'jitscope']\n" == runner.python("-c", textwrap.dedent(code)).stdout
