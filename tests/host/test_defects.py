"""tests/defects: each patch still fits the tree, names tests that exist, and is in
docs/pitfalls.md. What it does to its tests tools/defects.py finds out."""
import os
import re

import defects
import machine
import pytest
from guesttests import guest_tests

PATCHES = defects.read_patches()
HOST = os.path.join(machine.ROOT, "tests", "host")


def read(*parts):
    with open(os.path.join(machine.ROOT, *parts), encoding="utf-8") as f:
        return f.read()


@pytest.mark.parametrize("patch", PATCHES, ids=lambda p: p.name)
def test_applies(patch):
    old = {change.file: read(change.file) for change in patch.changes}
    assert all(patch.apply(old.get)[name] != old[name] for name in old)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda p: p.name)
def test_names_tests_that_exist(patch):
    for case in patch.cases(None):
        kind, name = case.test.split(None, 1)
        if kind == "usertests":
            assert set(name.split()) <= guest_tests()
        elif kind in ("signaltests", "threadtests"):
            assert set(name.split()) <= guest_tests(kind)
        elif kind == "host":
            program, _, test = name.partition(":")
            text = "".join(read("tests", "host", f) for f in os.listdir(HOST)
                           if f == program + ".c" or f.startswith("aspacetest"))
            assert re.search(rf"\b{test or 'main'}\b", text)
        else:
            assert kind == "system"
            file, test = name.split("::")
            text = read("tests", "system", file)
            assert re.search(rf"^def {test.partition('[')[0]}\(", text, re.M)


def test_the_table_is_complete():
    """docs/pitfalls.md has a row for each number, with its patches and no others."""
    rows = re.findall(r"^\| (\d+) \|.*\| ([^|]*) \|$", read("docs", "pitfalls.md"), re.M)
    assert [int(number) for number, _ in rows] == list(range(1, 61))
    for number, cell in rows:
        named = sorted(re.findall(r"`([\w-]+)`", cell))
        assert named == sorted(p.name for p in PATCHES if p.pitfall == number)


TEXT = "".join(f"line {i % 5}\n" for i in range(20))


@pytest.mark.parametrize("header,new", [
    ("@@ -7,3 +7,3 @@", 7), ("@@ -9,3 +9,3 @@", 7), ("@@ -11,3 +11,3 @@", 12), ("@@ -1 +1 @@", 2)])
def test_a_hunk_goes_where_it_fits_best(header, new):
    diff = f"--- a/f\n+++ b/f\n{header}\n line 1\n-line 2\n+new\n line 3\n"
    change, = defects.read_changes(diff)
    lines = defects.changed(TEXT, change, "p").splitlines()
    assert lines.index("new") == new and lines.count("new") == 1 and len(lines) == 20


def test_a_hunk_that_fits_nowhere():
    change, = defects.read_changes("--- a/f\n+++ b/f\n@@ -1 +1 @@\n-line 9\n+x\n")
    with pytest.raises(defects.Unusable, match="not there"):
        defects.changed(TEXT, change, "p")


HEADER = "# defect: d\n# pitfall: 1\n# test: usertests all\n"
DIFF = "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-line 0\n+x\n"


@pytest.mark.parametrize("text,complaint", [
    (HEADER, "changes no file"), (DIFF, "does not say"), (HEADER + "# weather: fine\n" + DIFF,
                                                          "cannot understand"),
    (HEADER + "# designs: none\n" + DIFF, "no such design")])
def test_bad_patches_are_refused(text, complaint):
    with pytest.raises(defects.Unusable, match=complaint):
        defects.Patch("NN-x.patch", text)
