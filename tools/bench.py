#!/usr/bin/env python3
"""Measures Trellis under every design: make bench.

    tools/bench.py             all: instructions, then time; prints a table, writes
                               build/bench.csv and build/bench.svg
    tools/bench.py --record    the same, into docs/benchmarks.csv, benchmarks.svg and
                               the tables of benchmarks.md
    tools/bench.py --check [DESIGN...]
                               compares the operations that need no disk with
                               docs/benchmarks.csv; status 1: slower than recorded,
                               3: recorded with another compiler, nothing compared
    tools/bench.py --plot      draws benchmarks.svg again, from docs/benchmarks.csv
    --rounds N                 boots for the times; default 5
    --no-build                 measures what was built before

Instructions are those that the guest executes, counted by QEMU's -icount on one
hart, so they are the same on every host and in every run, but for file operations,
where the disk's interrupts come when they come. Times are plain emulation's,
and only ratios of medians of some boots, with all designs in each, are worth anything.
"""
import argparse
import csv
import os
import re
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import bench_plot  # noqa: E402
import machine  # noqa: E402

DOCS = os.path.join(machine.ROOT, "docs")
RECORDED = os.path.join(DOCS, "benchmarks.csv")
PICTURE = os.path.join(DOCS, "benchmarks.svg")
PEERS_FILE = os.path.join(DOCS, "benchmarks-peers.csv")
PEERS = {"linux": "Linux", "ext4": "Linux, ext4", "xv6": "xv6", "lab": "lab", "cow": "COW lab"}
ORDER = ["walk", "mirror", "share", "unify"]
TOLERANCE = 0.10
NOISE = 0.001
VARIED = ("unmap", "map_page", "protect")  # by the tree of mappings, whose ranks are random:
VARIED_TOLERANCE = 0.25                    # one run in two lies within 4 %, none beyond 12
SLACK = 10      # instructions that do not count
COUNT_BOOTS = 3  # of which the median counts, for the file operations
MOST_KEYS = 20  # in one command: a program takes 32 arguments
DEADLINE = 300  # seconds for one design; it takes some
COUNTING = ("-icount", "shift=0")
CONSOLE = ("-display", "none", "-monitor", "none", "-serial", "stdio")
ROW = re.compile(r"^(\w+) (\d+) (\d+)\r?$", re.M)


def read_operations():
    """The operations, in order: key, title, group and what others need."""
    with open(PEERS_FILE, encoding="utf-8") as f:
        return list(csv.DictReader(line for line in f if not line.startswith("#")))


def all_designs():
    found = machine.designs()
    return [d for d in ORDER if d in found] + [d for d in found if d not in ORDER]


def compiler():
    """The compiler that the Makefile takes, as it names itself."""
    flags = os.path.join(machine.kernel_folder(), "flags")
    with open(flags, encoding="utf-8") as f:
        words = f.read().split(" -std=")[0].split()
    done = subprocess.run([*words, "--version"], check=True, capture_output=True, encoding="utf-8")
    return done.stdout.splitlines()[0]


# ---- measuring ----
def boot(designs, keys, counting):
    """Runs bench in one guest, under one design after the other;
    {design: {key: (instructions, nanoseconds)}}."""
    lists = [keys[i:i + MOST_KEYS] for i in range(0, len(keys), MOST_KEYS)] or [()]
    runs = [(design, " ".join(["bench", *some])) for design in designs for some in lists]
    command = machine.qemu_command(
        machine.default_design(), harts=1, console=CONSOLE, extra=COUNTING if counting else (),
        append="panic=exit quiet -- " + " && ".join(f"design {d} {bench}" for d, bench in runs))
    status, said = machine.console_of(command, DEADLINE * len(designs), "bench")
    parts = said.split("bench: done")
    if status or len(parts) != len(runs) + 1:
        raise machine.Unusable(f"bench failed:\n{said}")
    found = {design: {} for design in designs}
    for (design, _), part in zip(runs, parts):
        found[design].update((key, (int(n), int(ns))) for key, n, ns in ROW.findall(part))
    return found


def build():
    progress = machine.Progress("Building")
    try:
        machine.build(progress=progress)
    finally:
        progress.done()


def count(designs, keys=(), boots=1):
    """{design: {key: instructions}}, medians."""
    runs = []
    for i in range(boots):
        print(f"counting: boot {i + 1} of {boots}", file=sys.stderr, flush=True)
        runs.append(boot(designs, keys, True))
    for design in designs:
        expect_same(design, [run[design] for run in runs])
    return {design: {key: int(statistics.median(run[design][key][0] for run in runs))
                     for key in runs[0][design]} for design in designs}


def expect_same(design, runs):
    """Says so when what needs no disk was not counted alike in all runs. A timer's
    interrupt may fall into one and not into another: that is the noise."""
    for o in read_operations():
        seen = {run[o["key"]][0] for run in runs if o["key"] in run}
        exact = o["group"] != "file" and o["key"] not in VARIED
        if exact and seen and max(seen) > min(seen) * (1 + NOISE):
            print(f"{design} {o['key']}: not the same in all runs: {sorted(seen)}",
                  file=sys.stderr)


def time_all(designs, rounds):
    """{design: {key: ns}}, medians; a round is one boot."""
    times = {design: {} for design in designs}
    for i in range(rounds):
        print(f"timing: round {i + 1} of {rounds}", file=sys.stderr, flush=True)
        for design, row in boot(designs, (), False).items():
            for key, (_, ns) in row.items():
                times[design].setdefault(key, []).append(ns)
    return {d: {k: statistics.median(v) for k, v in row.items()} for d, row in times.items()}


# ---- tables ----
def grouped(n):
    return f"{n:,}".replace(",", " ")


def peer(operation, name):
    return grouped(int(operation[name])) if operation[name] else ""


def instruction_rows(operations, designs, counts):
    head = ["operation", *designs, *PEERS.values()]
    rows = [[o["title"], *(grouped(counts[d][o["key"]]) for d in designs),
             *(peer(o, p) for p in PEERS)]
            for o in operations if o["group"] != "frames"]
    return head, rows


def frame_rows(operations, designs, counts):
    return ["frames", *designs], [[o["title"].partition(": ")[2],
                                   *(str(counts[d][o["key"]]) for d in designs)]
                                  for o in operations if o["group"] == "frames"]


def time_rows(operations, designs, times):
    base = times[designs[0]]
    rows = [[o["title"], f"{base[o['key']] / 1000:.2f} us",
             *(f"{times[d][o['key']] / base[o['key']]:.2f}" for d in designs[1:])]
            for o in operations if base.get(o["key"])]
    return ["operation", designs[0], *(f"{d} / {designs[0]}" for d in designs[1:])], rows


def print_table(head, rows):
    widths = [max(len(r[i]) for r in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w)
                        for i, (c, w) in enumerate(zip(row, widths))))
    print()


def markdown(head, rows):
    lines = [head, ["--"] + ["--:"] * (len(head) - 1), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


# ---- files ----
def write_csv(path, designs, counts, times):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(f"# {compiler()}\n# instructions; tables_*: frames; time: ns, in emulation\n")
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["key", *designs, *(f"{d}_time" for d in designs if times)])
        for key in counts[designs[0]]:
            out.writerow([key, *(counts[d][key] for d in designs),
                          *(f"{times[d].get(key, 0):.0f}" for d in designs if times)])


def fill_document(tables, document="benchmarks.md"):
    """Puts the tables between their marks."""
    path = os.path.join(DOCS, document)
    with open(path, encoding="utf-8") as f:
        text = f.read()
    for name, table in tables.items():
        text, n = re.subn(rf"(<!-- {name} -->\n).*?(<!-- end -->)",
                          lambda m, t=table: m[1] + markdown(*t) + m[2], text, flags=re.S)
        if n != 1:
            raise machine.Unusable(f"docs/{document} has no place for {name}")
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def write_picture(path, operations, designs, counts):
    with open(path, "w", encoding="utf-8") as f:
        f.write(bench_plot.svg(operations, designs, counts))


def measure(options):
    designs = all_designs()
    operations = read_operations()
    counts = count(designs, boots=COUNT_BOOTS)
    times = time_all(designs, options.rounds) if options.rounds else {}
    tables = {"instructions": instruction_rows(operations, designs, counts),
              "frames": frame_rows(operations, designs, counts)}
    if times:
        tables["times"] = time_rows(operations, designs, times)
    for table in tables.values():
        print_table(*table)
    csv_path, svg_path = (RECORDED, PICTURE) if options.record else \
        (machine.build_path("bench.csv"), machine.build_path("bench.svg"))
    write_csv(csv_path, designs, counts, times)
    write_picture(svg_path, operations, designs, counts)
    if options.record:
        fill_document(tables)
    print(f"written: {os.path.relpath(csv_path)}, {os.path.relpath(svg_path)}")
    return 0


# ---- comparing ----
def read_recorded():
    with open(RECORDED, encoding="utf-8") as f:
        text = f.read()
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return text.partition("\n")[0].removeprefix("# "), {row["key"]: row for row in rows}


def plot(path):
    recorded = read_recorded()[1]
    counts = {design: {key: int(row[design]) for key, row in recorded.items()}
              for design in all_designs()}
    write_picture(path, read_operations(), all_designs(), counts)
    return 0


def check(designs):
    recorded_with, recorded = read_recorded()
    if recorded_with != compiler():
        print(f"nothing compared: recorded with {recorded_with}, built with {compiler()}")
        return 3
    keys = [o["key"] for o in read_operations() if o["group"] not in ("file", "frames")]
    slower = 0
    for design, counts in count(designs, keys).items():
        for key, n in counts.items():
            before = int(recorded[key][design])
            allowed = before * (VARIED_TOLERANCE if key in VARIED else TOLERANCE) + SLACK
            if n > before + allowed:
                print(f"{design} {key}: {n} instructions, slower than recorded ({before})")
                slower += 1
            elif n < before - allowed:
                print(f"{design} {key}: {n} instructions, faster than recorded ({before}): "
                      "tools/bench.py --record")
    print(f"{slower} slower than recorded" if slower else "no operation is slower than recorded")
    return 1 if slower else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--check", nargs="*", metavar="DESIGN")
    parser.add_argument("--plot", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--no-build", action="store_true")
    options = parser.parse_args()
    if options.help:
        print(__doc__.strip())
        return 0
    if options.plot:
        return plot(PICTURE)
    designs = options.check or all_designs()
    unknown = set(designs) - set(all_designs())
    if unknown:
        raise machine.Unusable("no such design: " + ", ".join(sorted(unknown)))
    if not options.no_build:
        build()
    return measure(options) if options.check is None else check(designs)


if __name__ == "__main__":
    machine.die_by_signals()
    try:
        sys.exit(main())
    except machine.Unusable as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)
