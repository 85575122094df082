"""docs/tour.md, word by word: its commands are run in order, in a folder where their logs do no
harm, and what it says about the page at each moment holds in these logs, in all designs."""
import os
import re
import shutil

import guest
import machine
import pytest
from printouts import TOUR, agree, draws, entries, follow, read

LOGS = {"walk": "walk.log", "mirror": "mirror.log", "share": "fork.log", "unify": "unify.log"}
TABLES = {"walk": 6, "mirror": 12, "share": 9, "unify": 6}
# How an entry is printed: by vmprint -v, and by vmwalk.
PRINTED = re.compile(r"^((?:\.\. ?)+)(\d+): pte 0x(\w+) pa 0x(\w+) (\S+) va 0x(\w+)", re.M)
STEPPED = re.compile(r"^level (\d): entry (\d+) at 0x(\w+): 0x(\w+) (\S+) (?:table at|frame) "
                     r"0x(\w+)", re.M)


def steps():
    """(command, the lines below it) of each line that a reader types."""
    return entries(read(TOUR))


# ---- what is said of the designs ----

def moments(log):
    """One dict for each of the four: "parent" and, but for the first, "child"."""
    found = []
    for part in re.split(r"^== \d\. .*\n", log, flags=re.M)[1:]:
        people = re.split(r"^-- the (\w+), process \d+, which reads \"(\w+)\".*\n", part,
                          flags=re.M)[1:]
        found.append({who: Person(word, text)
                      for who, word, text in zip(*[iter(people)] * 3)})
    assert [sorted(moment) for moment in found] == [["parent"]] + [["child", "parent"]] * 3
    return found


class Person:
    """What the log says of one process at one moment."""

    def __init__(self, word, text):
        entries = [(len(m[1].split()), int(m[2]), int(m[3], 16), int(m[4], 16), m[5], int(m[6], 16))
                   for m in PRINTED.finditer(text)]
        self.reads = word
        self.root = int(re.search(r"^page table 0x(\w+)", text, re.M)[1], 16)
        self.root_entry = next(e[2] for e in entries if e[:2] == (1, 0))
        leaf = [e for e in entries if e[0] == 3 and e[5] == 0xa00000]
        assert len(leaf) == 1
        self.pte, self.frame, self.flags = leaf[0][2:5]
        self.frames = {e[5]: e[3] for e in entries if e[0] == 3}  # by address
        # (table's address, entry, flags, what it points to), from the root on.
        self.kernel = [(int(at, 16) & ~4095, int(value, 16), flags, int(to, 16))
                       for _, _, at, value, flags, to in STEPPED.findall(text)]
        self.not_mapped = "\nnot mapped: the one kernel page table maps nothing of any" in text
        self.shared = int(re.search(r"^0x\S+ rw- +4 +1 +(\d) +- heap$", text, re.M)[1])
        self.tables = int(re.search(r"(\d+) of page tables$", text, re.M)[1])


def check_user(at):
    """The story of the page, which is the same everywhere."""
    parents, children = [m["parent"] for m in at], [m["child"] for m in at[1:]]
    first, copy = parents[0].frame, children[1].frame
    assert copy != first
    assert [p.frame for p in parents] == [first] * 4
    assert [c.frame for c in children] == [first, copy, copy]
    assert [p.flags for p in parents] == ["VRW-U-AD", "VR--U-AD", "VR--U-AD", "VRW-U-AD"]
    assert [c.flags for c in children] == ["VR--U-AD", "VRW-U-AD", "VRW-U-AD"]
    assert parents[3].pte == parents[0].pte
    assert [p.shared for p in parents] == [0, 1, 0, 0]
    assert [c.shared for c in children] == [1, 0, 0]
    there, here = parents[1].frames, children[0].frames
    stack = min(there)  # its highest page: the program is above
    assert sorted(va for va in there if there[va] != here.get(va)) == [stack, 0x3fffffe000]
    assert [p.reads for p in parents] == ["parent", "parent", "parent", "again"]
    assert [c.reads for c in children] == ["parent", "child", "child"]


def check_walk(person):
    assert person.not_mapped and person.kernel == []


def check_mirror(person):
    table, _, flags, frame = person.kernel[2]
    assert (flags, frame) == (person.flags.replace("U", "-"), person.frame)
    assert person.kernel[0][0] != person.root and person.kernel[0][1] != person.root_entry
    assert table != person.frame


def check_share(person):
    assert person.kernel[0][0] != person.root and person.kernel[0][1] == person.root_entry
    assert person.kernel[2][1:] == (person.pte, person.flags, person.frame)


def check_unify(person):
    assert (person.kernel[0][0], person.kernel[0][1]) == (person.root, person.root_entry)
    assert person.kernel[2][1:] == (person.pte, person.flags, person.frame)


def check_log(design, log):
    at = moments(log)
    check_user(at)
    people = [person for moment in at for person in moment.values()]
    assert len(people) == 7
    for person in people:
        {"walk": check_walk, "mirror": check_mirror, "share": check_share,
         "unify": check_unify}[design](person)
        assert person.tables == TABLES[design]
    # The way to the leaf is made once: no step changes an entry above it.
    for who in ("parent", "child"):
        ways = [[e[:2] for e in m[who].kernel[:2]] for m in at if who in m]
        assert all(way == ways[0] for way in ways)


# ---- the tests ----

def test_tour(tmp_path):
    printed = follow(tmp_path, [command for command, _ in steps() if not draws(command)])
    shown = [(command, lines) for command, lines in steps() if lines]
    assert len(printed) >= 9 and len(shown) == 3
    for command, lines in shown:
        assert agree(lines, printed[command]), f"{command}\n{printed[command]}"
    assert "which reads" in (tmp_path / "fork.html").read_text(encoding="utf-8")
    assert sorted(LOGS) == machine.designs()
    for design, name in LOGS.items():
        check_log(design, (tmp_path / name).read_text(encoding="utf-8"))


@pytest.mark.skipif(not shutil.which("chromium"), reason="chromium is not installed")
def test_pictures(tmp_path):
    logs = [c for c, _ in steps() if re.search(r"> (fork|both)\.log", c)]
    drawn = [c for c, _ in steps() if draws(c)]
    printed = follow(tmp_path, logs + drawn)
    pictures = [m[0] for m in re.finditer(r"\S+\.svg", "\n".join(drawn))]
    assert len(pictures) == 4
    for name in pictures:
        assert "0xa00000\u20130xa00fff" in (tmp_path / name).read_text(encoding="utf-8")
    said, = re.findall("`(0xa00000\u2013.*)`", read(TOUR))
    assert f"    {said}" in printed["tools/ptview fork.log --compare 3 5"]
    check = "\n".join(printed["tools/ptview both.log --check"])
    assert len(re.findall(r"^\d+\. kernel view of process", check, re.M)) == 7
    assert not re.search(r"^    ", check, re.M), check


def addresses(path, pattern):
    """The numbers of a file of ours that the pattern catches."""
    with open(os.path.join(machine.ROOT, path), encoding="utf-8") as f:
        return {int(number, 16) for number in re.findall(pattern, f.read())}


@pytest.mark.parametrize("text", ["README.md", "README.zh-CN.md"])
def test_inits_picture_is_of_the_session_beside_it(text):
    frames = addresses("docs/init.svg", r">(?:pa )?(0x8[0-9a-f]{7})<")
    assert len(frames) >= 9 and frames <= addresses(text, r"(?:pa|page table) (0x\w+)")


@pytest.mark.parametrize("picture", ["tour-1.svg", "tour-2.svg", "tour-3.svg", "tour-5.svg"])
def test_the_tours_pictures_are_of_its_log(picture):
    """The page has the frame that it has in the lines shown."""
    frame = addresses("docs/" + picture, r">0xa00000\u2013(?:(?! pa |>pa ).)*>pa (0x\w+)")
    assert len(frame) == 1 and frame <= addresses("docs/tour.md", r"pa (0x\w+) V\S* va")


def test_the_table_of_the_document():
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]]
            for line in read(TOUR).splitlines() if line.startswith("|")]
    named = dict(zip(rows[0][1:], next(r for r in rows if r[0].startswith("tables"))[1:]))
    assert named == {design: str(n) for design, n in TABLES.items()}


def test_forkview_itself():
    """A wrong argument; readers who stop early: all three processes have ended when it has."""
    early = "forkview | (head -n 1 > out; cat out)"
    late = "forkview | (head -n 60 > out; wc -l < out)"
    done = guest.run("-c", f"forkview -x; echo $?; {early}; {late}; ps")
    lines = done.stdout.splitlines()
    assert lines[:4] == ["usage: forkview [-k]", "2", "== 1. before the fork", "60"], done.stdout
    assert "PID" in lines[4] and "forkview" not in "".join(lines[5:]), done.stdout
