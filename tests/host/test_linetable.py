"""The kernel's table of source lines (tools/linetable.awk), under every awk there is."""
import os
import re
import shutil
import subprocess

import machine
import pytest

AWKS = ["awk", "mawk", "gawk", "gawk --posix", "busybox awk", "original-awk"]
ROWS = [  # address, file, line; two bytes in 2^64 are nothing to a double
    (0xffffffc080200000, "entry.S", 18), (0xffffffc080200002, "entry.S", 19),
    (0xffffffc080200004, "sbi.c", 19), (0xffffffc080200006, "sbi.c", 20),
    (0xffffffc080200006, "sbi.c", 21), (0xffffffc080200008, "sbi.c", 21)]


@pytest.mark.parametrize("awk", AWKS)
def test_every_address_has_its_line(awk):
    if not shutil.which(awk.split()[0]):
        pytest.skip(f"there is no {awk.split()[0]}")
    rows = "".join(f"0x{address:x} {number:07} {file} {line}\n"
                   for number, (address, file, line) in enumerate(ROWS))
    script = os.path.join(machine.ROOT, "tools", "linetable.awk")
    table = subprocess.run([*awk.split(), "-f", script], input=rows, text=True,
                           capture_output=True, check=True).stdout
    assert re.findall(r"\.word 0x(\w+)\n +\.half (\d+), (\d)", table) == [
        ("80200000", "18", "0"), ("80200002", "19", "0"), ("80200004", "19", "1"),
        ("80200006", "21", "1")]
