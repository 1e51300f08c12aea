"""What ``jitscope run`` shows while the program compiles: lines for long compilations, and ``--live``."""

import os
import pty
import re
import select
import subprocess
import sys

import pytest
from test_run import Runner

pytestmark = [pytest.mark.torch, pytest.mark.skipif(os.name != "posix", reason="needs pseudo terminals")]

SLOW = """
    import sys, torch

    def backend(module, inputs):
        # As long as whoever runs this program wants it to take.
        print("compiling", flush=True)
        sys.stdin.readline()
        return module.forward

    @torch.compile(backend=backend, dynamic=False)
    def attention(q, causal):
        return q + 1

    for n in (2, 2, 3):
        attention(torch.ones(n), True)
    print("done", flush=True)
    print("the program's own", file=sys.stderr, flush=True)
"""


@pytest.fixture
def runner(tmp_path):
    pytest.importorskip("torch.nn")  # tests/torch is a torch too
    made = Runner(tmp_path, [sys.executable, "-m", "jitscope"])
    made.write("slow.py", SLOW)
    return made


def start(runner, *arguments, after="0.05"):
    command = [*runner.entry, "run", *arguments, "slow.py"]
    return runner.start(command, env={"JITSCOPE_PROGRESS": after, "COLUMNS": "80"})


def go_on(process):
    process.stdin.write("\n")
    process.stdin.flush()


def test_a_long_compilation_is_not_silent(runner):
    process = start(runner)
    assert "compiling\n" == process.stdout.readline()
    for _ in range(2):
        line = process.stderr.readline()
        assert re.fullmatch(r"jitscope: compiling attention \(q: f32\[2\], causal=True\) for [\d.]+ s…\n", line)
    go_on(process)
    assert "compiling\n" == process.stdout.readline()
    while "f32[2]" in (line := process.stderr.readline()):
        assert line.startswith(("jitscope: compiling", "jitscope: attention"))
    go_on(process)
    out, err = process.communicate(timeout=60)
    assert (0, "done\n") == (process.returncode, out)
    told = [line for line in err.splitlines() if line.startswith("jitscope: ") and not line.startswith("jitscope rep")]
    assert re.fullmatch(r"jitscope: attention \(q: f32\[3\], causal=True\) took [\d.]+ s to compile", told[-1]), told
    assert "the program's own" in err


@pytest.mark.parametrize(("options", "after"), [(["-q"], "0.05"), (["--no-report"], "0.05"), ([], "0"), ([], "60")])
def test_it_is_silent_where_that_is_wanted(runner, options, after):
    process = start(runner, *options, after=after)
    for _ in range(2):
        assert "compiling\n" == process.stdout.readline()
        # The watchdog has had its turn when the program has had several.
        go_on(process)
    _, err = process.communicate(timeout=60)
    assert "the program's own" in err
    assert "jitscope: compiling" not in err
    assert "to compile" not in err


def screen_of(runner, stdout):
    """Run with --live on a terminal of 24 rows; returns the program's output, if it goes elsewhere, and the screen."""
    import fcntl
    import struct
    import termios

    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [*runner.entry, "run", "-q", "--live", "slow.py"],
        cwd=runner.folder,
        env=runner.environment | {"TERM": "xterm"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE if stdout else child,
        stderr=child,
    )
    os.close(child)
    screen = b""
    turns = 0

    def read():
        assert select.select([parent], [], [], 60)[0], screen
        assert len(screen) < 100_000, screen
        try:
            return os.read(parent, 65536)
        except OSError:  # the other end is closed
            return b""

    while fresh := read():
        screen += fresh
        # Each compilation takes until it is on the screen for a while.
        if turns < 2 and screen.count(f"f32[{turns + 2}], causal=True) for ".encode()) >= 2:
            turns += 1
            process.stdin.write(b"\n")
            process.stdin.flush()
    out = process.stdout.read() if stdout else b""
    assert 0 == process.wait(timeout=60), screen
    process.stdin.close()
    if stdout:
        process.stdout.close()
    os.close(parent)
    return out, screen.decode()


def test_live_on_a_terminal(runner):
    out, screen = screen_of(runner, stdout=True)
    assert b"compiling\ncompiling\ndone\n" == out
    plain = re.sub(r"\x1b\[[\d;]*m", "", screen)
    assert "compiling attention (q: f32[2], causal=True) for " in plain
    assert re.search(r"attention +1 +1 +[\d.]+ m?s", plain), plain  # one hit and one compilation, in the second one
    assert "the program's own\r\n" in plain
    # The last rows are taken out of what scrolls, and given back before the verdict.
    assert "\x1b[1;16r" in screen
    assert screen.rindex("\x1b[r") < screen.index("hits 1 / 3")


def test_live_on_a_terminal_that_the_program_prints_to(runner):
    _, screen = screen_of(runner, stdout=False)
    assert 2 == screen.count("compiling\r\n")
    assert "done\r\nthe program's own\r\n" in re.sub(r"\x1b7.*?\x1b8", "", screen, flags=re.DOTALL)


def test_live_without_a_terminal(runner):
    process = start(runner, "--live")
    for _ in range(2):
        assert "compiling\n" == process.stdout.readline()
        go_on(process)
    out, err = process.communicate(timeout=60)
    assert "done\n" == out
    assert err.startswith("jitscope: standard error is no terminal (or a small one): no --live\n")
    assert "\x1b" not in err
