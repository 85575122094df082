"""./run on a terminal, and with its input from a pipe."""
import os
import subprocess

import guest
import machine
import pexpect
import pytest

RUN = os.path.join(machine.ROOT, "run")


@pytest.fixture
def terminal():
    child = pexpect.spawn(RUN, ["--no-build"], encoding="utf-8", timeout=guest.DEADLINE)
    child.expect(r"Ctrl-A X")
    child.expect(r"\n\$ $")
    yield child
    child.close(force=True)


def test_ctrl_a_x_ends_it(terminal):
    terminal.send("\x01x")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 0


def test_ctrl_c_is_for_the_guest(terminal):
    terminal.send("sleep 1000\n\x10")
    while terminal.expect([r" sleep\r?\n", r" sh\r?\n"]):
        terminal.send("\x10")
    terminal.send("\x03")
    terminal.expect(r"\n\$ $")
    terminal.send("echo still here\n")
    terminal.expect(r"\nstill here\r?\n")


def test_poweroff_gives_the_status(terminal):
    terminal.send("poweroff 3\n")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 3


def piped(text, *args):
    done = subprocess.run([RUN, "--no-build", *args], check=False, capture_output=True,
                          encoding="utf-8", input=text, timeout=guest.DEADLINE)
    return done.returncode, done.stdout.replace("$ ", "\n")


@pytest.mark.parametrize("text, shows, status", [
    ("echo from the pipe\npoweroff 5\n", "\nfrom the pipe\n", 5),
    ("echo a\nfalse\n", "\na\n", 1), ("sleep 3; true", "\n", 0), ("", "\n", 0),
    ("exit 3\necho never\n", "\n", 3), ("cat\nread by cat\n", "\nread by cat\n", 0),
    ("cat >f; cat; sh; wc f; exit 9\nend", "\n1 1 4 f\n", 9)],
    ids=["poweroff", "false", "busy", "nothing", "exit", "reader", "readers"])
def test_input_from_a_pipe(text, shows, status):
    """At its end the machine ends, with the status of the last command."""
    ended, shown = piped(text)
    assert ended == status and shows in shown and "[trellis]" not in shown, shown
    assert "\nnever\n" not in shown


def test_input_from_a_pipe_into_another_system(foreign):
    ended, shown = piped("echo hi\nfalse\n", "--disk", foreign)
    assert ended == 1 and "\nhi\n" in shown and "[trellis]" not in shown, shown
    assert piped("echo hi\n", "--disk", foreign)[0] == 0


def test_input_from_a_pipe_where_run_ends_the_machine():
    """And QEMU says nothing of that."""
    done = subprocess.run([RUN, "--no-build", "--machine", "sifive_u"], check=False,
                          capture_output=True, input=b"echo hi\nexit 5\n", timeout=guest.DEADLINE)
    assert done.returncode == 5 and b"hi" in done.stdout
    assert done.stderr.count(b"\n") == 1 and done.stderr.startswith(b"Trellis: "), done.stderr


def test_from_another_directory(image):
    """Paths are the caller's, wherever ./run stands."""
    done = subprocess.run([RUN, "--no-build", "--disk", image.name, "-c", "echo x > f"],
                          check=False, cwd=image.parent, stdin=subprocess.DEVNULL,
                          timeout=guest.DEADLINE)
    assert done.returncode == 0
    assert guest.run("--disk", image, "-c", "cat f").stdout == "x\n"
