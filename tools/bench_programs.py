#!/usr/bin/env python3
"""Measures whole programs of Linux under every design: make bench-programs.

    tools/bench_programs.py           all; prints tables, writes build/programs.csv
    tools/bench_programs.py --record  the same, into docs/programs.csv and the tables of
                                      docs/programs.md
    tools/bench_programs.py NAME...   some of them; --list shows which there are
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
import linuxroot  # noqa: E402
import machine  # noqa: E402
import packages  # noqa: E402

RECORDED = os.path.join(bench.DOCS, "programs.csv")
DOCUMENT = "programs.md"
INSTRUCTIONS_PER_TICK = 100  # of the time counter: 10 MHz, and a nanosecond for each instruction
MEMORY = 512  # MiB
DEADLINE = 900  # seconds for a boot; it takes some minutes
HARTS = 4
COUNTS = ("instructions", "idle", "faults", "zeroed", "zeroed_large", "shown", "shown_beside",
          "copied", "taken_over", "permitted", "tables", "fence_requests", "fenced_harts",
          "bytes_in", "bytes_out")
LUA = """
local t = {}
for i = 1, 20000 do t[i] = (i * 7919) % 20011 end
table.sort(t)
local s = {}
for i = 1, 2000 do s[#s + 1] = tostring(t[i]) .. ";" end
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
print(t[1], t[20000], #table.concat(s), fib(18))
"""
SQL = """
create table t(a integer primary key, b text);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 2000)
  insert into t select x, 'row ' || (x * 7919 % 2003) from c;
create index i on t(b);
select count(*), min(b), max(b) from t where b like 'row 1%';
"""
PYTHON = "print(sum(i * i for i in range(3000)), len(repr({i: str(i) for i in range(500)})))"

# Name: what it is about, packages beside busybox, the command, and what it prints.
PROGRAMS = {
    "sh": ("the shell: 40 pipes of two programs", (),
           "i=0; while [ $i -lt 40 ]; do echo $i | cat | wc -c; i=$((i + 1)); done | sort | "
           "uniq -c",
           "     10 2\n     30 3\n"),
    "sort": ("sort of 5000 numbers", (), "seq 1 5000 | sort -r | head -n 1", "999\n"),
    "awk": ("awk: a sum of 20 000", (),
            "busybox awk 'BEGIN { for (i = 0; i < 20000; i++) s += i % 7; print s }'", "59997\n"),
    "md5sum": ("md5sum of 1 MiB from dd", (),
               "dd if=/dev/zero bs=64k count=16 2>/dev/null | md5sum",
               "b6d81b360a5672d80c27430f39153e2c  -\n"),
    "gzip": ("gzip and back of 48 KiB", (), "seq 1 10000 | gzip | gunzip | md5sum",
             "72d4ff27a28afbc066d5804999d5a504  -\n"),
    "steps": ("30 small steps, four at a time", (),
              "i=0; while [ $i -lt 30 ]; do for j in 1 2 3 4; do (echo $i > /tmp/s$j; "
              "cp /tmp/s$j /tmp/t$j; rm /tmp/t$j) & done; wait; i=$((i + 4)); done; "
              "cat /tmp/s[1-4] | sort -u", "28\n"),
    "lua": ("Lua: sort, strings, recursion", ("lua5.4",), "lua5.4 /bench/program.lua",
            "1\t20010\t8895\t2584\n"),
    "sqlite": ("SQLite: 2000 rows, an index, a query", ("sqlite3",),
               "sqlite3 /tmp/$$.db < /bench/program.sql; rm -f /tmp/$$.db",
               "1110|row 1|row 1999\n"),
    "python": ("Python: start, and a little work", ("python3-minimal",),
               "python3 -S /bench/program.py", "8995500500 5780\n"),
    "bash": ("bash: 500 lines of its own", ("bash",),
             "bash -c 'for ((i = 0; i < 500; i++)); do a[i]=${i}x; done; echo ${#a[@]} "
             "${a[499]}'", "500 499x\n"),
    "perl": ("Perl: a hash of 5000", ("perl-base",),
             "perl -e 'my %h; $h{$_ % 1000} += $_ for 1 .. 5000; print scalar(keys %h), "
             "\" $h{7}\\n\"'", "1000 10035\n"),
}


# ---- the archive ----
def script(names, designs):
    """Before all, each runs once: a first run may keep something for the next ones."""
    lines = ["cd /tmp", *(f"sh /bench/{name} >out 2>&1" for name in names)]
    for design in designs:
        for name in names:
            lines += [f"echo '= {design} {name}'",
                      f"/trellis/bin/design {design} /trellis/bin/vmstat sh /bench/{name} "
                      ">out 2>counts", "echo status $?", "cat out", "echo '- counts'", "cat counts"]
    return "\n".join([*lines, "echo '= done'", ""])


def archive(names, designs):
    wanted = sorted({package for name in names for package in PROGRAMS[name][1]})
    path = linuxroot.busybox()
    debs = packages.get(wanted) if wanted else []
    made = linuxroot.tree(path, linuxroot.commands(path), debs)
    for name in names:
        made.add_file(f"bench/{name}", (PROGRAMS[name][2] + "\n").encode())
    for name, text in (("program.lua", LUA), ("program.sql", SQL), ("program.py", PYTHON),
                       ("all", script(names, designs))):
        made.add_file(f"bench/{name}", text.encode())
    target = packages.folder("programs.cpio")
    made.write(target)
    return target


# ---- measuring ----
def boot(path, harts):
    """What the console says of the script."""
    print(f"Running them with {harts} hart{'s' * (harts > 1)}", file=sys.stderr, flush=True)
    command = machine.qemu_command(
        machine.default_design(), harts, MEMORY, [], append="panic=exit quiet trace=poweroff -- "
        "sh /bench/all", extra=("-initrd", path, *(bench.COUNTING if harts == 1 else ())),
        console=bench.CONSOLE)
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=DEADLINE,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as e:
        said = (e.stdout or b"").decode(errors="replace")[-2000:]
        raise machine.Unusable(f"not done after {DEADLINE} seconds:\n{said}") from e
    console = consoles.OwnConsole(False)
    said = (console.feed(done.stdout) + console.rest()).decode(errors="replace").replace("\r", "")
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


def check(found, names, designs):
    """Unusable: a program did not do what it does."""
    for design in designs:
        for name in names:
            status, out, numbers, others = found[design, name]
            expected = PROGRAMS[name][3]
            if status != "0" or out != expected or set(COUNTS) - set(numbers):
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


# ---- tables ----
def tables(found, names, designs):
    def row(name, key):
        return [PROGRAMS[name][0], *(bench.grouped(found[d, name][key]) for d in designs)]
    least = designs[0]
    kinds = ("faults", "zeroed", "shown", "shown_beside", "copied", "taken_over", "bytes_in",
             "bytes_out")
    return {
        "instructions": (["program", *designs], [row(name, "instructions") for name in names]),
        "tables": (["program", *designs], [row(name, "tables") for name in names]),
        "faults": (["program", *kinds], [
            [PROGRAMS[name][0], *(bench.grouped(found[least, name][kind]) for kind in kinds)]
            for name in names]),
    }


def write(path, found):
    with open(path, "w", encoding="utf-8", newline="") as f:
        f.write(f"# {bench.compiler()}\n")
        out = csv.writer(f, lineterminator="\n")
        out.writerow(["design", "program", *COUNTS])
        for (design, name), numbers in found.items():
            out.writerow([design, name, *(numbers[key] for key in COUNTS)])


def main():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--no-build", action="store_true")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    if options.help or options.list:
        print(__doc__.strip() if options.help else
              "\n".join(f"{name:8} {about}" for name, (about, *_) in PROGRAMS.items()))
        return 0
    unknown = [name for name in options.names if name not in PROGRAMS]
    if unknown or (options.record and options.names):
        raise machine.Unusable(f"no such program: {unknown[0]}; --list shows them" if unknown else
                               "what is recorded are all programs")
    names, designs = options.names or list(PROGRAMS), bench.all_designs()
    if not options.no_build:
        bench.build()
    found = measure(names, designs)
    made = tables(found, names, designs)
    for title, table in made.items():
        print(title)
        bench.print_table(*table)
    path = RECORDED if options.record else machine.build_path("programs.csv")
    write(path, found)
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
