#!/usr/bin/env python3
"""Measures whole programs of Linux under every design: make bench-programs.

    tools/bench_programs.py           all; prints tables, writes build/programs.csv
    tools/bench_programs.py --record  the same, into docs/programs.csv and the tables of
                                      docs/programs.md
    tools/bench_programs.py NAME...   some of them; --list shows which there are
    --linux                           measures Linux itself, Debian's kernel; with --record into
                                      docs/programs-linux.csv, which the tables show
    --no-build                        measures what was built before

The programs are Debian's, downloaded as for ./run --linux. Each is measured once under each design,
in one boot with one hart, where QEMU's -icount counts guest instructions: those of the program, of
the shell that starts it, and of the kernel, less those of the time in which nothing was to be done.
A second boot, with four harts, counts what harts asked of one another. What a program prints is
compared with what it has to print.
"""
import argparse
import csv
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import bench  # noqa: E402
import consoles  # noqa: E402
import machine  # noqa: E402
import peerlinux  # noqa: E402
import programs  # noqa: E402
from programs import PROGRAMS  # noqa: E402

RECORDED = os.path.join(bench.DOCS, "programs.csv")
RECORDED_LINUX = os.path.join(bench.DOCS, "programs-linux.csv")
PICTURE = os.path.join(bench.DOCS, "programs.svg")
LINUX = "linux"
DOCUMENT = "programs.md"
INSTRUCTIONS_PER_TICK = 100  # of the time counter: 10 MHz, and a nanosecond for each instruction
MEMORY = 768  # MiB
DEADLINE = 900  # seconds for a boot; it takes some minutes
HARTS = 4
COUNTS = ("instructions", "idle", "faults", "zeroed", "zeroed_large", "shown", "shown_beside",
          "copied", "taken_over", "permitted", "tables", "fence_requests", "fenced_harts",
          "bytes_in", "bytes_out")
LINUX_COUNTS = ("instructions", "idle", "faults")
COMPILER = "riscv64-linux-gnu-gcc"
MEASURE = os.path.join(machine.ROOT, "user", "linux", "measure.c")


# ---- the archives ----
def measured(design, name, command):
    return [f"echo '= {design} {name}'", f"{command} sh /bench/run-{name} >out 2>counts",
            "echo status $?", "cat out", "echo '- counts'", "cat counts"]


def script(names, commands):
    """commands: {design: what counts what a command does}. Before all, each runs once: a first run
    may keep something for the next ones."""
    lines = ["cd /tmp", *(f"sh /bench/run-{name} >out 2>&1" for name in names)]
    for design, command in commands.items():
        for name in names:
            lines += measured(design, name, command)
    return "\n".join([*lines, "echo '= done'", ""])


def archive(names, designs):
    commands = {design: f"/trellis/bin/design {design} /trellis/bin/vmstat" for design in designs}
    return programs.write(programs.tree(names), script(names, commands), "programs.cpio")


def linux_archive(names):
    target = machine.build_path("measure")
    done = subprocess.run([COMPILER, "-static", "-O2", "-Wall", "-o", target, MEASURE],
                          check=False, capture_output=True, encoding="utf-8")
    if done.returncode:
        raise machine.Unusable(f"{MEASURE} does not compile:\n{done.stderr}")
    made = programs.tree(names)
    made.add_host_file("bench/measure", target, 0o755)
    peerlinux.add_init(made, programs.FOLDER)
    return programs.write(made, script(names, {LINUX: "/bench/measure"}), "programs-linux.cpio")


# ---- measuring ----
def boot(path, harts):
    """What the console says of the script."""
    print(f"Running them with {harts} hart{'s' * (harts > 1)}", file=sys.stderr, flush=True)
    command = machine.qemu_command(
        machine.default_design(), harts, MEMORY, [], append="panic=exit quiet trace=poweroff -- "
        "sh /bench/all", extra=("-initrd", path, *(bench.COUNTING if harts == 1 else ())),
        console=bench.CONSOLE)
    _, said = machine.console_of(command, DEADLINE, "the script")
    console = consoles.OwnConsole(False)
    said = (console.feed(said.encode()) + console.rest()).decode(errors="replace").replace("\r", "")
    if "\n= done\n" not in said:
        raise machine.Unusable(f"the guest ended before the last program:\n{said[-2000:]}")
    return said


def read(said):
    """{(design, name): (status, what it printed, its counts, what else it said)}"""
    found = {}
    for part in re.split(r"^= ", said, flags=re.M)[1:-1]:
        head, _, rest = part.partition("\n")
        design, name = head.split()
        out, _, counts = rest.partition("- counts\n")
        status, _, out = out.partition("\n")
        numbers = {key: int(n) for key, n in re.findall(r"^(\w+) +(\d+)$", counts, re.M)}
        others = re.sub(r"^\w+ +\d+\n", "", counts, flags=re.M)
        found[design, name] = (status.removeprefix("status "), out, numbers, others)
    return found


def check(found, names, designs, counts=COUNTS):
    """Unusable: a program did not do what it does."""
    for design in designs:
        for name in names:
            status, out, numbers, others = found[design, name]
            expected = PROGRAMS[name].prints
            if status != "0" or out != expected or set(counts) - set(numbers):
                raise machine.Unusable(f"{name} under {design}: status {status}, printed {out!r}, "
                                       f"not {expected!r}\n{others}")


def measure(names, designs):
    """{(design, name): counts}, of which the fences on other harts are of the second boot."""
    path = archive(names, designs)
    one, many = read(boot(path, 1)), read(boot(path, HARTS))
    check(one, names, designs)
    check(many, names, designs)
    found = {}
    for at, (_, _, numbers, _) in one.items():
        numbers["instructions"] -= numbers["idle"] * INSTRUCTIONS_PER_TICK
        for key in ("fence_requests", "fenced_harts"):
            numbers[key] = many[at][2][key]
        found[at] = numbers
    return found


def measure_linux(names):
    """(its version, {name: counts})"""
    version, said = peerlinux.run(linux_archive(names), programs.FOLDER)
    if "\n= done\n" not in said:
        raise machine.Unusable(f"Linux ended before the last program:\n{said[-2000:]}")
    found = read(said)
    check(found, names, [LINUX], LINUX_COUNTS)
    for _, _, numbers, _ in found.values():
        numbers["instructions"] -= numbers["idle"]  # a nanosecond each
    return version, {name: found[LINUX, name][2] for name in names}


# ---- tables ----
def recorded_linux():
    """{name: counts}, of those that were measured."""
    if not os.path.exists(RECORDED_LINUX):
        return {}
    with open(RECORDED_LINUX, encoding="utf-8") as f:
        rows = csv.DictReader(line for line in f if not line.startswith("#"))
        return {row["program"]: {key: int(row[key]) for key in LINUX_COUNTS} for row in rows}


def tables(found, linux, names, designs):
    def own(name, key):
        return [bench.grouped(found[d, name][key]) for d in designs]

    def peer(name, key):
        return bench.grouped(linux[name][key]) if name in linux else "-"
    least = designs[0]
    kinds = ("faults", "zeroed", "shown", "shown_beside", "copied", "taken_over", "bytes_in",
             "bytes_out")
    asked = [name for name in names if any(found[d, name]["fence_requests"] for d in designs)]
    return {
        "instructions": (["program", *designs, "Linux"], [
            [PROGRAMS[name].about, *own(name, "instructions"), peer(name, "instructions")]
            for name in names]),
        "tables": (["program", *designs],
                   [[PROGRAMS[name].about, *own(name, "tables")] for name in names]),
        "faults": (["program", "faults", "of Linux", *kinds[1:]], [
            [PROGRAMS[name].about, bench.grouped(found[least, name]["faults"]),
             peer(name, "faults"),
             *(bench.grouped(found[least, name][kind]) for kind in kinds[1:])]
            for name in names]),
        "shootdowns": (["program", *designs],
                       [[PROGRAMS[name].about, *own(name, "fence_requests")] for name in asked]),
    }


def picture(path, found, linux, names, designs):
    rows = [{"key": name, "title": PROGRAMS[name].about, "group": "", "xv6": "",
             "linux": linux.get(name, {}).get("instructions", "")} for name in names]
    counts = {d: {name: found[d, name]["instructions"] for name in names} for d in designs}
    bench.write_picture(path, rows, designs, counts)


def write(path, found):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(f"# {bench.compiler()}\n")
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["design", "program", *COUNTS])
        for (design, name), numbers in found.items():
            out.writerow([design, name, *(numbers[key] for key in COUNTS)])


def write_linux(path, version, found):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(f"# Linux {version}, QEMU's -icount, one hart; faults are the program's and its "
                "children's\n")
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["program", *LINUX_COUNTS])
        for name, numbers in found.items():
            out.writerow([name, *(numbers[key] for key in LINUX_COUNTS)])


def run_linux(names, record):
    version, found = measure_linux(names)
    bench.print_table(["program", "instructions", "faults"], [
        [PROGRAMS[name].about, bench.grouped(found[name]["instructions"]),
         bench.grouped(found[name]["faults"])] for name in names])
    if record:
        write_linux(RECORDED_LINUX, version, found)
        print(f"written: {os.path.relpath(RECORDED_LINUX)}")
    return 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    for option in ("--help", "--list", "--linux", "--record", "--no-build"):
        parser.add_argument(option, *(["-h"] if option == "--help" else []), action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.help or options.list:
        print(__doc__.strip() if options.help else
              "\n".join(f"{name:12} {each.about}" for name, each in PROGRAMS.items()))
        return 0
    unknown = [name for name in options.names if name not in PROGRAMS]
    if unknown or (options.record and options.names):
        raise machine.Unusable(f"no such program: {unknown[0]}; --list shows them" if unknown else
                               "what is recorded are all programs")
    names, designs = options.names or list(PROGRAMS), bench.all_designs()
    if not options.no_build:
        bench.build()
    if options.linux:
        return run_linux(names, options.record)
    found, linux = measure(names, designs), recorded_linux()
    made = tables(found, linux, names, designs)
    for title, table in made.items():
        print(title)
        bench.print_table(*table)
    path = RECORDED if options.record else machine.build_path("programs.csv")
    write(path, found)
    picture(PICTURE if options.record else machine.build_path("programs.svg"), found, linux, names,
            designs)
    if options.record:
        bench.fill_document(made, DOCUMENT)
    print(f"written: {os.path.relpath(path)}")
    return 0


if __name__ == "__main__":
    machine.die_by_signals()
    try:
        sys.exit(main())
    except machine.Unusable as error:
        print(f"bench_programs: {error}", file=sys.stderr)
        sys.exit(2)
