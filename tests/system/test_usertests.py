"""The guest's own test suite, under every design."""
import guest
import pytest


def usertests(*args, command="usertests"):
    done = guest.run("--timeout", guest.LONG_DEADLINE, *args, "-c", command,
                     timeout=guest.LONG_DEADLINE + guest.DEADLINE)
    failed = [line for line in done.stdout.splitlines() if "FAILED" in line]
    assert done.returncode == 0 and "ALL TESTS PASSED" in done.stdout, \
        "\n".join(failed) + "\n" + done.stdout[-guest.TAIL:] + done.stderr


@pytest.mark.wide
def test_all(design):
    usertests("--design", design)


# The quick part again on the smallest machine, and on a large one.
@pytest.mark.parametrize("harts, mem", [(1, "32M"),
                                        pytest.param(8, "2G", marks=pytest.mark.wide)])
def test_machines(design, harts, mem):
    usertests("--design", design, "--harts", harts, "--mem", mem, command="usertests -q")


# One hart never runs another's processes; several move them, and share the locks.
@pytest.mark.parametrize("harts", [1, pytest.param(3, marks=pytest.mark.wide)])
def test_debug_kernel(design, harts):
    usertests("--debug", "--design", design, "--harts", harts, command="usertests -q")
