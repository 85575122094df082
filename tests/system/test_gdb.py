"""./run --gdb: a debugger attaches, knows the symbols and stops in a function; and the commands
of tools/trellis_gdb.py."""
import os
import re
import shutil
import subprocess

import guest
import machine
import pytest

GDBS = ("gdb-multiarch", "riscv64-unknown-elf-gdb", "riscv64-linux-gnu-gdb", "riscv64-elf-gdb",
        "riscv-none-elf-gdb", "gdb")
ADDRESS = r"0x[0-9a-f]{16}"


@pytest.fixture
def turn():
    with guest.gdb_turn():
        yield


def gdb_session(run_words, commands):
    """Boots with --gdb and has GDB do the commands. What the console and what GDB printed."""
    with subprocess.Popen([os.path.join(machine.ROOT, "run"), "--gdb", "--no-build", *run_words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, encoding="utf-8", cwd=machine.ROOT) as waiting:
        try:
            said = next(line for line in waiting.stderr if "gdb-multiarch -x " in line)
            gdb = next(g for g in GDBS if shutil.which(g))
            words = [word for command in commands for word in ("-ex", command)]
            done = subprocess.run(
                [gdb, "-batch", "-nx", *said.split()[1:], *words, "-ex", "kill"], check=False,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                stdin=subprocess.DEVNULL, timeout=guest.DEADLINE, cwd=machine.ROOT)
            return waiting.communicate(timeout=guest.DEADLINE)[0], done.stdout
        finally:
            waiting.terminate()


def test_gdb_breaks_in_a_function(turn):
    _, said = gdb_session(["--harts", "1"], [
        "break proc_fork", "continue", "backtrace 3", "print $satp != 0"])
    assert re.search(r"Breakpoint 1, proc_fork", said), said
    assert re.search(r"#0 .*proc_fork \(", said), said
    assert re.search(r"#1 .* in sys_fork .*/sysproc\.c:\d+", said), said


def test_a_debug_kernel_has_macros(turn):
    _, said = gdb_session(["--harts", "1", "--debug"], [
        "break aspace_fault", "continue", "print/x PTE_R | PTE_W", "print/x KSTACK(0)"])
    assert "$1 = 0x6\n$2 = 0x3fffffa000\n" in said, said


# What each part of the session prints stands behind a line of its own.
COMMANDS = [
    "trellis-break 1 thread_return_to_user", "continue",
    "echo == table\\n", "trellis-pt 1",
    "trellis-break cat _start", "continue",
    "echo == start\\n", "trellis-proc", "print $pc",
    "echo == user\\n", "trellis-walk $pc",
    "echo == kernel\\n", "trellis-walk -k $pc cat",
    "trellis-break cat main", "continue",
    "echo == main\\n", "backtrace",
    "break trampoline_vector", "continue",
    "echo == vector\\n", "backtrace 1", "trellis-proc",
    "delete", "trellis-break cat proc_exit", "continue",
    "echo == exit\\n", "trellis-proc", "trellis-walk &harts", "echo == end\\n"]


def steps(text):
    """The frame and the flags where a walk ends, or None."""
    m = re.search(rf"^level 0: entry \d+ at {ADDRESS}: {ADDRESS} (\S+) frame ({ADDRESS})$", text,
                  re.M)
    return m and (m[1], m[2])


def test_trellis_commands(turn, design):
    """On three harts, in user mode, in the trampoline and in the kernel. Every program has a
    _start at 0x810000, and the shell runs before cat does."""
    console, said = gdb_session(
        ["--design", design, "--verbose", "-c", "cd etc; wc welcome.txt; cat welcome.txt"],
        COMMANDS)
    parts = dict(re.findall(r"^== (\w+)\n(.*?)(?=^== )", said, re.M | re.S))
    assert len(parts) == 7, said
    # The same table as the kernel has printed for its first process just before.
    printed = re.search(r"^page table 0x.*\n(?:(?:\.\. )*\.\.\d+: .*\n)+", console, re.M)[0]
    assert re.sub(r" \S{8} va 0x\w+$", "", parts["table"], flags=re.M).startswith(printed), said
    assert "run" in re.search(r"^\* +\d+ (\w+) .* cat$", parts["start"], re.M)[1], said
    assert "= (void (*)()) 0x810000" in parts["start"], said
    assert len(re.findall(r"^  +\d+ \w+ .* (?:init|sh)$", parts["start"], re.M)) == 2, said
    flags, frame = steps(parts["user"])
    assert flags == "VR-XU-A-"
    kernel = {"walk": None, "mirror": ("VR----A-", frame), "share": (flags, frame),
              "unify": (flags, frame)}
    assert steps(parts["kernel"]) == kernel[design], said
    assert re.search(r"^#0 +main \(argc=2, argv=0x\w+\) at user/bin/cat\.c:\d+$", parts["main"],
                     re.M), said
    assert re.match(r"#0 +trampoline_vector \(\) at kernel/arch/trampoline\.S:\d+\n",
                    parts["vector"]), said
    assert re.search(r"^\* .* cat$", parts["vector"] + parts["exit"], re.M), said
    assert re.search(r"^physical address 0x0000000080\w+, a page of 4 KiB$", parts["exit"],
                     re.M), said


def test_one_program_at_a_time(turn):
    """Each has a main, and usertests begin elsewhere: the program that was named last is known."""
    _, said = gdb_session(["--harts", "1"], [
        word for program in ("cat", "usertests", "wc", "cat")
        for word in (f"trellis-break {program} main", "info line main")])
    known = re.findall(r"^Line \d+ of \"user/(\S+)\" starts at address 0x(\w+) <main>", said,
                       re.M)
    assert [file for file, _ in known] == ["bin/cat.c", "tests/main.c", "bin/wc.c", "bin/cat.c"], \
        said
    assert [int(at, 16) >= 0x810000 for _, at in known] == [True, False, True, True], said


def test_mistakes_are_said(turn):
    _, said = gdb_session(["--harts", "1"], [
        "trellis-walk 0", "break sys_fork", "continue", "trellis-pt nobody", "trellis-walk",
        "trellis-walk 0x4000000000", "trellis-walk -k 0", "trellis-break cat", "trellis-walk nope"])
    for sentence in ("satp names no table: translation is off on this hart.",
                     "There is no process nobody; trellis-proc lists them.",
                     "usage: trellis-walk [-k] ADDRESS [PROCESS]",
                     "0x0000004000000000 is not canonical: every access faults",
                     "-k wants a process.", "usage: trellis-break PROCESS LOCATION",
                     'nope: No symbol "nope" in current context.'):
        assert sentence in said, said
    assert "Traceback" not in said, said
