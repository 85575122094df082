"""./run --gdb: a debugger attaches, knows the symbols and stops in a function."""
import os
import re
import shutil
import subprocess

import guest
import machine
import pexpect
import pytest

GDBS = ("gdb-multiarch", "riscv64-unknown-elf-gdb", "riscv64-linux-gnu-gdb", "riscv64-elf-gdb")


@pytest.fixture
def waiting():
    with guest.gdb_turn():
        child = pexpect.spawn(os.path.join(machine.ROOT, "run"), ["--gdb", "--harts", "1"],
                              encoding="utf-8", timeout=guest.DEADLINE, cwd=machine.ROOT)
        yield child
        child.close(force=True)


def test_gdb_breaks_in_a_function(waiting):
    waiting.expect(r"Waiting for GDB on port (\d+)")
    waiting.expect(r"gdb-multiarch -x (\S+)")
    start = os.path.join(machine.ROOT, waiting.match[1])
    assert os.path.exists(start)
    gdb = next(g for g in GDBS if shutil.which(g))
    done = subprocess.run(
        [gdb, "-batch", "-nx", "-x", start, "-ex", "break proc_fork", "-ex", "continue",
         "-ex", "backtrace 3", "-ex", "print $satp != 0", "-ex", "kill"],
        check=False, capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL,
        timeout=guest.DEADLINE, cwd=machine.ROOT)
    assert re.search(r"Breakpoint 1, proc_fork", done.stdout), done.stdout + done.stderr
    assert re.search(r"#0 .*proc_fork \(pid=", done.stdout), done.stdout
    assert re.search(r"#1 .* in sys_fork .*/sysproc\.c:\d+", done.stdout), done.stdout
