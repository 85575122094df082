"""./test counts right, says how to run a failure alone, and fails when something failed.
It runs in a small tree whose build and whose tests are stand-ins."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import machine
import pytest

DEADLINE = 60
MAKEFILE = """DEBUG ?= 0
.PHONY: all kernel
all kernel: ; @test ! -e broken-$(DEBUG)
host-tests: ; @mkdir -p $(BUILD)/host; cp tests/host/*.c $(BUILD)/host; \\
\tcd $(BUILD)/host; for f in *.c; do mv $$f $${f%.c}; chmod +x $${f%.c}; done
"""
GOOD = "#!/bin/sh\necho 1..2; echo ok 1 - first; echo ok 2 - second\n"
BAD = "#!/bin/sh\necho 1..2; echo ok 1 - fine; echo not ok 2 - wrong; echo '# why'; exit 1\n"
CRASH = "#!/bin/sh\necho 1..2; echo ok 1 - fine; kill -9 $$\n"
SILENT = "#!/bin/sh\nexit 0\n"
SYSTEM = """import pytest
def test_good(): pass
def test_skipped(): pytest.skip("for a reason")
@pytest.mark.parametrize("design", ["one", "two"])
def test_design(design): assert design == "one"
"""


@pytest.fixture
def tree(tmp_path):
    for name in ("tools", "tests/host", "tests/system", "kernel/mm", "kernel/init"):
        (tmp_path / name).mkdir(parents=True)
    shutil.copytree(os.path.join(machine.ROOT, "tools"), tmp_path / "tools", dirs_exist_ok=True)
    shutil.copy(os.path.join(machine.ROOT, "test"), tmp_path)
    (tmp_path / "tools" / "need.sh").write_text("")  # all is there
    (tmp_path / "Makefile").write_text(MAKEFILE)
    for design in ("one", "two"):
        (tmp_path / f"kernel/mm/design_{design}.c").touch()
    (tmp_path / "kernel/init/main.c").write_text('#define DEFAULT_DESIGN "one"\n')
    (tmp_path / "tests/host/test_good.c").write_text(GOOD)
    (tmp_path / "tests/system/test_s.py").write_text("def test_boots(): pass\n")
    return tmp_path


def run(tree, *args):
    env = {k: v for k, v in os.environ.items() if k not in ("BUILD", "PYTEST_ADDOPTS")}
    done = subprocess.run([tree / "test", *args], check=False, capture_output=True,
                          encoding="utf-8", env=env, stdin=subprocess.DEVNULL)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stdout.splitlines()[-1]


def test_all_good(tree):
    status, _, last = run(tree)
    # A kernel, a debug kernel, the host tests' build; two unit tests; one system test.
    assert (status, last) == (0, "6 passed, 0 failed")


def test_quick_names_tests_that_there_are():
    listed = subprocess.run([os.path.join(machine.ROOT, "test"), "--list", "quick"], check=True,
                            capture_output=True, encoding="utf-8").stdout.split()
    with open(os.path.join(machine.ROOT, "tools", "test.py"), encoding="utf-8") as f:
        text = re.search(r'^QUICK = """(.*?)"""', f.read(), re.M | re.S)[1]
    named = text.format(design=machine.default_design()).split()
    assert [n for n in named if not any(name.startswith(n) for name in listed)] == []
    assert 50 < len(listed) < 90


@pytest.mark.parametrize("text, passed, says", [
    (BAD, 4, "FAILED: host/test_x:wrong    alone: ./test host/test_x"),
    (CRASH, 4, "FAILED: host/test_x    alone: ./test host/test_x"),
    (SILENT, 3, "FAILED: host/test_x    alone: ./test host/test_x")])
def test_failing_unit(tree, text, passed, says):
    (tree / "tests/host/test_x.c").write_text(text)
    status, out, last = run(tree, "host")
    assert (status, last) == (1, f"{passed} passed, 1 failed")
    assert says in out


def test_failing_system_test(tree):
    (tree / "tests/system/test_s.py").write_text(SYSTEM)
    status, out, last = run(tree, "system")
    assert (status, last) == (1, "4 passed, 1 failed")
    assert "alone: ./test 'system/test_s.py::test_design[two]'" in out
    assert "for a reason" in out and "1 skipped" in out
    status, _, last = run(tree, "system/test_s.py::test_design[two]")
    assert (status, last) == (1, "2 passed, 1 failed")


WIDE = """import os, time, pytest
def wait_for_narrow():
    deadline = time.monotonic() + 20
    while not os.path.exists("narrow"):
        assert time.monotonic() < deadline
        time.sleep(0.01)
@pytest.mark.wide
def test_a(): wait_for_narrow()
@pytest.mark.wide
def test_b(): wait_for_narrow()
def test_c(): open("narrow", "w").close()
"""


def test_no_two_wide_ones_at_a_time(tree):
    """Two at once would both wait for the third, which is the last in order."""
    (tree / "tests/system/test_s.py").write_text(WIDE)
    status, out, last = run(tree, "-j2", "system/test_s.py")
    assert (status, last) == (0, "5 passed, 0 failed"), out


BUSY = "import time\nwhile time.process_time() < 0.3: pass"  # the same on any machine
TOGETHER = f"""import os, subprocess, sys, time, pytest
def note(name):
    with open("processes", "a") as f:
        print(name, os.getpid(), file=f)
def test_a(): note("a")
@pytest.mark.long
def test_b(): note("b")
def test_c():
    note("c")
    end = time.process_time() + 0.3
    while time.process_time() < end:
        pass
@pytest.mark.parametrize("how", ["x"])
def test_d(how): note("d"); subprocess.run([sys.executable, "-c", {BUSY!r}], check=True)
"""


def test_short_ones_of_a_file_share_a_process(tree):
    """But each has its own time, with what it has started."""
    (tree / "tests/system/test_s.py").write_text(TOGETHER)
    status, out, last = run(tree)
    assert (status, last) == (0, "9 passed, 0 failed"), out
    process = dict(line.split() for line in (tree / "processes").read_text().splitlines())
    assert process["a"] == process["c"] == process["d"] != process["b"]
    assert "system/test_s.py (3)" in out and "system/test_s.py::test_b\n" in out
    status, out, last = run(tree, "--times")
    assert status == 0 and last.endswith("; 5 of 5 tests have been measured")
    cpu = {line.split()[-1].split("::")[-1]: float(line.split()[0])
           for line in out.splitlines()[:-1]}
    assert cpu["test_c"] >= 0.3 and cpu["test_d[x]"] >= 0.3 and cpu["test_a"] < 0.1, out
    assert list(cpu.values()) == sorted(cpu.values(), reverse=True) and len(cpu) == 5


HAND = """import pytest
@pytest.mark.hand
def test_a(): assert False
def test_b(): pass
"""


def test_what_is_for_hand_runs_is_left_out_and_counted(tree):
    """Unless it is named, or everything is asked for."""
    for name in ("host/test_h.py", "system/test_s.py"):
        (tree / "tests" / name).write_text(HAND)
    status, out, last = run(tree)
    assert (status, last) == (0, "7 passed, 0 failed"), out
    assert "; 2 for hand runs left out (./test all)\n" in out
    for names, passed, failed in ((["all"], 7, 2), (["host", "s.py::test_a"], 6, 1)):
        status, out, last = run(tree, *names)
        assert (status, last) == (1, f"{passed} passed, {failed} failed"), out
    assert "; 1 for hand runs left out" in out
    assert "test_s.py::test_a" not in run(tree, "--list")[1]


def test_failing_build(tree):
    (tree / "broken-1").touch()
    status, out, last = run(tree)
    assert (status, last) == (1, "5 passed, 1 failed")
    assert "FAILED: build/kernel-debug" in out


def test_tests_that_cannot_be_read(tree):
    (tree / "tests/host/test_y.py").write_text("this is no Python")
    status, _, last = run(tree)
    assert (status, last) == (2, "0 passed, 1 failed")


def test_list_and_names(tree):
    status, out, _ = run(tree, "--list")
    assert status == 0
    assert out.split() == ["host/test_good", "system/test_s.py::test_boots"]
    env = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    done = subprocess.run(f"{tree}/test --list | true", shell=True, check=False, env=env,
                          stderr=subprocess.PIPE, encoding="utf-8")
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr, done.stderr
    assert run(tree, "good")[2] == "3 passed, 0 failed"
    assert run(tree, "nosuchtest")[0] == 2
    assert run(tree, "--what")[0] == 2
    assert "N passed, N failed" in run(tree, "--help")[1]


SLEEPS = "echo $$ > pid; exec sleep 1000"


@pytest.mark.parametrize("place, number", [
    ("test", signal.SIGHUP), ("test", signal.SIGINT), ("build", signal.SIGTERM)])
def test_ended_by_a_signal(tree, place, number):
    """What it has started ends with it, and the status says by what."""
    if place == "test":
        (tree / "tests/host/test_x.c").write_text(f"#!/bin/sh\n{SLEEPS}\n")
    else:
        makefile = (tree / "Makefile").read_text().split("host-tests:")[0]
        (tree / "Makefile").write_text(f"{makefile}host-tests: ; {SLEEPS.replace('$', '$$')}\n")
    env = {k: v for k, v in os.environ.items() if k not in ("BUILD", "PYTEST_ADDOPTS")}
    with subprocess.Popen([tree / "test", "host"], env=env, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as running:
        wait_until(lambda: (tree / "pid").exists() and (tree / "pid").read_text().strip())
        try:
            running.send_signal(number)
            assert running.wait(DEADLINE) == 128 + number
        finally:
            running.kill()
    started = int((tree / "pid").read_text())
    wait_until(lambda: not os.path.exists(f"/proc/{started}"))


def test_tests_ignore_no_signal(tree):
    """However they were started: what they start would ignore it, too."""
    shutil.copy(os.path.join(machine.ROOT, "tests", "conftest.py"), tree / "tests")
    (tree / "tests/host/test_z.py").write_text("""import signal
def test_ignored():
    numbers = signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM
    assert [n for n in numbers if signal.getsignal(n) == signal.SIG_IGN] == []
""")
    ignoring = "trap '' HUP INT QUIT TERM; exec \"$@\""
    done = subprocess.run(["sh", "-c", ignoring, "sh", sys.executable, "-m", "pytest", "-q",
                           tree / "tests/host/test_z.py"], check=False, capture_output=True,
                          encoding="utf-8", timeout=DEADLINE)
    assert done.returncode == 0, done.stdout


def wait_until(condition):
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "nothing happens"
        time.sleep(0.01)
