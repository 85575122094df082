"""tools/seeds.py: what is still to come, what is counted as failed, and the table."""
import machine
import pytest
import seeds


@pytest.fixture(name="runs")
def pretended(tmp_path, monkeypatch):
    """Instead of the machine: fails for the seeds of this set, with the design share."""
    failing, ran = set(), []

    def simulate(group, design, harts, line, options):
        first, last = map(int, options[options.index("--seeds") + 1].split("-"))
        ran.append((design, harts, first))
        failed = len(failing & set(range(first, last + 1))) if design == "share" else 0
        return int(failed > 0), f"sim: {last - first + 1} seeds, {failed} failed\n"

    monkeypatch.setattr(seeds, "folder", lambda *parts: str(tmp_path.joinpath(*parts)))
    monkeypatch.setattr(seeds, "simulate", simulate)
    return failing, ran


def test_it_goes_on_where_it_was_stopped(runs, capsys):
    _, ran = runs
    assert seeds.main(["many", "--for", "0"]) == 0
    assert not ran and "still to come" in capsys.readouterr().out
    name, *slice_ = seeds.slices(["many"], [])[0]
    seeds.note(seeds.run(name, *slice_))
    assert seeds.main(["many"]) == 0
    assert len(ran) == len(set(ran)) == len(machine.designs()) * 2 * 2
    out = capsys.readouterr().out
    assert "still to come" not in out
    assert f"| `many` | 8 | {len(machine.designs())} | 20 | 0 |" in out


def test_what_fails_is_told_and_kept(runs, capsys):
    failing, ran = runs
    failing.add(13)
    assert seeds.main(["many"]) == 1
    assert f"| `many` | 3 | {len(machine.designs())} | 20 | 1 |" in capsys.readouterr().out
    ran.clear()
    assert seeds.main(["many"]) == 1
    assert not ran


def test_a_run_that_says_something_else_is_no_result(runs, monkeypatch, capsys):
    monkeypatch.setattr(seeds, "simulate", lambda *_: (2, "sim: cannot read fs.img"))
    with pytest.raises(machine.Unusable):
        seeds.main(["many"])
    assert not seeds.results()


def test_a_seed_that_keeps_more_has_failed(monkeypatch, runs):
    pages = iter([4, 5, 4, 4])

    def simulate(group, design, harts, line, options):
        n = next(pages)
        return 0, ": OK\n" * line.count("threadstress") + \
            f"sim: kept: {n} pages taken at slab.c:35 (slab_take) by frame_alloc, the first\n"
    monkeypatch.setattr(seeds, "simulate", simulate)
    row = seeds.run("leaks", "walk", 1, 1)
    assert row["failed"] == 1 and "4 to 5 pages" in row["said"]
    assert seeds.run("leaks", "walk", 1, 2)["failed"] == 0
