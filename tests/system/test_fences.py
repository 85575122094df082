"""Orders that emulation never needs: QEMU's harts see new code, the disk's ring and each other's
stores at once, and misaligned words work, so these are looked for in the kernel's instructions."""
import collections
import glob
import os
import re

import layers
import machine
import pytest

FENCE = "fence"        # objdump's way to write `fence iorw, iorw`
FENCE_RW = "fence-rw"  # of memory alone
FENCE_I = "fence.i"
FENCES = {"": FENCE, "iorw,iorw": FENCE, "rw,rw": FENCE_RW}

both_kernels = pytest.mark.parametrize("debug", [False, True], ids=["release", "debug"])


def functions(source, debug=False):
    """{name: [mnemonics in order]} of one file of the kernel. Another one may have static functions
    of the same names."""
    return functions_of(os.path.join(machine.kernel_folder(debug), source + ".o"))


def functions_of(path):
    found, current = {}, None
    for line in layers.disassembly(path).splitlines():
        m = re.match(r"[0-9a-f]+ <([^.>][^>]*)>:$", line)  # no label inside one
        if m:
            # A function that the compiler has split or copied is still that one.
            current = found.setdefault(m[1].split(".")[0], [])
            continue
        m = re.match(r"\s*[0-9a-f]+:\s+(\S+)\s*([^#]*)", line)
        if m:
            which = FENCES.get(re.sub(r"\s", "", m[2]), "fence-some")
            current.append(which if m[1] == FENCE else m[1])
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
    """Wherever a leaf is set, but those behind another one: each place has a fence of its own,
    those that were inlined in one function too, unless they share a function for it."""
    code = functions("mm/fault.c")
    places = [home(code, "fill", "fill_shown"), home(code, "replace", "show")]
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


def all_functions(debug):
    """Of the whole kernel: (file and name, mnemonics)."""
    folder = machine.kernel_folder(debug)
    for path in glob.glob(os.path.join(folder, "*", "*.o")):
        source = os.path.relpath(path, folder).removesuffix(".o")
        if os.path.exists(os.path.join(machine.ROOT, "kernel", source)):
            for name, mnemonics in functions_of(path).items():
                yield f"{source} {name}", mnemonics


@both_kernels
def test_what_acquires_does_so_at_the_load(debug):
    """An sc.aq orders what follows behind its own store alone. Loads that follow may come before
    that of the lr, and see what was so before the last holder gave the lock back."""
    acquiring, wrong = 0, []
    for where, mnemonics in all_functions(debug):
        load = ""
        for mnemonic in mnemonics:
            if mnemonic.startswith("lr."):
                load = mnemonic
                acquiring += "aq" in load
            elif re.fullmatch(r"sc\.[wd]\.aq.*", mnemonic) and "aq" not in load:
                wrong.append(where)
    assert not wrong
    assert acquiring >= 20  # each place where a sleeplock is taken has its own


@both_kernels
def test_who_waits_for_a_sleeplock_is_seen(debug):
    """He says so, fence, is it free? And who gives it back: it is free, fence, who waits? That is
    inlined wherever one is given back."""
    wait = functions("proc/sleeplock.c", debug)["sleeplock_wait"]
    release = functions("fs/nameop.c", debug)["nameop_end"]
    for code, stores, loads in [
            (wait, ("amoadd.w", "amoadd.w.rl", "sw"), ("lr.d", "lr.d.aq")),
            (release, ("amoswap.d", "amoswap.d.rl", "sd"), ("lw", "lwu"))]:
        assert any(adjacent(code, (FENCE, FENCE_RW, *stores, *loads), f"{store} {fence} {load}")
                   for store in stores for fence in (FENCE, FENCE_RW) for load in loads)


def test_no_misaligned_accesses(design):
    """Where the compiler would make them. (clang below 16 does not, and has no option.)"""
    with open(os.path.join(machine.kernel_folder(), "flags"), encoding="utf-8") as f:
        flags = f.read().split()
    if "gcc" not in flags[0] and "-mstrict-align" not in flags:
        pytest.skip("this compiler makes no misaligned accesses")
    assert "-mstrict-align" in flags
