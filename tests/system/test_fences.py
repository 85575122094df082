"""Orders that emulation never needs: QEMU's harts see new code and the disk's ring at
once, and misaligned words work, so these are looked for in the kernel's instructions."""
import os
import re

import machine
import pytest

FENCE = "fence"     # objdump's way to write `fence iorw, iorw`
FENCE_I = "fence.i"


def functions(design):
    """{name: [mnemonics in order]} of a kernel."""
    found, current = {}, []
    path = os.path.join(machine.kernel_folder(), "kernel.asm")
    with open(path, encoding="utf-8") as f:
        for line in f:
            m = re.match(r"[0-9a-f]{8,} <([^>]+)>:$", line)
            if m:
                # A function that the compiler has split or copied is still that one.
                current = found.setdefault(m[1].split(".")[0], [])
                continue
            m = re.match(r"\s*[0-9a-f]+:\s+(?:[0-9a-f]{2,8} ?)+\s+(\S+)(?:\s+(\S+))?", line)
            if m:
                whole = m[2] in (None, "iorw,iorw", "iorw,")
                current.append(m[1] if m[1] != FENCE or whole else "fence-some")
    return found


def adjacent(mnemonics, kept, wanted):
    """Whether, of the mnemonics kept, those wanted follow each other somewhere."""
    text = " ".join(m for m in mnemonics if m in kept)
    return re.search(rf"(^| ){re.escape(wanted)}( |$)", text) is not None


@pytest.fixture(name="code", scope="module")
def fixture_code():
    return functions(machine.default_design())


def inlined_in(code, *names):
    """The code of the first of these functions that was not inlined in the next."""
    return next(code[name] for name in names if name in code)


def test_new_code_is_fenced(code):
    """Before a program that exec has loaded runs, and before a process runs where it has
    not run before."""
    assert FENCE_I in inlined_in(code, "enter_program", "replace", "exec_with", "sys_exec")
    places = ["enter"] if "enter" in code else ["switch_to", "sched_idle"]
    for name in places:
        assert FENCE_I in inlined_in(code, name, "sched_leave"), name


def test_ring_is_fenced(code):
    """The driver: entry, fence, index, fence; and the device's index, fence, its entry."""
    publish = inlined_in(code, "publish_locked", "disk_submit")
    assert adjacent(publish, ("sh", FENCE), "sh fence sh fence")
    collect = inlined_in(code, "collect_locked", "disk_wait")
    loads = ("lhu", "lh", "lw", "lwu")
    assert any(adjacent(collect, loads + (FENCE,), f"{index} fence {entry}")
               for index in ("lhu", "lh") for entry in loads)


def test_no_misaligned_accesses(design):
    """Where the compiler would make them. (clang below 16 does not, and has no option.)"""
    with open(os.path.join(machine.kernel_folder(), "flags"), encoding="utf-8") as f:
        flags = f.read().split()
    if "gcc" not in flags[0] and "-mstrict-align" not in flags:
        pytest.skip("this compiler makes no misaligned accesses")
    assert "-mstrict-align" in flags
