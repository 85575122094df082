"""tools/suites.py: how results are read, compared and kept, without a guest."""
import pytest
import suite
import suiteguest
import suiteparts
import suiterecord

SAID = ["test_a (test.X.test_a) ... ok", "test_b (test.X.test_b) ... FAIL",
        "test_c (test.X.test_c) ... skipped 'no'", "FAIL: test_b (test.X.test_b)",
        "ERROR: test_d (test.X.test_d)", "ERROR: test_d (test.X.test_d)", "== status 2"]


def test_lines_are_counted():
    python = suiteparts.SUITES["python"]
    assert python.read("os", SAID) == (1, 1, ["test_b", "test_d (2 times)"])
    late = python.read("os", [*SAID[:1], "== status 137"])
    assert late == (1, 0, ["(took too long)"])
    assert suite.whole(["== status 0"]) == (1, 0, [])
    assert suite.whole(["no end"]) == (0, 0, ["(status -1)"])


def test_a_package_is_what_it_prints():
    packages = suiteparts.SUITES["packages"]
    assert packages.read("erlang", ["5050", "", "== status 0"]) == (1, 0, [])
    assert packages.read("erlang", ["5051", "", "== status 0"])[0] == 0
    assert packages.read("erlang", ["5050", "", "== status 137"])[0] == 0


def test_what_is_known_to_fail():
    """What fails and is not known, and what is known and passes, are told."""
    known = {("lua", "pm"): (1, 0, {"x": "sometimes: why", "y": "why"})}
    assert list(suiterecord.differences({("lua", "pm"): suite.Result(3, 1, ["z"])}, known)) == [
        "lua:pm: z: fails, and did not", "lua:pm: y: failed, and passes"]
    assert not list(suiterecord.differences({("lua", "pm"): suite.Result(3, 1, ["x", "y"])}, known))


def test_the_record(tmp_path, monkeypatch):
    """Reasons stay, and what fails in some runs only says so; by design, what did not run stays,
    and the table has the parts that ran under each."""
    monkeypatch.setattr(suiterecord, "RECORDED", str(tmp_path / "suites.csv"))
    monkeypatch.setattr(suiterecord, "DESIGNS", str(tmp_path / "suites-designs.csv"))
    filled = []
    monkeypatch.setattr(suiterecord.bench, "fill_document",
                        lambda tables, name: filled.append(tables["designs"]))
    pm, gc = ("lua", "pm"), ("lua", "gc")
    suiterecord.record({("walk", 1): {pm: suite.Result(3, 1, ["y", "z"]),
                                      gc: suite.Result(1, 0, [])},
                        ("walk", 3): {pm: suite.Result(4, 1, ["z"])}},
                       {pm: (1, 0, {"x": "sometimes: why", "z": "why", "w": "why"})})
    assert suiterecord.recorded() == {
        gc: (1, 0, {}), pm: (3, 1, {"x": "sometimes: why", "y": "sometimes: walk 1", "z": "why"})}
    suiterecord.record({("mirror", 3): {pm: suite.Result(4, 1, ["z"])}}, suiterecord.recorded())
    assert suiterecord.recorded_by_design() == {
        gc: {("walk", 1): (1, 0)},
        pm: {("walk", 1): (3, 2), ("walk", 3): (4, 1), ("mirror", 3): (4, 1)}}
    assert filled[-1][1] == []
    everywhere = suiterecord.configurations()
    suiterecord.record({where: {gc: suite.Result(1, 0, [])} for where in everywhere}, {})
    assert filled[-1][1] == [["Lua 5.1's own", "1 of 20", *["1/0"] * len(everywhere)]]


def test_a_part_that_ends_the_machine(monkeypatch):
    """It has failed; those behind it, of whatever suite, have another boot."""
    begun = []

    def boot(work, design, harts, log, found):
        parts = [(one.name, name) for one, names in work for name in names]
        begun.append(parts)
        for part in parts:
            if part == ("lua", "gc"):
                return "the end"
            found[part] = suite.Result(1, 0, [])
        return ""

    monkeypatch.setattr(suiteguest, "boot", boot)
    lua, vi = suiteparts.SUITES["lua"], suiteparts.SUITES["vi"]
    found = suiteguest.run([(lua, ["api", "gc", "pm"]), (vi, ["vim"])], "walk", 1, None)
    assert [len(parts) for parts in begun] == [4, 2]
    assert found.pop(("lua", "gc")) == (0, 0, ["the end"])
    assert found == dict.fromkeys([("lua", "api"), ("lua", "pm"), ("vi", "vim")],
                                  suite.Result(1, 0, []))


def test_a_guest_that_says_nothing():
    """It does not keep the tool for ever; one that ends is no error."""
    assert list(suiteguest.lines_of(["echo", "said"], 60, None)) == ["said"]
    with pytest.raises(suiteguest.machine.Unusable, match="not done after 0.2"):
        list(suiteguest.lines_of(["tail", "-f", "/dev/null"], 0.2, None))


def test_packages_share_a_boot(monkeypatch):
    """A few of them; one that cannot be had is a failure, and spoils no other."""
    begun = []

    def get(names):
        if "bc" in names:
            raise suiteguest.machine.Unusable("there is none")
        begun.append(names)
        raise KeyboardInterrupt

    suite_ = suiteparts.SUITES["packages"]
    names = ["awk", "bc", "dash", "file", "git"]
    assert [len(work[0][1]) for work in suiteguest.boots([(suite_, names)])] == [4, 1]
    monkeypatch.setattr(suiteguest.linuxroot, "busybox", lambda: "")
    monkeypatch.setattr(suiteguest.packages, "get", get)
    with pytest.raises(KeyboardInterrupt):
        suiteguest.run([(suite_, ["bc", "file", "dash"])], "walk", 1, None)
    assert begun == [["dash", "file"]]
