#!/usr/bin/env python3
"""Where the kernel's instructions go: counts those of each function while commands run.

    tools/profile.py [--design NAME] [--top N] [--less COMMANDS] [--per N] COMMANDS

    COMMANDS          for the guest's shell, as with ./run -c
    --less COMMANDS   takes off what these cost, boot included; default: `:`
    --per N           divides the counts, when COMMANDS do a thing N times
    --top N           lines of the table; default 40
    --debug           of the kernel with the checks that cost time
    --lines FUNCTION  also shows how often each block of a function has run

For example, instructions per fork (`bench fork` does 22, see user/bin/bench.c):

    tools/profile.py --less 'bench none' --per 22 'bench fork'

QEMU logs each block of instructions that it runs; one hart, so nothing else does.
"""
import argparse
import bisect
import collections
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import machine  # noqa: E402

KERNEL_START = 1 << 63
TRAMPOLINE = 0x3ffffff000  # kernel/arch/layout.h
ROW = re.compile(rb"0x([0-9a-f]+):")


def symbols(folder):
    """Addresses and names of functions, by address."""
    rows = []
    with open(os.path.join(folder, "kernel.sym"), encoding="utf-8") as f:
        for line in f:
            address, kind, name = line.split()
            if kind in "tT" and not name.startswith((".", "$")):
                rows.append((int(address, 16), name))
    rows.sort()
    return [r[0] for r in rows], [r[1] for r in rows]


def read_log(log):
    """How often each block has begun, and how many instructions it has, by address."""
    runs = collections.Counter()
    length = {}
    start = None
    for line in log:
        if line.startswith(b"Trace"):
            runs[line.split(b"/", 2)[1]] += 1
        elif line.startswith(b"0x"):
            address = ROW.match(line)[1]
            if start is None:
                start = int(address, 16)
                length[start] = 0
            length[start] += 1
        else:
            start = None  # the line before or behind a listing
    return {int(pc, 16): n for pc, n in runs.items()}, length


def trace(design, commands, debug=False):
    """Instructions by the address of their block."""
    with tempfile.TemporaryDirectory() as folder:
        fifo = os.path.join(folder, "log")
        os.mkfifo(fifo)
        command = machine.qemu_command(
            design, harts=1, console=("-display", "none", "-monitor", "none", "-serial", "stdio"),
            append="panic=exit quiet -- " + commands, debug=debug,
            extra=("-d", "exec,in_asm,nochain", "-D", fifo))
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as qemu:
            with open(fifo, "rb", buffering=1 << 20) as log:
                runs, length = read_log(log)
            output = qemu.stdout.read()
        if qemu.returncode:
            sys.stderr.buffer.write(output)
            sys.exit(f"profile: `{commands}` ended with status {qemu.returncode}")
    return collections.Counter({pc: n * length.get(pc, 1) for pc, n in runs.items()})


def place(pc, addresses, names):
    if pc >= KERNEL_START:
        i = bisect.bisect_right(addresses, pc) - 1
        return names[i] if i >= 0 else "?"
    if pc >= TRAMPOLINE:
        return "(trampoline)"
    return "(firmware)" if pc >= 1 << 31 else "(user)"


def main():
    parser = argparse.ArgumentParser(description="Instructions of each kernel function.")
    parser.add_argument("commands")
    parser.add_argument("--design", default=machine.default_design())
    parser.add_argument("--less", default=":")
    parser.add_argument("--per", type=int, default=1)
    parser.add_argument("--top", type=int, default=40)
    parser.add_argument("--lines")
    parser.add_argument("--debug", action="store_true")
    options = parser.parse_args()
    machine.build(options.debug)
    addresses, names = symbols(machine.kernel_folder(options.debug))
    counts = trace(options.design, options.commands, options.debug)
    counts.subtract(trace(options.design, options.less, options.debug))
    by_name = collections.Counter()
    for pc, n in counts.items():
        by_name[place(pc, addresses, names)] += n
    total = sum(by_name.values())
    print(f"{total / options.per:12.1f}        all")
    for name, n in by_name.most_common(options.top):
        print(f"{n / options.per:12.1f} {100 * n / total:5.1f} % {name}")
    if options.lines:
        for pc, n in sorted(counts.items()):
            if n and place(pc, addresses, names) == options.lines:
                print(f"  {pc:#x} {n / options.per:12.1f}")


if __name__ == "__main__":
    machine.die_by_signals()
    try:
        main()
    except machine.Unusable as e:
        sys.exit(f"profile: {e}")
