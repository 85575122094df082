"""The machine finds pages that are used after they were freed, freed twice and so on, in a kernel
(tests/sim/frames.c) that does each of these wrongly on purpose, and names the right lines."""
import functools
import os
import re
import sys

import machine
import pytest

sys.path.insert(0, os.path.join(machine.ROOT, "tests", "sim"))
import emulators  # noqa: E402

SOURCE = os.path.join(machine.ROOT, "tests", "sim", "frames.c")
needs_sim = pytest.mark.skipif(not os.path.exists(emulators.SIM), reason="there is no ./sim yet")
pytestmark = needs_sim

GIVEN = "the page was given back at {given: give} by kfree, hart 0, # instructions ago."
# What the first finding says: {comment} stands for the line with it, # for a number.
FOUND = {
    "load": "used after it was freed: hart 0 loads from # at {wrong: look} (look); " + GIVEN,
    "store": "used after it was freed: hart 0 stores to # at {wrong: store} (case_store); " + GIVEN,
    "amo": "used after it was freed: hart 0 stores to # at {wrong: amo} (case_amo); " + GIVEN,
    "fetch": "used after it was freed: hart 0 executes what is at #; " + GIVEN,
    "other": "used after it was freed: hart 1 loads from # at {wrong: look} (look); " + GIVEN,
    "disk": "used after it was freed: a device writes to #; " + GIVEN,
    "walk": "used after it was freed: hart 0 is led by an entry in a page table at # (for #) at "
            "{wrong: look} (look); " + GIVEN,
    "twice": "freed twice: hart 0 gives back the page # at {wrong: twice} (case_twice) by kfree, "
             "which has been free since it was given back at {given: give} by kfree, hart 0, "
             "# instructions ago.",
    "handed": "handed out twice: hart 0 gets the page # at {wrong: handed} (case_handed) by "
              "kalloc, though somebody has it: it was taken at {given: handed} (case_handed) by "
              "kalloc, hart 0, # instructions ago, and not given back since.",
    "root": "table in use: hart 0 gives back the page # at {wrong: root} (case_root) by kfree, "
            "which is a page table in use: hart 0's satp points to it.",
    "linked": "table in use: hart 0 gives back the page # at {wrong: linked} (case_linked) by "
              "kfree, which is a page table in use: the tables of hart 0's satp lead to it, by "
              "the entry at #, for the addresses from 0x140000000 on.",
    "kept": "table in use: hart 0 gives back the page # at {wrong: kept} (case_kept) by kfree, "
            "which is a page table in use: hart 0 may have kept an entry that leads to it, which "
            "was at #, for the addresses from 0x140000000 on: no sfence.vma of that hart has "
            "covered it since.",
    "satp": "satp: hart 0 sets it at {wrong: satp} (case_satp) to the page #, which is free; it "
            "was given back at {given: give} by kfree, hart 0, # instructions ago.",
}
MANY = """# the test's own
alloc take_many -> *a0 2^a1 pages if zero
free give_many a0 2^a1 pages   # an order
may touch free scrub
"""


@pytest.fixture(name="build", scope="module")
def builder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    return functools.lru_cache(lambda case: build_in(folder, case))


def build_in(folder, case):
    path = str(folder / (case + ".elf"))
    emulators.assemble(["-g", "-O1", "-ffreestanding", "-mcmodel=medany", "-DCASE=case_" + case,
                        SOURCE], path)
    return path


def run(path, *options):
    """Its status and the lines of findings, and all that it said."""
    code, _, said = emulators.run([emulators.SIM, "--kernel", path, "--disk", SOURCE, "--harts",
                                   "2", "--limit", "20000000", *options], 60)
    return code, re.findall(r"^sim: finding: (.*)$", said, re.M), said


def place(comment):
    with open(SOURCE, encoding="utf-8") as source:
        numbers = [number for number, line in enumerate(source, 1)
                   if f"/* {comment} */" in line]
    assert len(numbers) == 1, comment
    return f"frames.c:{numbers[0]}"


def expected(text):
    text = text.replace("{given: give}", "{given: give} (give)")
    text = re.sub(r"\{([^}]*)\}", lambda m: place(m[1]), text)
    return re.escape(text).replace(r"\#", "(?:0x)?[0-9a-f]+")


@pytest.mark.parametrize("case", FOUND)
def test_found(case, build):
    path = build(case)
    code, findings, said = run(path)
    assert code == 1 and findings, said
    assert re.fullmatch(expected(FOUND[case]), findings[0]), findings[0]
    code, findings, said = run(path, "--no-frames")
    assert not any(f.startswith(FOUND[case].split(":")[0]) for f in findings), said


@pytest.mark.parametrize("seed", range(1, 4))
def test_nothing_wrong(seed, build):
    """With pages of which two have a reference, and two harts in the allocator at a time."""
    assert run(build("good"), "--seed", str(seed))[:2] == (0, [])


def test_leaks(build):
    code, findings, said = run(build("leak"), "--leaks")
    assert (code, findings) == (0, []), said
    kept = re.findall("^sim: kept: (.*), the first after [0-9]+ instructions$", said, re.M)
    assert kept == [f"2 pages taken at {place('given: three')} (case_leak) by kalloc",
                    f"1 pages taken at {place('given: one')} (case_leak) by kalloc"]


def test_own_profile(build, tmp_path):
    """Orders, a page that is returned by a pointer, and who may touch what is free."""
    profile = tmp_path / "profile"
    profile.write_text(MANY)
    path = build("many")
    code, findings, said = run(path, "--profile", str(profile))
    assert code == 1 and len(findings) == 1, said
    assert re.fullmatch(expected(
        "used after it was freed: hart 0 stores to # at {wrong: many} (case_many); the page was "
        "given back at {given: many} (case_many) by give_many, hart 0, # instructions ago."),
        findings[0]), findings[0]
    profile.write_text(MANY.replace("may", "# may"))
    assert len(run(path, "--profile", str(profile))[1]) == 2
    assert run(path)[:2] == (0, [])  # the machine's own knows nothing of these


@pytest.mark.parametrize("text, said", [
    ("alloc kalloc -> a0\nfree nothing a0\n", "line 2: the kernel has no function 'nothing'"),
    ("take kalloc", "line 1: a line begins with `alloc`, `free`, `may touch free`, `racy`, "
                    "`processes` or `process`"),
    ("processes kalloc kfree", "line 1: `processes` goes on with an array, or with *, a pointer to "
                               "it, and a datum that says how many there are"),
    ("processes *kalloc nothing", "line 1: the kernel has nothing of this name"),
    ("process size proc.size", "line 1: `process` goes on with `pid`, `name` or `table`, and a "
                               "field like proc.pid; four tables at most, by one pointer at most"),
    ("process pid pid", "line 1: `process` goes on with `pid`, `name` or `table`, and a field "
                        "like proc.pid; four tables at most, by one pointer at most"),
    ("alloc kalloc a0", "line 1: `alloc` goes on with a function, `->` and where the page is, "
                        "as in `alloc kalloc -> a0`"),
    ("free kfree a8", "line 1: where the page is, is said by a0 to a7 or *a0 to *a7"),
    ("alloc kalloc -> a1", "line 1: a function returns a page in a0"),
    ("free kfree *a0", "line 1: `free` goes on with a function and one of a0 to a7"),
    ("free kfree a0 0 pages", "line 1: before `pages` stands a number, an argument like a1, or "
                              "an order like 2^a1"),
    ("free kfree a0 if zero", "line 1: `if` goes on with `zero` for an alloc, with `written` for "
                              "a free"),
    ("free kfree a0 now", "line 1: there is too much: 'now'"),
    ("may touch kfree", "line 1: `may` goes on with `touch free` and a function"),
    ("may touch free", "line 1: the name of a function is missing"),
    ("free kfree a0\n" * 33, "line 33: a profile has at most 32 functions"),
    ("free " + "k" * 300, "line 1: it is too long"),
    ("# nothing\n\n", "it names no function"),
    ("", "it names no function"),
])
def test_bad_profile(text, said, build, tmp_path):
    profile = tmp_path / "profile"
    profile.write_text(text)
    code, _, out = run(build("good"), "--profile", str(profile))
    separator = ", " if said.startswith("line") else ": "
    assert (code, out) == (2, f"sim: {profile}{separator}{said}\n")


def test_profile_that_is_not_there(build, tmp_path):
    code, _, said = run(build("good"), "--profile", str(tmp_path / "none"))
    assert code == 2 and "none: cannot be read (No such file or directory)" in said
