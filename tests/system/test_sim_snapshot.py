"""A machine that is restored from snapshots goes on as one that never took any: tests/sim/detours.c
has both, and compares all that they have after each piece of their way."""
import os
import re
import subprocess
import sys

import machine
import pytest

sys.path.insert(0, os.path.join(machine.ROOT, "tests", "sim"))
import emulators  # noqa: E402

# It asks for pages of files, is interrupted, writes, and waits for the disk.
WORK = "design={design} panic=exit -- ls; cat sh > b; forktest; sync; cat b | wc"


@pytest.fixture(scope="module")
def detours(tmp_path_factory):
    """The program, compiled with the machine that ./sim has built."""
    subprocess.run([emulators.SIM, "--help"], check=True, capture_output=True)
    path = tmp_path_factory.mktemp("detours") / "detours"
    parts = [os.path.join(folder, name)
             for folder, _, names in os.walk(machine.build_path("machine")) for name in names
             if name.endswith(".o") and os.path.basename(folder) != "cli"]
    subprocess.run([os.environ.get("CC", "cc"), "-g", "-O1", "-I", machine.ROOT, "-o", path,
                    os.path.join(machine.ROOT, "tests", "sim", "detours.c"), *parts], check=True)
    return path


def run(detours, mode, kernel, harts, piece, append, seed=1):
    command = [detours, mode, kernel, machine.default_image(), harts, seed, piece, append]
    done = subprocess.run(list(map(str, command)), check=False, capture_output=True,
                          encoding="utf-8", timeout=300)
    assert done.returncode == 0, done.stderr
    found = re.fullmatch(r"(\d+) pieces, (\d+) instructions, (\d+) findings, status (\d+)\n",
                         done.stdout)
    return [int(n) for n in found.groups()]


@pytest.mark.hand
@pytest.mark.parametrize("harts", [1, 3])
def test_trellis(detours, harts):
    kernel = os.path.join(machine.kernel_folder(False), "kernel.elf")
    append = WORK.format(design=machine.default_design())
    pieces, instructions, findings, status = run(detours, "s", kernel, harts, 90000, append, harts)
    assert pieces > 100 and instructions > 3000000 and (findings, status) == (0, 0)


@pytest.mark.hand
@pytest.mark.parametrize("mode, findings", [("m", 1), ("f", 0)])
def test_what_was_fetched(detours, tmp_path, mode, findings):
    path = str(tmp_path / "stale")
    emulators.assemble([os.path.join(emulators.HERE, "stale.S")], path)
    pieces, _, found, _ = run(detours, mode, path, 1, 333, "")
    assert pieces > 300 and found == findings
