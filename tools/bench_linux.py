#!/usr/bin/env python3
"""Measures single operations by Linux's interface under every design: make bench-linux.

    tools/bench_linux.py           all; prints a table beside Linux 6.12's own counts, and writes
                                   build/linux-operations.csv
    tools/bench_linux.py --record  the same, into docs/linux-operations.csv and the table of
                                   docs/benchmarks.md
    tools/bench_linux.py NAME...   some of them; --list shows which there are
    --linux                        measures Linux itself, Debian's kernel, with files on tmpfs; with
                                   --record into docs/linux-operations-6.12.csv
    --no-build                     measures what was built before

The program is an ordinary one of Linux, linked statically with glibc (user/linux/operations.c), the
same for both. It counts the machine's instructions, its own and the kernel's, with QEMU's -icount
on one hart; in the table is the median of some counts.
"""
import argparse
import csv
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import bench  # noqa: E402
import cpio  # noqa: E402
import linuxroot  # noqa: E402
import machine  # noqa: E402
import packages  # noqa: E402
import peerlinux  # noqa: E402

COMPILER = "riscv64-linux-gnu-gcc"
SOURCE = os.path.join(machine.ROOT, "user", "linux", "operations.c")
LINUX = os.path.join(bench.DOCS, "linux-operations-6.12.csv")
RECORDED = os.path.join(bench.DOCS, "linux-operations.csv")
DEADLINE = 600  # seconds for a boot; it takes less than one minute
MIB = 256
ROW = re.compile(r"^(\w+) (\d+)\r?$", re.M)


def linux_counts():
    """{operation: (what it is, count)}, in order."""
    with open(LINUX, encoding="utf-8") as f:
        rows = csv.DictReader(line for line in f if not line.startswith("#"))
        return {row["operation"]: (row["what"], int(row["linux"])) for row in rows}


def compile_program():
    target = machine.build_path("linux-operations")
    done = subprocess.run([COMPILER, "-static", "-O2", "-Wall", "-o", target, SOURCE], check=False,
                          capture_output=True, encoding="utf-8")
    if done.returncode:
        raise machine.Unusable(f"{SOURCE} does not compile:\n{done.stderr}")
    return target


def archive(program):
    made = cpio.Archive()
    for folder in ("bin", "dev", "proc", "tmp"):
        made.add_folder(folder)
    for name in ("init", "sh", "design"):
        with open(machine.build_path("user", "bin", name), "rb") as f:
            made.add_file(name if name == "init" else f"bin/{name}", f.read(), 0o755)
    with open(program, "rb") as f:
        made.add_file("bin/operations", f.read(), 0o755)
    made.add_device("console", 1, 0)
    path = machine.build_path("linux-operations.cpio")
    with open(path, "wb") as f:
        f.write(made.bytes())
    return path


def measure(names, designs):
    """{design: {operation: instructions}}"""
    runs = " && ".join(f"design {design} operations {' '.join(names)}" for design in designs)
    command = machine.qemu_command(
        machine.default_design(), harts=1, mib=MIB, disks=[], console=bench.CONSOLE,
        extra=("-initrd", archive(compile_program()), *bench.COUNTING),
        append=f"panic=exit quiet -- {runs}")
    status, said = machine.console_of(command, DEADLINE, "the program of operations")
    parts = said.split("operations: done")
    if status or len(parts) != len(designs) + 1:
        raise machine.Unusable(f"the program failed:\n{said[-2000:]}")
    return {design: {name: int(n) for name, n in ROW.findall(part)}
            for design, part in zip(designs, parts)}


def measure_linux(names):
    """(its version, {operation: instructions})"""
    busybox = linuxroot.busybox()
    made = linuxroot.tree(busybox, linuxroot.commands(busybox), [])
    made.add_host_file("bench/operations", compile_program(), 0o755)
    made.add_file("bench/all", f"cd /tmp; /bench/operations -t {' '.join(names)}\n".encode())
    peerlinux.add_init(made, "bench")
    path = packages.folder("operations.cpio")
    made.write(path)
    version, said = peerlinux.run(path, "bench")
    if "operations: done" not in said:
        raise machine.Unusable(f"the program failed:\n{said[-2000:]}")
    return version, {name: int(n) for name, n in ROW.findall(said)}


def write_linux(version, known, found):
    with open(LINUX, "w", encoding="utf-8", newline="") as f:
        f.write(f"# Guest instructions of one operation on Linux {version}, with QEMU's -icount,\n"
                "# one hart, files on tmpfs: tools/bench_linux.py --linux --record\n")
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["operation", "what", "linux"])
        for name, n in found.items():
            out.writerow([name, known[name][0], n])


def run_linux(names, known, record):
    version, found = measure_linux(names)
    bench.print_table(["operation", "Linux", "recorded"], [
        [known[name][0], bench.grouped(n), bench.grouped(known[name][1])]
        for name, n in found.items()])
    if record:
        write_linux(version, known, found)
        print(f"written: {os.path.relpath(LINUX)}")
    return 0


def table(known, designs, counts):
    return (["operation", *designs, "Linux"],
            [[known[name][0], *(bench.grouped(counts[d][name]) for d in designs),
              bench.grouped(known[name][1])] for name in counts[designs[0]]])


def write(path, designs, counts):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(f"# {bench.compiler()}\n")
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["operation", *designs])
        for name in counts[designs[0]]:
            out.writerow([name, *(counts[d][name] for d in designs)])


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--linux", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    known, designs = linux_counts(), bench.all_designs()
    if options.help or options.list:
        print(__doc__.strip() if options.help else
              "\n".join(f"{name:28} {what}" for name, (what, _) in known.items()))
        return 0
    unknown = [name for name in options.names if name not in known]
    if unknown or (options.record and options.names):
        raise machine.Unusable(f"no such operation: {unknown[0]}; --list shows them" if unknown else
                               "what is recorded are all operations")
    if not options.no_build:
        bench.build()
    if options.linux:
        return run_linux(options.names, known, options.record)
    counts = measure(options.names, designs)
    made = table(known, designs, counts)
    bench.print_table(*made)
    path = RECORDED if options.record else machine.build_path("linux-operations.csv")
    write(path, designs, counts)
    if options.record:
        bench.fill_document({"linux": made})
    print(f"written: {os.path.relpath(path)}")
    return 0


if __name__ == "__main__":
    machine.die_by_signals()
    try:
        sys.exit(main())
    except machine.Unusable as error:
        print(f"bench_linux: {error}", file=sys.stderr)
        sys.exit(2)
