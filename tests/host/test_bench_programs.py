"""What make bench-programs makes of what its guest says."""
import os
import subprocess
import sys

import bench_programs
import machine
import pytest

COUNTS = "".join(f"{name:14} {i + 1:12}\n" for i, name in enumerate(bench_programs.COUNTS))
TOOL = os.path.join(machine.ROOT, "tools", "bench_programs.py")


def part(design, name, out, status=0, counts=COUNTS, says=""):
    return f"= {design} {name}\nstatus {status}\n{out}- counts\n{says}{counts}"


def said(*parts):
    return "from the firmware\n" + "".join(parts) + "= done\n"


def test_what_is_read():
    found = bench_programs.read(said(part("walk", "sh", "a 1\nb\n", says="warning: x\n"),
                                     part("share", "sh", "", 3)))
    status, out, numbers, others = found["walk", "sh"]
    assert (status, out, others) == ("0", "a 1\nb\n", "warning: x\n")
    assert numbers["instructions"] == 1 and numbers["bytes_out"] == len(bench_programs.COUNTS)
    assert found["share", "sh"][:2] == ("3", "")


@pytest.mark.parametrize("wrong", [
    {"out": "other\n"}, {"status": 1}, {"counts": COUNTS.replace("faults", "sluaf")}])
def test_a_program_that_does_something_else(wrong):
    right = {"out": bench_programs.PROGRAMS["sort"].prints}
    good = part("walk", "sort", **right)
    bench_programs.check(bench_programs.read(said(good)), ["sort"], ["walk"])
    both = said(good, part("share", "sort", **{**right, **wrong}))
    with pytest.raises(machine.Unusable, match="sort under share"):
        bench_programs.check(bench_programs.read(both), ["sort"], ["walk", "share"])


def test_the_script_runs_each_under_each_design():
    lines = bench_programs.script(["sh", "lua"], {"walk": "vmstat", "share": "vmstat"}).splitlines()
    runs = [line for line in lines if "vmstat" in line]
    assert len(runs) == 4 and all(f"/bench/run-{name} " in line for name, line in
                                  zip(["sh", "lua"] * 2, runs))
    assert lines[-1] == "echo '= done'"


@pytest.mark.parametrize("words, says", [
    (["--list"], "sqlite       SQLite"), (["--help"], "make bench-programs"),
    (["nosuch"], "no such program: nosuch; --list shows them"),
    (["--record", "sh"], "what is recorded are all programs")])
def test_arguments(words, says):
    done = subprocess.run([sys.executable, TOOL, *words], check=False, capture_output=True,
                          encoding="utf-8")
    assert says in done.stdout + done.stderr
    assert done.returncode == (0 if words[0] in ("--list", "--help") else 2)
