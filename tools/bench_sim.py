#!/usr/bin/env python3
"""Compares ./sim with QEMU in one run: `make bench-sim`.

    tools/bench_sim.py [--quick]    --quick: `usertests fork` in place of all of usertests -q

Ratios of processor time, ours to QEMU's, each machine with one hart; the aims are at most 15
with the strict rules off, and 40 with them on. A time alone would be this host's."""
import os
import resource
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import machine  # noqa: E402
import sim  # noqa: E402

sys.path.insert(0, os.path.join(machine.ROOT, "tests", "sim"))
import emulators  # noqa: E402

OFF = ("--no-keep", "--no-stale-code", "--svadu", "--misaligned")


def seconds(command, says=""):
    """Of processor time; it must end with 0 and print the word."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          encoding="utf-8", errors="replace")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0 or says not in done.stdout:
        raise machine.Unusable(f"{' '.join(command)}: status {done.returncode}\n"
                               + done.stdout[-2000:] + done.stderr[-2000:])
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name, qemu, ours, says=""):
    base = seconds(qemu, says)
    for rules, options in (("rules off", OFF), ("all rules", ())):
        print(f"{name:22} {rules:10} {seconds([*ours, *options], says) / base:6.1f} times QEMU",
              flush=True)


def main(args):
    tests = "fork" if "--quick" in args else "-q"
    machine.build(targets=("all", "sim"))
    loop = machine.build_path("machine", "loop.elf")
    emulators.assemble([os.path.join(machine.ROOT, "tests", "sim", "loop.S")], loop)
    compare("loop of arithmetic",
            [machine.QEMU, "-M", "virt", "-bios", "none", "-display", "none", "-kernel", loop],
            [*sim.command(), "--kernel", loop])
    words = f"panic=exit quiet trace=poweroff -- usertests {tests}"
    design = machine.default_design()
    compare(f"usertests {tests}",
            machine.qemu_command(design, harts=1, append=words),
            [*sim.command(), "--kernel", os.path.join(machine.kernel_folder(), "kernel.elf"),
             "--disk", machine.default_image(), "--append", f"design={design} {words}"],
            "ALL TESTS PASSED")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (machine.Unusable, emulators.Failed) as e:
        print(f"bench-sim: {e}", file=sys.stderr)
        sys.exit(2)
