"""The guest's own test suite, under every design."""
import guest
import pytest


def usertests(*args, command="usertests"):
    done = guest.run("--timeout", guest.LONG_DEADLINE, *args, "-c", command,
                     timeout=guest.LONG_DEADLINE + guest.DEADLINE)
    failed = [line for line in done.stdout.splitlines() if "FAILED" in line]
    assert done.returncode == 0 and "ALL TESTS PASSED" in done.stdout, \
        "\n".join(failed) + "\n" + done.stdout[-guest.TAIL:] + done.stderr


@pytest.mark.parametrize("harts", [1, 3, 8])
def test_quick(design, harts):
    usertests("--design", design, "--harts", harts, command="usertests -q")


@pytest.mark.parametrize("mem", ["32M", "2G"])
def test_other_memory(design, mem):
    usertests("--design", design, "--mem", mem, command="usertests -q")


def test_all(design):
    usertests("--design", design)


def test_debug_kernel():
    usertests("--debug", command="usertests -q")
