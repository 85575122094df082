"""docs/mmap.md: its commands are run in order, in a folder where their log does no harm, and what
it says about the two pages at each moment holds in this log."""
import re

import guest
from printouts import MMAP, agree, entries, follow, read

PAGE = re.compile(r"^0x\w+-0x\w+ frame 0x(\w+) (\S+) 4 KiB(, kept: may not be touched)?$", re.M)


class Process:
    """What the log says of one of the two at one moment."""

    def __init__(self, words, text):
        self.reads = words
        # Of the private page, and of the shared one above it.
        self.private, self.shared = PAGE.findall(text)
        self.walked = re.search(r"^level 0: .*: 0x(\w+) (\S+) frame 0x(\w+)\n(.*)", text, re.M)
        self.leaves = dict(re.findall(r"^\.\. \.\. \.\.(51[01]): pte 0x(\w+) .* va 0x0000003fbf",
                                      text, re.M))
        self.maps = dict(re.findall(r"^0x0000003fbffff?(e?)000-\S+ ([r-][w-]-)", text, re.M))
        self.present, self.promised, self.tables = map(int, re.search(
            r"^break .* (\d+) present, (\d+) promised, (\d+) of page tables$", text, re.M).groups())


def moments(log):
    """One dict for each of the six: "parent", and from the third on "child"."""
    found = []
    for part in re.split(r"^== \d\. .*\n", log, flags=re.M)[2:]:
        parts = re.split(r'^-- the (\w+), process \d+, which reads "(.*)" and "(.*)"\n', part,
                         flags=re.M)[1:]
        found.append({who: Process((shared, private), text)
                      for who, shared, private, text in zip(*[iter(parts)] * 4)})
    assert [sorted(m) for m in found] == [["parent"]] + [["child", "parent"]] * 4
    return found


def check_log(log):
    at = moments(log)
    parents, children = [m["parent"] for m in at], [m["child"] for m in at[1:]]
    (own, *_), (shared, *_) = parents[0].private, parents[0].shared
    copy, *_ = children[1].private
    assert len({own, shared, copy}) == 3
    assert {p.shared for p in parents + children} == {(shared, "VRW-U-AD", "")}
    assert [p.private[0] for p in parents] == [own] * 5
    assert [c.private[0] for c in children] == [own, copy, copy, copy]
    assert [p.private[1] for p in parents] == [
        "VRW-U-AD", "VR--U-AD", "VR--U-AD", "V-------", "VR--U-A-"]
    assert [c.private[1] for c in children] == ["VR--U-AD"] + ["VRW-U-AD"] * 3
    assert [bool(p.private[2]) for p in parents] == [False, False, False, True, False]
    assert [p.reads for p in parents] == [("parent", "parent"), ("parent", "parent"),
                                          ("child", "parent"), ("child", "?"), ("child", "parent")]
    assert [c.reads for c in children] == [("parent", "parent")] + [("child", "child")] * 3
    check_walks(parents[3], own)
    assert [p.maps["e"] for p in parents] == ["rw-", "rw-", "rw-", "---", "rw-"]
    before, = re.findall(r"^== 1[^=]*? (\d+) promised, (\d+) of page tables", log, re.M)
    assert {(p.promised, p.tables) for p in parents + children} == \
        {(int(before[0]) + 3, int(before[1]) + 2)}


def check_walks(closed, own):
    """vmwalk and vmprint say of the page that is closed that its entry is V alone."""
    entry = int(own, 16) >> 2 | 1
    assert int(closed.walked[1], 16) == entry == int(closed.leaves["510"], 16)
    assert closed.walked.group(2, 3, 4) == ("V-------", own, "kept: may not be touched")


def test_tour(tmp_path):
    steps = entries(read(MMAP))
    printed = follow(tmp_path, [command for command, _ in steps])
    shown = [(command, lines) for command, lines in steps if lines]
    assert len(printed) >= 4 and len(shown) == 3
    for command, lines in shown:
        assert agree(lines, printed[command]), f"{command}\n{printed[command]}"
    log = (tmp_path / "maps.log").read_text(encoding="utf-8")
    check_log(log)
    assert len(re.findall(r" va \S+ kept: may not be touched$", log, re.M)) == 1


def test_mapview_itself():
    """A wrong argument; a reader who stops early: all three processes have ended when it has."""
    done = guest.run("-c", "mapview -x; echo $?; mapview | (head -n 40 > out; wc -l < out); ps")
    lines = done.stdout.splitlines()
    assert lines[:3] == ["usage: mapview", "2", "40"], done.stdout
    assert "PID" in lines[3] and "mapview" not in "".join(lines[4:]), done.stdout
