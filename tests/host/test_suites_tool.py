"""tools/suites.py: how results are read, compared and kept, without a guest."""
import suite
import suiteparts
import suites

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


def test_what_is_known_to_fail(tmp_path, monkeypatch):
    """What fails and is not known, and what is known and passes, are told; reasons stay."""
    monkeypatch.setattr(suites, "RECORDED", str(tmp_path / "suites.csv"))
    monkeypatch.setattr(suites.bench, "fill_document", lambda tables, name: None)
    lua = suiteparts.SUITES["lua"]
    was = {("lua", "pm"): (1, 0, {"x": "sometimes: why", "y": "why"})}
    found = {("lua", "pm"): suite.Result(3, 1, ["y", "z"])}
    suites.record(found, was)
    assert suites.recorded() == {("lua", "pm"): (3, 1, {"y": "why", "z": ""})}
    results = {"pm": suite.Result(3, 1, ["z"])}
    assert list(suites.differences(lua, results, was)) == [
        "lua:pm: z: fails, and did not", "lua:pm: y: failed, and passes"]
    results = {"pm": suite.Result(3, 1, ["x", "y"])}
    assert not list(suites.differences(lua, results, was))
