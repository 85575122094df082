"""The whole programs of Linux that tools/bench_programs.py measures: Debian's, unchanged, with what
each has to print. The same archive, with other words to begin with, is run on Linux itself.
"""
from collections import namedtuple

import linuxroot
import packages

FOLDER = "bench"
# about: what it is. packages: beside busybox, with all that they depend on; alone: without.
# prints: what the command has to print.
Program = namedtuple("Program", "about packages alone command prints")

# What the program is linked with, of 57 packages that it is said to depend on: the others are for
# graphics, and have a compiler of 120 MiB.
STRESS = ("stress-ng", "libacl1", "libapparmor1", "libatomic1", "libbsd0", "libcap2", "libcrypt1",
          "libdrm2", "libegl1", "libexpat1", "libgbm1", "libgles2", "libglvnd0", "libgmp10",
          "libjpeg62-turbo", "libjudydebian1", "libkmod2", "liblzma5", "libmd0", "libmpfr6",
          "libsctp1", "libssl3t64", "libxxhash0", "libzstd1", "zlib1g")
REDIS = ("redis-server", "redis-tools", "libatomic1", "libjemalloc2", "liblzf1", "libssl3t64",
         "libsystemd0", "libcap2", "libzstd1", "zlib1g")

FILES = {
    "program.lua": """
local t = {}
for i = 1, 20000 do t[i] = (i * 7919) % 20011 end
table.sort(t)
local s = {}
for i = 1, 2000 do s[#s + 1] = tostring(t[i]) .. ";" end
local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
print(t[1], t[20000], #table.concat(s), fib(18))
""",
    "program.sql": """
create table t(a integer primary key, b text);
with recursive c(x) as (select 1 union all select x + 1 from c where x < 2000)
  insert into t select x, 'row ' || (x * 7919 % 2003) from c;
create index i on t(b);
select count(*), min(b), max(b) from t where b like 'row 1%';
""",
    "program.py": """
print(sum(i * i for i in range(3000)), len(repr({i: str(i) for i in range(500)})))
""",
    "Makefile": """
STEPS := $(shell seq 1 40)
all: $(STEPS:%=/tmp/made/%) ; @cat $^ | wc -l
/tmp/made/%: ; @mkdir -p /tmp/made; seq 1 $* > $@
""",
    # A server that keeps nothing on a disk, and one client: each command goes there and back.
    "redis": """
redis-server --port 6379 --save '' --ignore-warnings ARM64-COW-BUG --unixsocket /tmp/redis.sock \\
    > /tmp/redis.log 2>&1 &
until redis-cli -s /tmp/redis.sock ping 2> /dev/null | grep -q PONG; do usleep 20000; done
(i=0; while [ $i -lt 500 ]; do echo "incr n"; echo "lpush l $i"; i=$((i + 1)); done; echo "get n"
 echo "llen l") | redis-cli $1 | tail -n 2
redis-cli shutdown nosave
wait
""",
}


def stressed(words):
    """The command of a class of stress-ng's, which tells of itself by its status alone."""
    return f"stress-ng --quiet --no-rand-seed {words} > /tmp/log 2>&1 && echo passed || " \
           "cat /tmp/log"


def plain(about, command, prints, *names, alone=()):
    return Program(about, names, alone, command, prints)


PROGRAMS = {
    "sh": plain(
        "the shell: 40 pipes of two programs",
        "i=0; while [ $i -lt 40 ]; do echo $i | cat | wc -c; i=$((i + 1)); done | sort | uniq -c",
        "     10 2\n     30 3\n"),
    "sort": plain("sort of 5000 numbers", "seq 1 5000 | sort -r | head -n 1", "999\n"),
    "awk": plain(
        "awk: a sum of 20 000",
        "busybox awk 'BEGIN { for (i = 0; i < 20000; i++) s += i % 7; print s }'", "59997\n"),
    "md5sum": plain(
        "md5sum of 1 MiB from dd", "dd if=/dev/zero bs=64k count=16 2>/dev/null | md5sum",
        "b6d81b360a5672d80c27430f39153e2c  -\n"),
    "gzip": plain("gzip and back of 48 KiB", "seq 1 10000 | gzip | gunzip | md5sum",
                  "72d4ff27a28afbc066d5804999d5a504  -\n"),
    "steps": plain(
        "30 small steps, four at a time",
        "i=0; while [ $i -lt 30 ]; do for j in 1 2 3 4; do (echo $i > /tmp/s$j; "
        "cp /tmp/s$j /tmp/t$j; rm /tmp/t$j) & done; wait; i=$((i + 4)); done; "
        "cat /tmp/s[1-4] | sort -u", "28\n"),
    "make": plain(
        "make: 40 small steps, four at a time",
        "make -s -j4 -f /bench/Makefile; rm -r /tmp/made", "820\n", "make"),
    "lua": plain("Lua: sort, strings, recursion", "lua5.4 /bench/program.lua",
                 "1\t20010\t8895\t2584\n", "lua5.4"),
    "sqlite": plain(
        "SQLite: 2000 rows, an index, a query",
        "sqlite3 /tmp/$$.db < /bench/program.sql; rm -f /tmp/$$.db", "1110|row 1|row 1999\n",
        "sqlite3"),
    "python": plain("Python: start, and a little work", "python3 -S /bench/program.py",
                    "8995500500 5780\n", "python3-minimal"),
    "bash": plain(
        "bash: 500 lines of its own",
        "bash -c 'for ((i = 0; i < 500; i++)); do a[i]=${i}x; done; echo ${#a[@]} ${a[499]}'",
        "500 499x\n", "bash"),
    "perl": plain(
        "Perl: a hash of 5000",
        "perl -e 'my %h; $h{$_ % 1000} += $_ for 1 .. 5000; print scalar(keys %h), "
        "\" $h{7}\\n\"'", "1000 10035\n", "perl-base"),
    "redis-tcp": plain("redis: 1000 commands over TCP", "sh /bench/redis", "500\n500\n",
                       "libstdc++6", alone=REDIS),
    "redis-unix": plain("redis: the same over a socket of AF_UNIX",
                        "sh /bench/redis '-s /tmp/redis.sock'", "500\n500\n", "libstdc++6",
                        alone=REDIS),
    "vm": plain("stress-ng: vm, 4 MiB 40 times",
                stressed("--vm 1 --vm-bytes 4m --vm-ops 40 --vm-method write64"), "passed\n",
                "libstdc++6", alone=STRESS),
    "fork": plain("stress-ng: fork, 300 times", stressed("--fork 1 --fork-ops 300"), "passed\n",
                  "libstdc++6", alone=STRESS),
    "futex": plain("stress-ng: futex, 200 times", stressed("--futex 1 --futex-ops 200"),
                   "passed\n", "libstdc++6", alone=STRESS),
    "threads": plain("stress-ng: threads, 200", stressed("--pthread 1 --pthread-ops 200"),
                     "passed\n", "libstdc++6", alone=STRESS),
}


def tree(names):
    """What these programs need, and no script yet."""
    whole = sorted({package for name in names for package in PROGRAMS[name].packages})
    alone = sorted({package for name in names for package in PROGRAMS[name].alone})
    path = linuxroot.busybox()
    debs = [*packages.get(whole), *packages.get_alone(alone)] if whole or alone else []
    made = linuxroot.tree(path, linuxroot.commands(path), debs)
    for name in names:
        made.add_file(f"{FOLDER}/run-{name}", (PROGRAMS[name].command + "\n").encode())
    for name, text in FILES.items():
        made.add_file(f"{FOLDER}/{name}", text.encode())
    return made


def write(made, script, name):
    """The archive with the script that runs them, /bench/all."""
    made.add_file(f"{FOLDER}/all", script.encode())
    target = packages.folder(name)
    made.write(target)
    return target
