"""What the documentation points to exists, and both languages say it of the same things."""
import os
import re
import subprocess

import machine
import pytest
from docpages import (CHINESE, ENGLISH, GDB, LAB, LAB_CHINESE, LINK, broken_links, lab_rows,
                      missing_references, pages, read, references, shape, unknown_in_commands)
from guesttests import guest_tests
from rules import LAYERS


BOTH_LANGUAGES = [ENGLISH, CHINESE, LAB, LAB_CHINESE]
COMMANDS = [*BOTH_LANGUAGES, GDB]


@pytest.mark.parametrize("path", BOTH_LANGUAGES)
def test_references_exist(path):
    assert len(references(read(path))) > 50
    assert missing_references(read(path)) == []


@pytest.mark.parametrize("text, says", [
    ("`mm/pt.c:pt_walks`", "pt_walks is not defined"), ("`mm/ptx.c:pt_walk`", "no such file"),
    ("`mm/pt.c:pt_memory`", "not defined"), ("`mm/aspace.h:aspace_create`", "not defined"),
    ("`mm/pt.c:pt_walk()`", "pt_walk()"), ("`mm/pt.py:pt_walk`", "pt.py")])
def test_a_wrong_reference_is_found(text, says):
    found = missing_references("see `mm/pt.c:pt_walk` and " + text)
    assert len(found) == 1 and says in found[0]


@pytest.mark.parametrize("one, other", [
    (ENGLISH, CHINESE), (LAB, LAB_CHINESE), ("docs/doctor.md", "docs/doctor.zh-CN.md"),
    ("README.md", "README.zh-CN.md")])
def test_both_languages_say_the_same(one, other):
    assert shape(read(one)) == shape(read(other))
    assert f"({os.path.basename(other)})" in "\n".join(read(one).split("\n")[:5])
    assert f"({os.path.basename(one)})" in "\n".join(read(other).split("\n")[:5])


@pytest.mark.parametrize("change", [
    ("## 7. ", "7. "), ("`mm/pt.c:pt_split`", "`pt_split`"), ("'vmprint -u 1'", "'vmprint -u 3'"),
    ("| c7 |", "c7 |"), ("0x8000300000087e19", "0x8000300000087e18"),
    (" \\\n        -ex delete", "")])
def test_a_difference_is_found(change):
    text = read(ENGLISH)
    assert text.count(change[0]) == 1
    assert shape(text.replace(*change)) != shape(text)


@pytest.mark.parametrize("path", COMMANDS)
def test_what_commands_name_exists(path):
    assert unknown_in_commands(read(path)) == []


@pytest.mark.parametrize("command, unknown", [
    ("./run -c 'usertests no_such'", "no_such"), ("./test host/test_none", "host/test_none"),
    ("./run --design mirrored", "mirrored"), ("gdb-multiarch -x build/x/gdbinit", "x")])
def test_an_unknown_name_in_a_command_is_found(command, unknown):
    assert unknown_in_commands("    " + command) == [unknown]


@pytest.mark.parametrize("path", pages())
def test_links_lead_somewhere(path):
    assert broken_links(path, read(path)) == []


def test_a_broken_link_is_found():
    text = "[a](tlb.md) [b](../README.md#x) [c](#y) [d](https://x.org/) [e](tlb2.md) [f](a/tlb.md)"
    assert broken_links("docs/tlb.md", text) == ["tlb2.md", "a/tlb.md"]


def test_named_tests_exist():
    """docs/xv6.md: the last column."""
    cells = re.findall(r"^\|.* \|([^|]*)\|$", read("docs/xv6.md"), re.M)
    named = re.findall(r"`(\w+)`", " ".join(cells))
    outside = {n for n in named if n.startswith("test_")}  # of tests/system
    folder = os.path.join(machine.ROOT, "tests", "system")
    defined = "".join(read(f"tests/system/{f}") for f in os.listdir(folder) if f.endswith(".py"))
    assert all(f"def {n}(" in defined for n in outside), outside
    assert len(cells) >= 12 and len(named) >= 10 and set(named) - outside <= guest_tests(), \
        set(named) - outside - guest_tests()


def test_lines_of_failed_tests():
    """`test NAME: FAILED: EXPRESSION is ... (FILE:LINE)`, as the documentation shows it."""
    shown = [m for p in pages()
             for m in re.findall(r"FAILED: (.*?\)) is .*\((\w+\.c):(\d+)\)", read(p))]
    assert shown
    for expression, name, line in shown:
        assert expression in read("user/tests/" + name).splitlines()[int(line) - 1], (name, line)


def test_make_help_has_every_target():
    said = subprocess.run(["make", "-s", "help"], check=True, capture_output=True, cwd=machine.ROOT,
                          encoding="utf-8").stdout
    targets = re.search(r"^\.PHONY: (.*)$", read("Makefile"), re.M)[1].split()
    assert [t for t in targets[1:-1] if t != "help" and f"make {t}" not in said] == []


# The names of the course's notes and of the page-table labs that a reader may look for.
COURSE = """walk mappages kvmmap proc_kvmmap uvmmmap kvminit kvminithart proc_inithart proc_kpt_init
    pkvminit uvmcreate uvminit uvmalloc uvmdealloc uvmcopy uvmunmap uvmfree uvmclear freewalk
    proc_kptfreewalk pkvmfree u2kvmcopy copyin_new copyinstr_new kvmpa walkaddr KSTACK procinit
    allocproc freeproc proc_pagetable scheduler sched forkret userinit growproc loadseg exec ustack
    kalloc kfree kinit freerange MAKE_SATP PTE2PA PA2PTE PX PTE_FLAGS usertrap usertrapret uservec
    userret kernelvec kerneltrap start defs.h riscv.h memlayout.h kernel.asm kernel.sym cat.asm
    remap vmprint TRAMPOLINE TRAPFRAME satp sfence.vma copyin copyout copyinstr sbrk swtch
    usertests""".split() + ["freewalk: leaf", "uvmunmap: not mapped", "virtio_disk_intr status"]


@pytest.mark.parametrize("path", [LAB, LAB_CHINESE])
def test_every_name_of_the_course_has_a_row(path):
    rows = lab_rows(read(path))
    assert len(rows) > 70
    assert [n for n in COURSE if not any(n in names for names, _, _ in rows)] == []
    for names, here, command in rows:
        assert references(here) or LINK.search(here) or "build/" in here, names
        assert command, names


def test_the_whole_on_one_page():
    """docs/architecture.md: its layers are the kernel's, in order, and what it names is there."""
    text = read("docs/architecture.md")
    rows = re.findall(r"^\| `kernel/(\w+)` \| .* \| (.*) \|$", text, re.M)
    assert [layer for layer, _ in rows] == list(LAYERS)
    named = [f"{layer}/{name}" for layer, names in rows for name in re.findall(r"`(.*?)`", names)]
    named += re.findall(r"\b(?:mm|proc)/\w+\.h", text)
    assert len(named) >= 20 and len(text.splitlines()) <= 80
    assert [n for n in named if not os.path.exists(os.path.join(machine.ROOT, "kernel", n))] == []


@pytest.mark.parametrize("path", ["docs/mmap.md", "docs/designs.md"])
def test_references_of_other_pages_exist(path):
    assert len(references(read(path))) >= 8 and missing_references(read(path)) == []


def test_both_languages_have_the_same_rows():
    for one, other in zip(lab_rows(read(LAB)), lab_rows(read(LAB_CHINESE)), strict=True):
        assert (one[0], references(one[1]), one[2]) == (other[0], references(other[1]), other[2])
