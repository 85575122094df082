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
    assert sorted(int(number) for number, _ in rows) == list(range(1, 75))
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


# ---- what was tried already ----
def case(name="01-x", text=HEADER + DIFF):
    return defects.Patch(f"{name}.patch", text).cases(None)[0]


def test_what_was_caught_is_kept(tmp_path):
    path, other = str(tmp_path / "new" / "defects.csv"), case("02-y")
    kept = defects.Kept(path)
    assert not kept.is_caught(case())
    kept.add(case(), "caught")
    kept.add(other, "MISSED")
    kept = defects.Kept(path)
    assert kept.is_caught(case()) and not kept.is_caught(other)
    assert not kept.is_caught(case(text=HEADER + DIFF + "+another line\n"))


def test_the_last_verdict_counts(tmp_path):
    kept = defects.Kept(str(tmp_path / "defects.csv"))
    kept.add(case(), "caught")
    kept.add(case(), "ERROR")
    assert not defects.Kept(kept.path).is_caught(case())


class FakeTree:
    """Passes without the patch, and fails with it."""
    def __init__(self, root):
        self.damaged = False

    def build(self, case):
        pass

    def apply(self, patch):
        self.damaged = True

    def restore(self):
        self.damaged = False

    def run(self, case, deadline):
        return defects.Outcome(not self.damaged, 0.1, "why")


def test_resumed_runs_leave_out_what_was_caught(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(defects, "Tree", FakeTree)
    monkeypatch.setattr(defects.machine, "build_path", lambda name: str(tmp_path / name))
    patches = [case("01-x").patch, case("02-y").patch]
    assert defects.run(patches[:1], None, False) == 0
    assert "1 caught, 0 not" in capsys.readouterr().out
    assert defects.run(patches, None, True) == 0
    said = capsys.readouterr().out
    assert "1 caught, 0 not" in said and "02-y" in said and "01-x" not in said
    assert defects.run(patches, None, False) == 0
    assert "2 caught, 0 not" in capsys.readouterr().out
