"""Orders that emulation never needs: QEMU's harts see new code and the disk's ring at
once, and misaligned words work, so these are looked for in the kernel's instructions."""
import collections
import os
import re

import layers
import machine
import pytest

FENCE = "fence"     # objdump's way to write `fence iorw, iorw`
FENCE_I = "fence.i"


def functions(source):
    """{name: [mnemonics in order]} of one file of the kernel. Another one may have static functions
    of the same names."""
    found, current = {}, None
    listing = layers.disassembly(os.path.join(machine.kernel_folder(), source + ".o"))
    for line in listing.splitlines():
        m = re.match(r"[0-9a-f]+ <([^.>][^>]*)>:$", line)  # no label inside one
        if m:
            # A function that the compiler has split or copied is still that one.
            current = found.setdefault(m[1].split(".")[0], [])
            continue
        m = re.match(r"\s*[0-9a-f]+:\s+(\S+)(?:\s+(\S+))?", line)
        if m:
            whole = m[2] in (None, "iorw,iorw", "iorw,")
            current.append(m[1] if m[1] != FENCE or whole else "fence-some")
    return found


def adjacent(mnemonics, kept, wanted):
    """Whether, of the mnemonics kept, those wanted follow each other somewhere."""
    text = " ".join(m for m in mnemonics if m in kept)
    return re.search(rf"(^| ){re.escape(wanted)}( |$)", text) is not None


def home(code, *names):
    """The first of these functions that was not inlined in the next."""
    return next(name for name in names if name in code)


def inlined_in(code, *names):
    return code[home(code, *names)]


def test_new_code_is_fenced():
    """Before a program that exec has loaded runs, and before a process runs where it has
    not run before."""
    assert FENCE_I in inlined_in(functions("syscall/exec.c"), "enter_program", "replace_program",
                                 "replace_by_path", "exec_with", "sys_exec")
    code = functions("proc/sched.c")
    for name in ["enter"] if "enter" in code else ["switch_to", "sched_idle"]:
        assert FENCE_I in inlined_in(code, name, "sched_leave"), name


def test_code_that_a_fault_brings_is_fenced():
    """Wherever a leaf is set: each place has a fence of its own, those that were inlined in one
    function too, unless they share a function for it."""
    code = functions("mm/fault.c")
    places = [home(code, "fill", "fill_shown"), home(code, "fill_behind", "fill_shown"),
              home(code, "replace", "show")]
    wants = {"fence_code": 1} if "fence_code" in code else collections.Counter(places)
    for name, wanted in wants.items():
        assert code[name].count(FENCE_I) >= wanted, name


def test_ring_is_fenced():
    """The driver: entry, fence, index, fence; and the device's index, fence, its entry."""
    code = functions("dev/virtio_blk.c")
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
