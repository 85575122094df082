"""Images with somebody else's init and sh: ./run -c types at the prompt."""
import re

import guest
import machine
import pytest
from test_hogs import interrupt, until, until_runs
from xv6check import check
from xv6fs import Image


@pytest.mark.parametrize("commands, output, status", [
    ("echo hi", "hi\n", 0), ("ls nosuchfile", None, 1), ("echo a | cat", "a\n", 0),
    ("mkdir d\ncd d\necho x > f\ncat f", "x\n", 0), ("grep -c nothing /etc/welcome.txt", "0\n", 1),
    ("echo '$ '\necho b", "$ \nb\n", 0)],
    ids=["echo", "fails", "pipe", "cd", "status", "false-prompt"])
def test_commands_are_typed(foreign, commands, output, status):
    # One under the debug kernel, which checks what the kernel does as it tells of each end.
    debug = ["--debug"] if commands == "echo hi" else []
    done = guest.run(*debug, "--disk", foreign, "--timeout", guest.DEADLINE, "-c", commands)
    assert done.returncode == status, done.stdout + done.stderr
    assert output is None or done.stdout == output
    assert done.stderr == ""


def test_what_was_written_is_kept(foreign):
    assert guest.run("--disk", foreign, "-c", "echo kept > f").returncode == 0
    image = Image.load(foreign)
    assert image.read("/f") == b"kept\n" and check(image) == []


def load_a7(number):
    """The instruction li a7, number."""
    return (number << 20 | 17 << 7 | 0x13).to_bytes(4, "little")


def test_interrupt_with_a_shell_that_knows_nothing_of_groups(boot, image):
    """^C ends all but init and the shell, which is told by an empty line."""
    guest.change_program(image, "/bin/sh", load_a7(109), load_a7(999))
    shell = boot(disks=[machine.drive(str(image), keep=True)])
    shell.expect("unknown sys call 999")
    shell.prompt()
    shell.run("(sleep 1000; sleep 1000) &")
    shell.type("sleep 1000\n")
    until_runs(shell, sleep=2)
    interrupt(shell)
    until(shell, lambda: " sleep\n" not in shell.run("ps"))
    shell.type("echo dropped")
    interrupt(shell)
    shell.run("sleep 1000 &")
    until_runs(shell, sleep=1)
    interrupt(shell)
    until(shell, lambda: " sleep\n" not in shell.run("ps"))
    assert shell.run("echo kept") == "kept\n"


def test_unknown_calls_are_told_once(foreign):
    """A program may call what there is not as often as it likes: a line for each number."""
    done = guest.run("--disk", foreign, "-c", "usertests --role unknown 3\necho done")
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"(?m)^\d+ usertests: unknown sys call (\d+)$", done.stdout)
    assert told == ["1000", "1001", "1002"] and done.stdout.endswith("done\n"), done.stdout


def test_timeout_works(foreign):
    assert guest.run("--disk", foreign, "--timeout", 8, "-c", "sleep 100000").returncode == 124


def test_no_prompt_is_shown_at_the_timeout(foreign):
    """What the machine said until then, since it may say why."""
    made = Image.load(foreign)
    made.set_block(made.file_blocks(made.inode(made.lookup("/bin/sh")))[0], bytes(1024))
    made.save(foreign)
    done = guest.run("--disk", foreign, "--timeout", 8, "-c", "echo hi")
    assert done.returncode == 124 and "Another init: cannot execute" in done.stderr, done.stderr
