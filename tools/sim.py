#!/usr/bin/env python3
"""Builds the machine of machine/ for this host, and becomes it: ./sim."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import doctor  # noqa: E402
import machine  # noqa: E402


def command():
    """The words that every command line of the machine begins with."""
    return [machine.build_path("machine", "sim")]


def build(progress):
    need = ["sh", os.path.join(machine.ROOT, "tools", "need.sh"), "host"]
    status = subprocess.run(need, check=False).returncode
    if status:
        sys.exit(status)
    machine.build(targets=("sim",), progress=progress)


def main(args):
    progress = machine.Progress("Building the machine")
    try:
        build(progress)
    except machine.Unusable as e:
        print(f"sim: {e}", file=sys.stderr)
        return 2
    finally:
        progress.done()
    if "--doctor" in args:
        return doctor.main(args, command())
    os.execv(command()[0], ["sim", *args])
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
