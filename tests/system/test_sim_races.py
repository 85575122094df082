"""The machine finds races, in a kernel (tests/sim/races.c) that has them on purpose, and none where
locks, fences or interrupts order what its two harts do."""
import os
import re
import sys

import machine
import pytest

HERE = os.path.join(machine.ROOT, "tests", "sim")
sys.path.insert(0, HERE)
import emulators  # noqa: E402

SOURCE = os.path.join(HERE, "races.c")
pytestmark = pytest.mark.skipif(not os.path.exists(emulators.SIM), reason="there is no ./sim yet")

ORDERED = ("amoswap", "atomic", "reserved", "ticket", "turns", "published", "started", "references",
           "neighbours", "interrupt")
RACY = ("nothing", "relaxed", "no_release", "no_acquire", "plain", "late")
OPTIMIZED = ("-O0", "-O1", "-O2")
RACE = re.compile(r"race: hart (\d) (stores to|loads from) 0x[0-9a-f]+ at races\.c:(\d+) "
                  r"\(([\w.]+)\), which hart (\d) has (stored to|loaded from) at "
                  r"races\.c:(\d+) \(([\w.]+)\), \d+ instructions ago; nothing orders the two\.")


@pytest.fixture(name="build", scope="module")
def builder(tmp_path_factory):
    """The kernel with a case."""
    folder = tmp_path_factory.mktemp("races")
    built = {}

    def build(case, optimized="-O1"):
        if optimized not in built:
            path = str(folder / optimized)
            emulators.assemble(["-g", optimized, "-ffreestanding", "-mcmodel=medany", SOURCE], path)
            with open(path, "rb") as f:
                built[optimized] = f.read()
        path = folder / f"{case}{optimized}.elf"
        place = b"case: ................"
        assert built[optimized].count(place) == 1
        path.write_bytes(built[optimized].replace(
            place, b"case: " + case.encode().ljust(len(place) - len("case: "), b".")))
        return str(path)
    return build


@pytest.fixture(name="run", scope="module")
def runner():
    """Runs the machine, which is built before: status, the findings, and all that it said."""
    assert emulators.run([emulators.SIM, "--help"], 600)[0] == 0
    program = machine.build_path("machine", "sim")

    def run(path, *options):
        code, out, said = emulators.run([program, "--kernel", path, "--harts", "2", "--limit",
                                         "20000000", *options], 60)
        return code, re.findall(r"^sim: finding: (.*)$", said, re.M), out + said
    return run


def line(comment):
    with open(SOURCE, encoding="utf-8") as source:
        return [n for n, text in enumerate(source, 1) if f"/* {comment} */" in text]


@pytest.mark.parametrize("case", ORDERED)
def test_ordered(case, build, run):
    for optimized in OPTIMIZED:
        code, _, said = run(build(case, optimized), "--races", "--seeds", "1-4")
        assert code == 0 and "sim: 4 seeds, 0 failed" in said, (optimized, said)


@pytest.mark.parametrize("case", RACY)
def test_race(case, build, run):
    for optimized in OPTIMIZED:
        code, findings, said = run(build(case, optimized), "--races")
        assert code == 1 and RACE.fullmatch(findings[0]), (optimized, said)
    code, findings, said = run(build(case, optimized))
    assert (code, findings) == (0, []), said


def test_both_places_are_named(build, run):
    _, findings, said = run(build("plain"), "--races")
    race = [RACE.fullmatch(f) for f in findings]
    race = [m for m in race if m and m[4] == "reader"]
    assert len(race) == 1, said
    first, second = line("first: plain"), line("second: plain")
    assert race[0].groups() == ("1", "loads from", str(second[0]), "reader",
                                "0", "stored to", str(first[0]), "writer"), said


@pytest.mark.parametrize("name, others", (("writer", 0), ("data", 0), ("races.c", 0),
                                          ("lock", 1)))
def test_what_a_profile_calls_racy(name, others, build, run, tmp_path):
    profile = tmp_path / "profile"
    profile.write_text(f"racy {name}  # on purpose\n")
    path = build("late")
    code, findings, said = run(path, "--races", "--profile", str(profile))
    assert (code, len(findings)) == (others, others), said


@pytest.mark.parametrize("text, what", (
    ("racy nobody", ", line 1: the kernel has nothing of this name"),
    ("racy sim.c", ": the kernel has no line of a file 'sim.c'"),
    ("\nracy", ", line 2: `racy` goes on with one name"),
    ("racy reader writer", ", line 1: `racy` goes on with one name")))
def test_wrong_profiles(text, what, build, run, tmp_path):
    profile = tmp_path / "profile"
    profile.write_text(text + "\n")
    code, _, said = run(build("late"), "--races", "--profile", str(profile))
    assert code == 2 and f"{profile}{what}" in said, said


# ---- Trellis ---------------------------------------------------------------------------------
def run_trellis(*options):
    words = ["--append", "panic=exit quiet trace=poweroff -- usertests pipe"]
    return emulators.run([machine.build_path("machine", "sim"), "--kernel",
                          os.path.join(machine.kernel_folder(), "kernel.elf"), "--disk",
                          machine.default_image(), "--harts", "3", "--races", *words, *options],
                         120)


def test_trellis_has_none(run):
    code, out, said = run_trellis()
    assert code == 0 and "ALL TESTS PASSED" in out and "sim: finding" not in said, said


def test_trellis_has_what_its_profile_says(run, tmp_path):
    """Without the list of what is racy on purpose: so the kernel is looked at."""
    profile = tmp_path / "profile"
    profile.write_text("racy enter\n")
    code, out, said = run_trellis("--profile", str(profile), "--until-finding")
    assert code == 1 and "sim: finding: race: hart" in said, out + said


# ---- schedules -------------------------------------------------------------------------------
FAILED = 7  # as in schedules.c
AGAIN = re.compile(r"^(--seed \d+(?: --preempt \d+:\d+)?): status (\d+), 0 findings;", re.M)


@pytest.fixture(name="guest", scope="module")
def schedules(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("schedules") / "guest.elf")
    emulators.assemble(["-g", "-O1", "-ffreestanding", "-mcmodel=medany",
                        os.path.join(HERE, "schedules.c")], path)
    return path


def test_a_rare_interleaving(guest, run):
    """Turns do not find it in so many seeds, changes of priority do, and the seed repeats it."""
    code, _, said = run(guest, "--seeds", "1-200")
    assert code == 0 and "sim: 200 seeds, 0 failed" in said, said
    code, _, said = run(guest, "--seeds", "1-200", "--preempt", "1")
    found = AGAIN.findall(said)
    assert code == 1 and len(found) >= 3 and {status for _, status in found} == {str(FAILED)}, said
    assert f"sim: 200 seeds, {len(found)} failed" in said
    assert f"again: ./sim {found[0][0]} --kernel {guest} --harts 2 --limit 20000000\n" in said
    assert run(guest, *found[0][0].split())[0] == FAILED
    assert run(guest, *found[0][0].split()) == run(guest, *found[0][0].split())


def test_the_command_is_for_a_shell(guest, run):
    said = run(guest, "--seeds", "1-1", "--append", "it's a b", "--limit", "1")[2]
    assert said.endswith("--limit 20000000 --append 'it'\\''s a b' --limit 1\n"), said


def test_a_race_in_one_of_many(build, run):
    """A line for each seed that had findings, with the first."""
    code, _, said = run(build("plain"), "--races", "--seeds", "5-6")
    assert code == 1 and "sim: 2 seeds, 2 failed" in said, said
    assert len(re.findall(r"^--seed [56]: status 1, \d findings; race: hart 1 ", said, re.M)) == 2


@pytest.mark.parametrize("options, text", (
    (("--seeds", "3"), "is a range of seeds"),
    (("--seeds", "3-2"), "is a range of seeds"),
    (("--seeds", "1-2", "--keep-disks"), "does not go with"),
    (("--preempt", "0"), "is a number of changes"),
    (("--preempt", "2:0"), "is a number of changes"),
    (("--preempt", "2:x"), "is a number of changes")))
def test_wrong_options(options, text, guest, run):
    code, _, said = run(guest, *options)
    assert code == 2 and text in said, said
