"""Page tables of four and five levels (./run --paging): the kernel, usertests, the programs and
tools that show tables; and harts that do not have as many."""
import re
import subprocess

import guest
import machine
import pytest
from test_gdb import gdb_session, turn  # noqa: F401  pylint: disable=unused-import
from test_vmtools import leaves, outputs, unfolded, views

# One design each; docs/testing.md says how to run the others.
MODES = [("sv48", 4, "mirror"), ("sv57", 5, "share")]
modes = pytest.mark.parametrize("mode, levels, its_design", MODES, ids=[m[0] for m in MODES])


@pytest.mark.wide
@pytest.mark.parametrize("mode, levels, its_design, subjects", [
    (*MODES[0], "args bounds exec fork mmap mapfile protect remap sbrk threads views"),
    pytest.param(*MODES[0], "-q", marks=pytest.mark.hand),
    pytest.param(*MODES[1], "-q", marks=pytest.mark.hand)], ids=["sv48", "sv48-all", "sv57-all"])
def test_usertests(mode, levels, its_design, subjects):
    done = guest.run("--timeout", guest.LONG_DEADLINE, "--paging", mode, "--design", its_design,
                     "-c", f"usertests {subjects}", timeout=guest.LONG_DEADLINE + guest.DEADLINE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("ALL TESTS PASSED\n")


@modes
def test_what_is_shown(mode, levels, its_design, tmp_path):
    """Every program goes down all levels, to addresses that Sv39 does not have, and agrees with
    what the kernel prints. ptview reads it, and finds that nothing is wrong."""
    end = 1 << 9 * levels + 11
    info, kernels, plain, verbose, walk, every, top, beyond, range_, crash = outputs(
        its_design, "sysinfo", "usertests --role vmprint 1", "vmprint 1", "vmprint -v 1",
        "vmwalk 0x813008 1", "vmwalk -a 0x813008 1", f"vmwalk {end - 8192:#x} 1",
        f"vmwalk {end:#x} 1", f"vmwalk 0-{end - 1:#x} 1", "crash wild", options=("--paging", mode))
    bits = 12 + 9 * levels
    assert f"\npaging     Sv{bits}, {levels} levels\n" in info
    assert views(plain)[0][1] == kernels.splitlines()
    for (_, lines), (_, long) in zip(views(plain), views(verbose)):
        assert list(unfolded(long, levels)) == lines
    first, *steps = walk.splitlines()
    assert " = index " + (levels - 2) * "0, " + "4, 19, offset 0x008 (" in first
    assert [step[:8] for step in steps[:-1]] == [f"level {n}:" for n in reversed(range(levels))]
    assert [line for line in every.splitlines() if line.endswith(" <--")] == \
        [step + " <--" for step in steps[:-1]]
    assert len(every.splitlines()) == 2 + 512 * levels
    assert top.splitlines()[0].startswith(f"0x{end - 8192:016x} = index 255, 511, ")
    assert " VRW---AD frame " in top.splitlines()[-2]
    assert beyond.endswith(f"bits 63 to {bits} do not equal bit {bits - 1}, so every access "
                           "faults\n")
    walked = re.findall(r"^0x(\w+)-0x\w+ frame", range_, re.M)
    user, kernel = (leaves(lines) for _, lines in views(verbose))
    assert [int(va, 16) for va in walked] == sorted(user)
    assert 0xffffffc080200000 in kernel, "no kernel half"
    assert f"not an address: bits 63 to {bits} differ from bit {bits - 1} (Sv{bits})\n" in crash
    log = tmp_path / "log"
    log.write_text(verbose)
    done = subprocess.run(["tools/ptview", "--check", log], check=False, cwd=machine.ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8")
    assert done.returncode == 0, done.stdout


def test_gdb_goes_down_all_levels(turn):  # noqa: F811  pylint: disable=redefined-outer-name
    _, said = gdb_session(["--harts", "1", "--paging", "sv48"], [
        "trellis-break 1 thread_return_to_user", "continue", "trellis-pt 1",
        "trellis-walk 0x7fffffffe000 1", "trellis-walk 0x800000000000 1",
        "break trampoline_vector", "continue"])
    assert re.search(r"^\.\. \.\. \.\. \.\.511: .* va 0x00007ffffffff000$", said, re.M), said
    steps = re.findall(r"^level (\d): entry (\d+) at ", said, re.M)
    assert steps == [("3", "255"), ("2", "511"), ("1", "511"), ("0", "510")], said
    assert "0x0000800000000000 is not canonical" in said, said
    assert re.search(r"Breakpoint [2.1]+, (?:0x\w+ in )?trampoline_vector", said), said


def test_an_unknown_name():
    done = guest.run("--append", "paging=sv64", "-c", ":")
    assert done.returncode == 134, done.stdout
    assert "panic: paging=sv64: there are sv39, sv48 and sv57\n" in done.stderr


def test_harts_that_have_not_so_many(turn):  # noqa: F811  pylint: disable=redefined-outer-name
    """QEMU 7.2 has no such hart: the mode is made one that does not exist (11). The first hart
    says so and ends; another one is left out."""
    mode_11 = "set var kernel_satp = (kernel_satp & ~(15ul << 60)) | (11ul << 60)"
    console, said = gdb_session(["--harts", "1", "--paging", "sv57", "--append", "panic=exit"], [
        "break tlb_load_first", "continue",
        "set var $a0 = ($a0 & ~(15ul << 60)) | (11ul << 60)", "delete", "continue"])
    assert "panic: paging=sv57: this hart's page tables do not have 5 levels" in console, \
        console + said
    words = ["--harts", "3", "--paging", "sv48", "--verbose", "-c", "sysinfo"]
    console, said = gdb_session(words, [
        "break start_harts", "continue", mode_11, "delete", "break greet", "continue",
        "set var kernel_satp = (kernel_satp & ~(15ul << 60)) | (9ul << 60)", "delete", "continue"])
    left_out = re.findall(r"hart \d is left out: its page tables do not have as many levels",
                          console)
    assert len(left_out) == 2 and re.search(r"^harts +1$", console, re.M), console + said
