"""Each fuzzer on its corpus and beyond it, always the same inputs: together some 15 seconds of
one processor. By hand for longer: see the Makefile."""
import glob
import os
import shutil
import subprocess

import machine
import pytest

TARGETS = sorted(os.path.basename(path)[len("fuzz_"):-len(".c")]
                 for path in glob.glob(os.path.join(machine.ROOT, "tests", "fuzz", "fuzz_*.c")))
# The page tables and address spaces most: some 6 seconds each.
RUNS = {"range": 300000, "elf": 300000, "fdt": 200000, "pt": 1500, "aspace": 12, "threads": 15}
LONGEST = {"threads": 1500}  # bytes of an input; else 512
DEADLINE = 150  # seconds for each; only a very busy host needs so many

pytestmark = pytest.mark.skipif(not shutil.which("clang"), reason="clang is not installed")


# Those of what seldom changes, and was run for long, are for hand runs.
SELDOM = ("elf", "fdt", "range", "pt")


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.hand) if name in SELDOM else name for name in TARGETS])
def test_fuzz(tmp_path, name):
    machine.build(targets=[f"{machine.BUILD}/fuzz/fuzz_{name}"])
    target = machine.build_path("fuzz", f"fuzz_{name}")
    corpus = tmp_path / "corpus"
    shutil.copytree(os.path.join(machine.ROOT, "tests", "fuzz", "corpus", name), corpus)
    done = subprocess.run([target, "-seed=1", f"-runs={RUNS[name]}",
                           f"-max_len={LONGEST.get(name, 512)}", "-timeout=60",
                           f"-max_total_time={DEADLINE}", f"-artifact_prefix={tmp_path}/", corpus],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          encoding="utf-8", errors="replace")
    found = [f"{path.name}: {path.read_bytes().hex()}"
             for path in tmp_path.iterdir() if path.is_file()]
    assert done.returncode == 0, "\n".join([done.stdout[-6000:], *found])
