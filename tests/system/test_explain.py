"""What the kernel says about a failed access: the walk of its address, with an arrow at
the level that stops it, and why; the same under every design."""
import re

import guest
import machine
import pytest

ENTRY = re.compile(r"^(->|  ) level (\d), entry +(\d+) at 0x([0-9a-f]{16}): "
                   r"0x([0-9a-f]{16}) ([VRWXUGAD-]{8})$", re.M)
LETTERS = "VRWXUGAD"

OVERFLOW = r"guard page below the stack, which is 0x10000 to 0x810000, 8192 KiB: an overflow"

# Each way of user/bin/crash.c: the address, and what is said of it.
CRASHES = {
    "null": (r"8", r"a null pointer, or near one: the program has nothing there"),
    "guard": (r"fff8", OVERFLOW),
    "overflow": (r"f\w\w\w", OVERFLOW),
    "gap": (r"\w+000", r"between the (?:bss|data), which ends at 0x\w+, and the heap, which begins "
                       r"at 0xa00000"),
    "heap": (r"\w+000", r"beyond all that the program was granted: the break is 0x\w+"),
    "text": (r"\w+", r"the leaf has no W: the text may not be written"),
    "rodata": (r"\w+", r"the leaf has no W: the (text|read-only data) may not be written"),
    "run-stack": (r"\w+", r"the leaf has no X: the (stack|heap) may not be executed"),
    "run-heap": (r"\w+", r"no leaf would have X: the heap may not be executed"),
    "kernel": (r"ffffffc080200000", r"the kernel's half of the address space: not for user mode"),
    "trapframe": (r"3fffffe000", r"the trapframe: not for user mode, the leaf has no U"),
    "trampoline": (r"3ffffff000", r"the trampoline: not for user mode, the leaf has no U"),
    "wild": (r"123456789abcdef0", r"not an address: bits 63 to 39 differ from bit 38 \(Sv39\)"),
}


def check_walk(text, va):
    """The walk's lines must agree with each other and with the address."""
    lines = ENTRY.findall(text)
    assert [int(l[1]) for l in lines] == list(range(2, 2 - len(lines), -1))
    assert [l[0] for l in lines][:-1] == ["  "] * (len(lines) - 1)
    assert not lines or lines[-1][0] == "->"
    table = None
    for _, level, index, at, value, letters in lines:
        at, value = int(at, 16), int(value, 16)
        assert int(index) == va >> 12 + 9 * int(level) & 511
        assert at % 4096 == 8 * int(index) and table in (None, at & ~4095)
        assert letters == "".join(c if value >> i & 1 else "-" for i, c in enumerate(LETTERS))
        table = (value >> 10 & (1 << 44) - 1) << 12


def test_crashes(design):
    done = guest.run("--design", design, "-c",
                     "; ".join(f"crash {way}; echo $?" for way in CRASHES) + "; crash illegal")
    parts = done.stdout.split("255\n")
    assert len(parts) == len(CRASHES) + 1, done.stdout
    for part, (way, (address, why)) in zip(parts, CRASHES.items()):
        m = re.search(rf"\d+ crash: killed by \w+ page fault: scause \d+ sepc 0x\w+ "
                      rf"stval 0x({address})\nthe walk of 0x(\w{{16}}):\n((?:.*\n)*){why}\n$", part)
        assert m and int(m[1], 16) == int(m[2], 16), f"{way}:\n{part}"
        check_walk(m[3], int(m[2], 16))
        assert m[3] or way == "wild"
    assert "killed by illegal instruction" in parts[-1] and "walk" not in parts[-1]


def test_reports_stand_together(design):
    """Programs that are killed at one moment, on several harts."""
    done = guest.run("--design", design, "--harts", "4", "-c", " | ".join(["crash null"] * 6))
    report = r"\d+ crash: killed by .*\nthe walk of .*\n(?:(?:  |->) level .*\n){2}a null .*\n"
    assert re.fullmatch(f"(?:{report}){{6}}", done.stdout), done.stdout


PANICS = {
    "fault": ("fail_fault", r"neither RAM that the kernel may use nor a device is at physical "
                            r"address 0x3f80000000"),
    "write-text": ("fail_write_text", r"the leaf has no W: the kernel's text may not be written"),
    "guard": ("fail_guard", r"a guard page below a kernel stack: nothing is mapped there in "
                            r"this table"),
    "null": ("fail_null", r"a null pointer, or near one; user memory is for the copy routines "
                          r"only"),
    "user-pointer": ("fail_user_pointer", r"user memory, outside of the copy routines: .+"),
    "other-stack": ("fail_other_stack", r"a kernel stack: nothing is mapped there in this table"),
    "run-data": (None, r"a kernel stack: the leaf has no X"),
    "bad-table": ("fail_bad_table", r"the table that the entry points to is not in RAM: somebody "
                                    r"has written over the entry"),
    "bad-frame": ("fail_bad_frame", r"the walk permits this access, but the machine does not: "
                                    r"memory protection forbids it, or nothing answers, at "
                                    r"physical address 0x3200000000"),
}
# What a design lets the kernel do: these do not fail there.
PERMITTED = {("mirror", "user-pointer"), ("walk", "other-stack")}


@pytest.mark.parametrize("which", PANICS)
def test_panics(design, which):
    function, why = PANICS[which]
    done = guest.run("--design", design, "--append", f"selftest={which}", "-c", "echo went on")
    if (design, which) in PERMITTED:
        assert (done.stdout, done.returncode) == ("went on\n", 0)
        return
    assert done.returncode == machine.PANIC_STATUS, done.stdout
    m = re.search(rf"stval 0x(\w+) .*\nhart .*\nthe walk of 0x(\w{{16}}):\n((?:.*\n)*?){why}\n"
                  rf"backtrace:\n((?:  0x\w{{16}}  .*\n)+)$", done.stdout)
    assert m and int(m[1], 16) == int(m[2], 16), done.stdout
    check_walk(m[3], int(m[2], 16))
    places = re.findall(r"^  0x\w{16}  (?:(\w+)\+0x\w+  ([\w.]+:\d+)|not in the kernel)$", m[4],
                        re.M)
    assert len(places) == m[4].count("\n"), m[4]
    if function:
        assert places[0][1].startswith("selftest.c:")
    else:
        assert places.pop(0) == ("", "")  # what it runs is no code of the kernel's
    names = [name for name, _ in places]
    assert names[:2] == [function or "fail_run_data", "fail"]
    assert names[-1] == "context_start" or "kernel_main" in names


def test_lost_stack(design):
    """A stack that the loaded table does not map: the first fault is what is said, not that of
    the trap's own stores to this stack, and not an overflow."""
    done = guest.run("--design", design, "--append", "selftest=lost-stack", "-c", ":")
    assert done.returncode == machine.PANIC_STATUS, done.stdout
    if design == "walk":  # which maps all stacks
        assert "panic: asked for by selftest=panic" in done.stdout
        return
    m = re.search(r"^panic: the stack pointer is on no stack that the loaded page table maps: .*\n"
                  r"store page fault: scause 0xf sepc 0x\w+ \(fail_panic\+0x\w+\) "
                  r"stval 0x(\w+) sp 0x(\w+)\nhart .*\nthe walk of 0x(\w{16}):\n((?:.*\n)*?)"
                  r"a kernel stack: nothing is mapped there in this table\nbacktrace:\n"
                  r"  0x\w{16}  fail_panic\+0x\w+  selftest.c:\d+\n"
                  r"  0x\w{16}  context_start\+0x2  swtch.S:\d+\n$", done.stdout, re.M)
    assert m and int(m[1], 16) == int(m[3], 16), done.stdout
    assert 0 <= int(m[2], 16) - int(m[1], 16) < 4096, done.stdout
    check_walk(m[4], int(m[3], 16))


def test_lines_are_the_compilers(design):
    """The line that a backtrace names is the one that the source has there."""
    done = guest.run("--design", design, "--append", "selftest=fault", "-c", ":")
    line = int(re.search(r"fail_fault\+0x\w+  selftest\.c:(\d+)", done.stdout)[1])
    with open(machine.ROOT + "/kernel/init/selftest.c", encoding="utf-8") as f:
        assert "fail_fault" in f.read().splitlines()[line - 1]
