"""What the machine reports of known defects: docs/sim-defects.csv and the page made from it have
the patches that there are, and how a run is judged. The runs: tools/defects.py --sim."""
import defects
import pytest
import simdefects
from docpages import read

PATCHES = defects.read_patches()
ROWS = simdefects.read_rows()


def test_each_patch_is_there():
    assert sorted(ROWS) == sorted(p.name for p in simdefects.concerned(PATCHES))


def test_the_page_is_made_of_it():
    assert read("docs/sim-defects.md") == simdefects.page(ROWS, PATCHES)


def test_who_says_nothing_has_a_reason():
    for name, row in ROWS.items():
        assert row["why"] or row["verdict"] != "silent", name
        assert not row["why"] or row["verdict"] in ("silent", "not run"), name


SAID = """x
sim: kept: 92 pages taken at pagecache.c:240 (page_new) by frame_take, the first after 2 i
sim: kept: 2 pages taken at slab.c:35 (slab_take) by frame_alloc, the first after 3 i
sim: kept: 3 pages taken at slab.c:39 (slab_take) by frame_take, the first after 4 i
"""


def test_pages_that_are_kept():
    kept = simdefects.kept_pages(SAID)
    assert kept == "page_new 92, slab_take 5"
    assert simdefects.more_kept(kept, kept) == ""
    assert simdefects.more_kept(kept, "page_new 92, slab_take 4, pt_make 1") == \
        "pt_make has 0 pages instead of 1, slab_take has 5 pages instead of 4"


@pytest.mark.parametrize("finding, how, kept, word", [
    ("stale code: x", "tests fail: a", "a 1", "reported"),
    (None, "tests fail: a", "a 2", "leaks"),
    (None, "all tests pass", "a 1", "silent"),
    (None, "panic: x", None, "silent"),  # it did not come to its end
    (None, "tests fail: a", "a 2, thread_new 3", "silent"),  # which is still there
])
def test_verdicts(finding, how, kept, word):
    verdict, told = simdefects.verdict(finding, how, kept, "a 1")
    assert verdict == word
    assert told == (finding or ("a has 2 pages instead of 1" if word == "leaks" else how))


@pytest.mark.parametrize("status, output, how", [
    (None, "", "it did not end"), (0, f"a\nsim: {simdefects.LIMIT} instructions, 0 findings\n",
                                   "it did not end in 10 000 000 000 instructions"),
    (134, "x\npanic: kernel/a.c:1: b\n", "panic: kernel/a.c:1: b"),
    (1, "test b: FAILED: 1\ntest a: FAILED: 2\ntest c: OK\n", "tests fail: a b"),
    (0, "ALL TESTS PASSED\n", "all tests pass"), (3, "", "status 3")])
def test_how_a_run_ended(status, output, how):
    assert simdefects.how_it_ended(status, output) == how


class Interrupted:
    """A tree whose first run a signal ends."""
    root = "/nowhere"

    def apply(self, patch):
        pass

    def restore(self):
        pass

    def process(self, command, deadline):
        raise SystemExit(143)


def test_a_run_that_is_cut_off_has_a_row(tmp_path, monkeypatch):
    path = str(tmp_path / "rows.csv")
    monkeypatch.setattr(simdefects, "RECORDED", path)
    patch = simdefects.concerned(PATCHES)[0]
    with pytest.raises(SystemExit):
        simdefects.Runner(Interrupted(), True).run(patch, "share")
    rows = simdefects.read_rows(path)
    assert rows[patch.name]["verdict"] == simdefects.NOT_RUN
    assert rows[patch.name]["told"] == "cut off after 0 seconds"
    assert not simdefects.is_done(rows, patch)


class Unbuildable(Interrupted):
    def process(self, command, deadline):
        return 2, "cc: no"


def test_a_patch_that_does_not_build_has_a_row(tmp_path, monkeypatch):
    monkeypatch.setattr(simdefects, "RECORDED", str(tmp_path / "rows.csv"))
    patch = simdefects.concerned(PATCHES)[0]
    runner = simdefects.Runner(Unbuildable(), True)
    assert not runner.run(patch, "share")
    assert runner.rows[patch.name]["told"] == "it does not build"


@pytest.mark.parametrize("said, finding", [
    ("sim: finding: satp: x\n", "satp: x"), ("test a: FAILED: 1\n", None),
    ("sim: all harts wait, and nothing will wake them\n",
     "all harts wait, and nothing will wake them")])
def test_what_the_machine_says(said, finding):
    tree = Interrupted()
    tree.process = lambda command, deadline: (3, "x\n" + said)
    assert simdefects.run_one(tree, "share", 1, "128M")[0] == finding
