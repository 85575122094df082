"""A machine that runs Trellis, and what a test says to it.

Nothing here waits for an amount of time: every wait is for a text or for the
machine's end, with a deadline that only a hang reaches.
"""
import contextlib
import fcntl
import io
import os
import re
import subprocess

import boards
import machine
import pexpect
from xv6fs import Image

RUN = os.path.join(machine.ROOT, "run")
DEADLINE = 120      # seconds, for anything that should take one
LONG_DEADLINE = 600  # for whole test suites
PYTEST_DESIGNS = machine.designs()
TAIL = 6000         # bytes of the console that a failure shows
CONSOLE = ("-display", "none", "-monitor", "none", "-chardev", "stdio,id=console,signal=off",
           "-serial", "chardev:console")
PANIC = re.compile(r"(?m)^panic\b[^\n]*\n|^PANIC[^\n]*\n")


class Guest:
    """One boot. text is all that its console has printed so far."""

    def __init__(self, design, harts=None, mib=None, disks=None, append="panic=exit", debug=False,
                 extra=(), board="virt"):
        self.log = io.StringIO()
        kernel = os.path.join(machine.kernel_folder(debug), "kernel.elf")
        assert os.path.exists(kernel), f"{kernel} has not been built"
        what = boards.BOARDS[board]
        boards.prepare(board, harts or what.harts, mib or what.mib, machine.build_path())
        command = machine.qemu_command(design, harts, mib, disks, CONSOLE, append, debug, extra,
                                       board)
        self.child = pexpect.spawn(command[0], command[1:], encoding="utf-8",
                                   codec_errors="replace", timeout=DEADLINE, echo=False)
        self.child.logfile_read = self.log
        self.child.delaybeforesend = None

    @property
    def text(self):
        return self.log.getvalue().replace("\r\n", "\n")

    def fail(self, what):
        raise AssertionError(f"{what}\nThe console's last words:\n{self.text[-TAIL:]}")

    def expect(self, pattern, timeout=DEADLINE):
        """Waits for a regular expression; returns the match. A panic is a failure."""
        found = self.child.expect([pattern, PANIC, pexpect.EOF, pexpect.TIMEOUT], timeout)
        if found:
            self.fail(["", "a kernel panic", "the machine ended",
                       f"{timeout} seconds went by"][found] + f", waiting for {pattern!r}")
        return self.child.match

    def prompt(self, timeout=DEADLINE):
        self.expect(r"(?:^|\n)\$ $", timeout)
        return self

    def type(self, text):
        self.child.send(text)

    def run(self, command, timeout=DEADLINE):
        """Types a command at the prompt; returns what it prints, up to the next prompt."""
        self.type(command + "\n")
        self.expect(re.escape(command) + r"\r?\n", timeout)
        self.expect(r"(?<![^\n])\$ $", timeout)
        return self.child.before.replace("\r\n", "\n")

    def wait_end(self, timeout=DEADLINE):
        """Waits until the machine has powered off; returns QEMU's status."""
        if self.child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout):
            self.fail(f"{timeout} seconds went by, waiting for the machine's end")
        self.child.wait()
        return self.child.exitstatus

    def cpu_seconds(self):
        """Processor time that QEMU has used so far."""
        with open(f"/proc/{self.child.pid}/stat", encoding="utf-8") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self):
        """Pulls the plug."""
        self.child.kill(9)
        self.child.wait()

    def end(self):
        self.child.close(force=True)


def change_program(image, path, old, new):
    """Puts new in the place of old in a program of an image."""
    made = Image.load(image)
    content = made.read(path)
    assert old in content and len(old) == len(new)
    changed = content.replace(old, new)
    for i, block in enumerate(made.file_blocks(made.inode(made.lookup(path)))):
        made.set_block(block, changed[i * 1024:(i + 1) * 1024])
    made.save(image)


def seeds(variable, default):
    """The seeds FIRST-LAST, or one, that the environment names."""
    first, _, last = os.environ.get(variable, default).partition("-")
    return range(int(first), int(last or first) + 1)


def host_mib():
    """Memory that the host has to give."""
    with open("/proc/meminfo", encoding="utf-8") as f:
        return int(re.search(r"MemAvailable: +(\d+)", f.read())[1]) >> 10


@contextlib.contextmanager
def gdb_turn():
    """One at a time: each ./run --gdb writes the same start file for GDB."""
    with open(machine.build_path("gdb-turn"), "w", encoding="utf-8") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def run(*args, timeout=DEADLINE):
    """./run with arguments, as a user's script would call it."""
    command = [RUN, "--no-build", *map(str, args)]
    return subprocess.run(command, check=False, capture_output=True, encoding="utf-8",
                          errors="replace", stdin=subprocess.DEVNULL, timeout=timeout)
