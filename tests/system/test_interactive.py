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
    terminal.send("\x03")
    terminal.send("\x15echo still here\n")
    terminal.expect(r"\nstill here\r?\n")


def test_poweroff_gives_the_status(terminal):
    terminal.send("poweroff 3\n")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 3


def test_input_from_a_pipe():
    """Not the way for scripts (-c is), and it works."""
    done = subprocess.run([RUN, "--no-build"], check=False, capture_output=True, encoding="utf-8",
                          input="echo from the pipe\npoweroff\n", timeout=guest.DEADLINE)
    assert done.returncode == 0 and "\nfrom the pipe\n" in done.stdout.replace("$ ", "\n")


def test_from_another_directory(image):
    """Paths are the caller's, wherever ./run stands."""
    done = subprocess.run([RUN, "--no-build", "--disk", image.name, "-c", "echo x > f"],
                          check=False, cwd=image.parent, stdin=subprocess.DEVNULL,
                          timeout=guest.DEADLINE)
    assert done.returncode == 0
    assert guest.run("--disk", image, "-c", "cat f").stdout == "x\n"
