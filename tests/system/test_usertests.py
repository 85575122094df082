"""The guest's own test suite, under every design."""
import guest
import pytest


def usertests(*args, command="usertests"):
    done = guest.run("--timeout", guest.LONG_DEADLINE, *args, "-c", command,
                     timeout=guest.LONG_DEADLINE + guest.DEADLINE)
    failed = [line for line in done.stdout.splitlines() if "FAILED" in line]
    assert done.returncode == 0 and "ALL TESTS PASSED" in done.stdout, \
        "\n".join(failed) + "\n" + done.stdout[-guest.TAIL:] + done.stderr


def test_all(design):
    usertests("--design", design)


# Of the quick part, what another machine may change.
@pytest.mark.parametrize("harts", [1, 8])
def test_harts(design, harts):
    usertests("--design", design, "--harts", harts, command="usertests -q")


def test_small_memory(design):
    usertests("--design", design, "--mem", "32M", command="usertests -q")


def test_large_memory():
    usertests("--mem", "2G", command="usertests -q")


def test_debug_kernel():
    usertests("--debug", command="usertests -q")
