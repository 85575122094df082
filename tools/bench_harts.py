#!/usr/bin/env python3
"""Measures what operations cost when several harts take part: make bench-harts.

    tools/bench_harts.py           all; prints tables, writes build/bench-harts.csv
    tools/bench_harts.py --record  the same, into docs/benchmarks-harts.csv and the tables
                                   of benchmarks.md
    tools/bench_harts.py --check   compares one design, on 1 and 8 harts, with
                                   docs/benchmarks-harts.csv; status 1: slower than recorded,
                                   3: recorded with another compiler or firmware
    --no-build                     measures what was built before

Instructions of an operation, summed over all harts, by the machine of ./sim and with QEMU's
firmware in it; means of some seeds, that is of some interleavings. The same on every host and in
every run. Those of user mode count, but where other harts run a loop meanwhile.
"""
import argparse
import csv
import hashlib
import os
import re
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import bench  # noqa: E402
import machine  # noqa: E402
import sim  # noqa: E402

RECORDED = os.path.join(bench.DOCS, "benchmarks-harts.csv")
# Title, whether other harts run a loop meanwhile, and which line of benchmarks-peers.csv has Linux.
OPERATIONS = {
    "thread": ("thread create+join", False, "thread"),
    "thread_all": ("the same by 8 threads at once", False, None),
    "mutex_all": ("lock and unlock of a mutex; 8 threads", False, None),
    "futex": ("futex ping-pong; round trip", False, "futex"),
    "storm_own": ("page fault; 8 threads, each its own pages", False, None),
    "storm_turns": ("page fault; 8 threads, pages side by side", False, None),
    "storm_same": ("page fault; 8 threads, all the same pages", False, None),
    "unmap": ("munmap of one page; all other harts active", True, "unmap"),
    "protect": ("mprotect of one page and back; the same", True, "protect"),
    "map": ("mmap, touch, munmap of one page; the same", True, "map_page"),
}
HARTS = (1, 2, 4, 8)
SEEDS = (1, 2, 3, 4)
# What the machine finds out about kernels is not wanted here.
FAST = ("--no-keep", "--no-speculate", "--no-stale-code", "--no-frames", "--no-check", "all")
MARK = re.compile(r"^sim: mark: (\d+) (\d+) (\d+)$", re.M)
DONE = "benchharts: done"
TOLERANCE = 0.15
# Of those that wait for a lock: any change of the kernel makes another interleaving of them.
CONTENDED = ("thread_all", "mutex_all", "storm_own", "storm_turns", "storm_same")
TOLERANCE_CONTENDED = 0.50
SLACK = 30      # instructions that do not count
DEADLINE = 600  # seconds for a boot; it takes some


def firmware():
    path = machine.firmware()
    if not path:
        raise machine.Unusable("OpenSBI is not installed: tools/need.sh says how")
    return path


def recorded_with():
    """What the figures depend on beside the kernel."""
    with open(firmware(), "rb") as f:
        return f"{bench.compiler()}; firmware {hashlib.sha256(f.read()).hexdigest()[:12]}"


# ---- measuring ----
def boot(designs, harts, seed):
    """{design: {key: (user, kernel, firmware)}} of one boot."""
    commands = " && ".join(f"design {design} benchharts" for design in designs)
    command = [*sim.command(), "--kernel", os.path.join(machine.kernel_folder(), "kernel.elf"),
               "--firmware", firmware(), "--disk", machine.default_image(), *FAST,
               "--harts", str(harts), "--seed", str(seed), "--marks", "sys_uptime",
               "--append", f"design={designs[0]} panic=exit quiet -- {commands}"]
    try:
        done = subprocess.run(command, check=False, stdin=subprocess.DEVNULL, encoding="utf-8",
                              errors="replace", capture_output=True, timeout=DEADLINE)
    except subprocess.TimeoutExpired as e:
        raise machine.Unusable(f"benchharts was not done after {DEADLINE} seconds") from e
    parts = done.stdout.split(DONE)
    marks = [tuple(map(int, mark)) for mark in MARK.findall(done.stderr)]
    if done.returncode or len(parts) != len(designs) + 1 or \
            len(marks) != 4 * len(OPERATIONS) * len(designs):
        raise machine.Unusable(f"benchharts failed:\n{done.stdout}{done.stderr[-2000:]}")
    return {design: read_part(part, marks[4 * len(OPERATIONS) * i:])
            for i, (design, part) in enumerate(zip(designs, parts))}


def read_part(text, marks):
    """Of one benchharts, whose marks these begin with: four an operation, two around nothing."""
    found = {}
    for i, (key, count) in enumerate(bench_rows(text)):
        before, after, begin, end = marks[4 * i:4 * i + 4]
        found[key] = tuple((e - b - (a - z)) / count
                           for z, a, b, e in zip(before, after, begin, end))
    return found


def bench_rows(text):
    rows = [(key, int(count)) for key, count in re.findall(r"^(\w+) (\d+)\r?$", text, re.M)]
    if [key for key, _ in rows] != list(OPERATIONS):
        raise machine.Unusable(f"benchharts has other operations than bench_harts.py:\n{text}")
    return rows


def count(designs, numbers=HARTS):
    """{(key, harts): {design: (all, those of the firmware)}}, means of the seeds."""
    found = {}
    for harts in numbers:
        print(f"counting: {harts} harts", file=sys.stderr, flush=True)
        boots = [boot(designs, harts, seed) for seed in SEEDS]
        for key, (_, looping, _) in OPERATIONS.items():
            found[key, harts] = {}
            for design in designs:
                user, kernel, m_mode = map(statistics.mean,
                                           zip(*(run[design][key] for run in boots)))
                whole = kernel + m_mode + (0 if looping else user)
                found[key, harts][design] = max(0, round(whole)), max(0, round(m_mode))
    return found


# ---- tables ----
def growth_rows(counts, design):
    """How one design's figures grow."""
    linux = {o["key"]: o for o in bench.read_operations()}
    head = [f"operation, {design}", *(f"{n} hart{'s' * (n > 1)}" for n in HARTS),
            f"firmware's, of {HARTS[-1]}", "Linux, 1 hart"]
    rows = [[title, *(bench.grouped(counts[key, n][design][0]) for n in HARTS),
             bench.grouped(counts[key, HARTS[-1]][design][1]),
             bench.peer(linux[peer], "linux") if peer else ""]
            for key, (title, _, peer) in OPERATIONS.items()]
    return head, rows


def design_rows(counts, designs):
    """All designs on the most harts, without the firmware's."""
    most = HARTS[-1]
    return [f"{most} harts, without the firmware's", *designs], \
        [[title, *(bench.grouped(counts[key, most][d][0] - counts[key, most][d][1])
                   for d in designs)] for key, (title, _, _) in OPERATIONS.items()]


def write_csv(path, designs, counts):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(f"# {recorded_with()}\n# instructions, summed over harts; firmware: those of it\n")
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["key", "harts", *designs, *(f"{d}_firmware" for d in designs)])
        for (key, harts), row in counts.items():
            out.writerow([key, harts, *(row[d][0] for d in designs),
                          *(row[d][1] for d in designs)])


def measure(record):
    designs = bench.all_designs()
    counts = count(designs)
    tables = {"harts": growth_rows(counts, designs[0]),
              "harts-designs": design_rows(counts, designs)}
    for table in tables.values():
        bench.print_table(*table)
    path = RECORDED if record else machine.build_path("bench-harts.csv")
    write_csv(path, designs, counts)
    if record:
        bench.fill_document(tables)
    print(f"written: {os.path.relpath(path)}")
    return 0


# ---- comparing ----
def tolerance(key, harts):
    return TOLERANCE_CONTENDED if key in CONTENDED and harts > 1 else TOLERANCE


def check():
    with open(RECORDED, encoding="utf-8") as f:
        text = f.read()
    before = text.partition("\n")[0].removeprefix("# ")
    if before != recorded_with():
        print(f"nothing compared: recorded with {before}, here is {recorded_with()}")
        return 3
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    design = bench.all_designs()[0]
    recorded = {(row["key"], int(row["harts"])): int(row[design]) for row in rows}
    slower = 0
    for (key, harts), row in count([design], (HARTS[0], HARTS[-1])).items():
        now, then = row[design][0], recorded[key, harts]
        if now > then * (1 + tolerance(key, harts)) + SLACK:
            print(f"{design} {key}, {harts} harts: {now} instructions, slower than recorded "
                  f"({then})")
            slower += 1
    print(f"{slower} slower than recorded" if slower else "no operation is slower than recorded")
    return 1 if slower else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    for name in ("--help", "--record", "--check", "--no-build"):
        parser.add_argument(name, action="store_true")
    options = parser.parse_args()
    if options.help:
        print(__doc__.strip())
        return 0
    if not options.no_build:
        machine.build(targets=("all", "sim"))
    return check() if options.check else measure(options.record)


if __name__ == "__main__":
    machine.die_by_signals()
    try:
        sys.exit(main())
    except machine.Unusable as error:
        print(f"bench-harts: {error}", file=sys.stderr)
        sys.exit(2)
