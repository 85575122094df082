#!/usr/bin/env python3
"""Runs stress programs on ./sim in many orders: under every design, on one, three and eight harts.

    tools/seeds.py                goes on with what is not done yet, and prints what there is
    tools/seeds.py races threads  these groups of runs alone
    --for SECONDS                 begins nothing after that time
    --fresh                       begins anew, with the kernel and the disk as they are now
    --table                       runs nothing
    --help                        this text

A seed is one order of what harts do, and the same in every run. What was built when it began stands
in BUILD/seeds beside the results, so that it may be stopped, and goes on with the same kernel
whatever is built meanwhile. It ends with 0 when all runs that there are passed; a run passes when
the program did and the machine found nothing. For the others the command is printed that does the
first one again.

The groups:
"""
import csv
import os
import re
import shutil
import subprocess
import sys
import time
from collections import namedtuple

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import machine  # noqa: E402

# program: {} is the number of the slice, so that its own choices are others, too.
Group = namedtuple("Group", "about program options harts seeds slice debug")
STRESS = "threadstress {} 60"
GROUPS = {
    "races": Group("threads that change their memory; races are looked for", STRESS, ["--races"],
                   (1, 3, 8), 200, 10, False),
    "preempt": Group("the same, harts going on by random priorities", STRESS,
                     ["--races", "--preempt", "1000"], (3, 8), 40, 10, False),
    "debug": Group("the same with a debug kernel, which checks a space after each operation",
                   STRESS, [], (1, 3, 8), 20, 10, True),
    "many": Group("with 16 threads", "threadstress {} 30 16", ["--races"], (3, 8), 20, 10, False),
    "threads": Group("threadtests", "threadtests", ["--races"], (3,), 20, 2, False),
    "signals": Group("signaltests", "signaltests", ["--races"], (3,), 20, 2, False),
    "leaks": Group("nothing more is kept after three rounds than after one",
                   "threadstress {} 60", ["--leaks"], (1, 3, 8), 5, 1, False),
}
FIELDS = ("group", "design", "harts", "first", "runs", "failed", "seconds", "said")
FAILED = re.compile(r"^sim: (\d+) seeds, (\d+) failed$", re.M)
KEPT = re.compile(r"^sim: kept: (\d+) pages taken at (.*) by ", re.M)


def folder(*parts):
    return machine.build_path("seeds", *parts)


def begin(fresh):
    if fresh:
        shutil.rmtree(folder(), ignore_errors=True)
    if os.path.isdir(folder()):
        return
    machine.build(targets=("all", "sim"))
    machine.build(targets=("kernel",), debug=True)
    os.makedirs(folder() + ".new", exist_ok=True)
    for debug in (False, True):
        shutil.copy(os.path.join(machine.kernel_folder(debug), "kernel.elf"),
                    folder() + f".new/kernel{'-debug' * debug}.elf")
    shutil.copy(machine.default_image(), folder() + ".new/fs.img")
    shutil.copy(machine.build_path("machine", "sim"), folder() + ".new/sim")
    os.rename(folder() + ".new", folder())


def results():
    if not os.path.exists(folder("results.csv")):
        return []
    with open(folder("results.csv"), encoding="utf-8", newline="") as f:
        return [{**row, **{name: int(row[name]) for name in ("harts", "first", "runs", "failed")},
                 "seconds": float(row["seconds"])} for row in csv.DictReader(f)]


def note(row):
    new = not os.path.exists(folder("results.csv"))
    with open(folder("results.csv"), "a", encoding="utf-8", newline="") as f:
        writer = csv.DictWriter(f, FIELDS)
        if new:
            writer.writeheader()
        writer.writerow(row)


def slices(names, done):
    """The rows that are still to come: first a few seeds of everything."""
    known = {(row["group"], row["design"], row["harts"], row["first"]) for row in done}
    todo = []
    for name in names:
        group = GROUPS[name]
        for first in range(1, group.seeds + 1, group.slice):
            todo += [(first / group.seeds, name, design, harts, first)
                     for design in machine.designs() for harts in group.harts]
    todo.sort(key=lambda slice_: slice_[0])
    return [slice_[1:] for slice_ in todo if slice_[1:] not in known]


def simulate(group, design, harts, line, options):
    command = [folder("sim"), "--kernel", folder(f"kernel{'-debug' * group.debug}.elf"), "--disk",
               folder("fs.img"), "--harts", str(harts), *group.options, *options, "--append",
               f"design={design} panic=exit quiet trace=poweroff -- {line}"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          encoding="utf-8", errors="replace")
    return done.returncode, done.stdout + done.stderr


def kept(group, design, harts, seed, rounds):
    """Pages by the place that took them; or None and what went wrong."""
    line = " && ".join([group.program.format(seed)] * rounds)
    status, said = simulate(group, design, harts, line, ["--seed", str(seed)])
    if status or said.count(": OK\n") != rounds:
        return None, said[-300:]
    return {place: int(pages) for pages, place in KEPT.findall(said)}, ""


def compare_kept(group, design, harts, seed):
    before, said = kept(group, design, harts, seed, 1)
    after, more = kept(group, design, harts, seed, 3)
    if before is None or after is None:
        return 1, said + more
    grown = [f"{place}: {before.get(place, 0)} to {pages} pages" for place, pages in after.items()
             if pages > before.get(place, 0)]
    return len(grown) > 0, "; ".join(grown)


def run(name, design, harts, first):
    group = GROUPS[name]
    started = os.times()
    runs = min(group.slice, group.seeds + 1 - first)
    if name == "leaks":
        failed, said = compare_kept(group, design, harts, first)
    else:
        number = (first + group.slice - 1) // group.slice
        status, said = simulate(group, design, harts, group.program.format(number),
                                ["--seeds", f"{first}-{first + runs - 1}"])
        count = FAILED.search(said)
        if not count or int(count[1]) != runs or (status != 0) != (count[2] != "0"):
            raise machine.Unusable(f"status {status}: {said[-2000:]}")
        failed = int(count[2])
    ended = os.times()
    used = (ended.children_user + ended.children_system
            - started.children_user - started.children_system)
    return dict(zip(FIELDS, (name, design, harts, first, runs, int(failed), round(used, 2),
                             said[-1500:] if failed else "")))


def table(rows):
    """Of each group and number of harts: runs, those that failed, processor time."""
    lines = ["| runs | harts | designs | seeds of each | failed | processor time |",
             "|--|--|--|--|--|--|"]
    for name in GROUPS:
        for harts in sorted({row["harts"] for row in rows if row["group"] == name}):
            of = [row for row in rows if row["group"] == name and row["harts"] == harts]
            designs = {row["design"] for row in of}
            runs = [sum(row["runs"] for row in of if row["design"] == design)
                    for design in designs]
            lines.append(f"| `{name}` | {harts} | {len(designs)} | {min(runs)} | "
                         f"{sum(row['failed'] for row in of)} | "
                         f"{sum(row['seconds'] for row in of) / 60:.1f} min |")
    return "\n".join(lines)


def about():
    return "".join(f"    {name:8} {g.about}: {g.program.format('N')} {' '.join(g.options)}\n"
                   for name, g in GROUPS.items())


def options(args):
    """The groups, the seconds, fresh, table alone."""
    names, seconds, flags = [], float("inf"), set()
    args = list(args)
    while args:
        word = args.pop(0)
        if word == "--for" and args and args[0].isdigit():
            seconds = int(args.pop(0))
        elif word in ("--fresh", "--table"):
            flags.add(word)
        elif word in GROUPS:
            names.append(word)
        else:
            raise machine.Unusable(f"{word}: not an option or a group; see --help")
    return names or list(GROUPS), seconds, flags


def main(args):
    if "--help" in args:
        print(__doc__ + about(), end="")
        return 0
    names, seconds, flags = options(args)
    if "--table" not in flags:
        begin("--fresh" in flags)
        end = time.monotonic() + seconds
        for slice_ in slices(names, results()):
            if time.monotonic() >= end:
                break
            row = run(*slice_)
            note(row)
            if row["failed"]:
                print(f"{slice_}: {row['said']}", flush=True)
    rows = results()
    print(table(rows))
    left = len(slices(names, rows))
    if left:
        print(f"{left} slices are still to come")
    return any(row["failed"] for row in rows)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except machine.Unusable as e:
        print(f"seeds: {e}", file=sys.stderr)
        sys.exit(2)
