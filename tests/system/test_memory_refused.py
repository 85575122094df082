"""Promises of memory that are refused now and then, in a debug kernel, which checks
every address space after each operation: programs may fail, nothing else, and nothing is
lost."""
import re

import guest
import pytest

# maptest and the last two are asked often enough: of one promise in eleven refused, two commands in
# three fail, and maptest wants to be refused at two places.
MAPTESTS = 24
COMMANDS = ("forktest; stressfs; ls > x; sort x | wc; rm x; " + "maptest; " * MAPTESTS
            + "forktest; grind 20; grind 20; "
            + "ps -l; " * 20 + "sysinfo; " * 20)


def in_use(*options):
    """KiB that are in use or promised, but for init's and the shell's: malloc asks for less
    when sbrk has refused, and then the heap has another size."""
    done = guest.run("--debug", "--harts", 2, *options, "-c", COMMANDS)
    assert done.returncode != 134, done.stdout + done.stderr
    found = re.findall(r"(\d+) in use or promised", done.stdout)
    own = [re.findall(rf"(?m)^ +{pid} .*K +\d+ +(\d+) .* {name}$", done.stdout)
           for pid, name in ((1, "init"), (2, "sh"))]
    assert found and all(own), done.stdout
    return int(found[-1]) - 4 * sum(int(pages[-1]) for pages in own), done.stdout


@pytest.mark.designs("mirror")
@pytest.mark.parametrize("period", [11, pytest.param(20, marks=pytest.mark.hand)])
def test_refused_promises_lose_nothing(design, period):
    usual, output = in_use("--design", design)
    assert "FAILED" not in output and output.count("maptest: OK") == MAPTESTS, output
    after, output = in_use("--design", design, "--append", f"fail_commit={period}")
    assert "cannot fork" in output or "fork failed" in output
    assert "no memory for shared memory" in output and "no memory for a shared file" in output
    assert after == usual and "FAILED" not in output, output


def test_no_memory_to_look_is_said():
    """Process 1 has not ended when there is no page to tell of it in."""
    said = set()
    for period in range(9, 60):
        done = guest.run("--debug", "--append", f"fail_commit={period}", "-c",
                         "; ".join(["vmmap 1; vmwalk 0 1; vmprint -u 1"] * 3))
        assert "has ended" not in done.stdout
        said |= set(re.findall(r"(?m)^(\w+): process 1 cannot be looked at: ", done.stdout))
        if said == {"vmmap", "vmwalk", "vmprint"}:
            return
    assert False, f"said by {said} alone"
