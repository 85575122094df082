"""The guest's own test suite, under every design."""
import guest
import machine
import pytest
from guesttests import names_that_match
from xv6check import check
from xv6fs import Image

pytestmark = pytest.mark.long


def usertests(*args, command="usertests"):
    done = guest.run("--timeout", guest.LONG_DEADLINE, *args, "-c", command,
                     timeout=guest.LONG_DEADLINE + guest.DEADLINE)
    failed = [line for line in done.stdout.splitlines() if "FAILED" in line]
    assert done.returncode == 0 and "ALL TESTS PASSED" in done.stdout, \
        "\n".join(failed) + "\n" + done.stdout[-guest.TAIL:] + done.stderr
    return done.stdout


def test_heap_of_several_gib(design):
    """Which the machines below are too small for; under one design all of it is granted, and
    touched here and there."""
    if guest.host_mib() < 5000:
        pytest.skip("the host has too little memory for a machine of 4 GiB")
    most = " out_of_memory" if design == machine.default_design() else ""
    output = usertests("--design", design, "--mem", "4G",
                       command="usertests heap_past_ram_base" + most)
    assert "too little memory" not in output


# The slow tests of files and disks do the same under every design: what it changes there are the
# copies of user memory, and those are in the quick tests, too.
SLOW_OF_MEMORY = "heap_past_uart heap_past_ram_base out_of_memory_by_kernel " \
    "stress_memory_contended most_of_memory_forks inspect_who_comes_and_goes vmprint " \
    "long_calls_let_others_run"
SLOW_OF_DISKS = "disk_full disk_full_many disk_no_inodes file_larger_than_cache"
NOT_OF_DISKS = f"usertests -q && usertests {SLOW_OF_MEMORY}"


# The other designs run some in test_paging.py, on as many harts with more levels of page tables,
# and in test_machines.py, on one or two.
@pytest.mark.wide
@pytest.mark.designs("unify")
def test_all(design):
    usertests("--design", design, command=NOT_OF_DISKS)


@pytest.mark.wide
def test_threads(design):
    usertests("--design", design, command="threadtests")


@pytest.mark.wide
def test_signals(design):
    usertests("--design", design, command="signaltests")


def test_numbers_begin_again():
    """The numbers of processes and threads come to their end, and begin again."""
    usertests("--append", "first_id=1073741780",
              command="usertests fork group wait threads && ps")


@pytest.mark.designs("share")
def test_smallest_machine(design):
    usertests("--design", design, "--harts", 1, "--mem", "32M", command="usertests" if
              design == machine.default_design() else NOT_OF_DISKS)


@pytest.mark.wide
def test_full_disk_on_several_harts(tmp_path):
    """A small one, which is full soon: a request wakes a hart, and that takes long here."""
    ours, small = Image.load(machine.default_image()), Image.make(1600, 150, 31)
    for path in ("init", "bin/sh", "tests/usertests"):
        small.write_file(path, ours.read(path))
    small.save(tmp_path / "small")
    usertests("--disk", tmp_path / "small", command=f"usertests {SLOW_OF_DISKS}")
    assert check(Image.load(tmp_path / "small")) == []


def test_every_slow_test_is_one_of_these():
    slow = names_that_match(r'^    \{"(\w+)", \w+, true\},')
    assert slow and slow == set(f"{SLOW_OF_MEMORY} {SLOW_OF_DISKS}".split())


# More harts than the host has processors take long.
@pytest.mark.hand
@pytest.mark.wide
def test_large_machine():
    usertests("--harts", 8, "--mem", "2G", command="usertests -q")


def test_commit_lazy():
    """Nothing is promised: what the course kernels' tests ask for is granted, and all else is
    as ever. The promise's own tests are left out, since they would find none. Memory is small
    since all of it is touched here."""
    usertests("--commit", "lazy", "--debug", "--mem", "64M",
              command="usertests lazy views bounds protect exec_runs quick_children large_heap")


def test_a_refusal_is_said_once():
    output = usertests(command="usertests fork_without_memory most_of_memory_forks")
    said = [line for line in output.splitlines() if "commit=lazy" in line]
    assert len(said) == 1 and said[0].startswith("Trellis: ") and "--commit lazy" in said[0]


@pytest.mark.wide
@pytest.mark.designs("mirror")
def test_debug_kernel(design):
    usertests("--debug", "--design", design, "--harts", 3, command="usertests -q")


@pytest.mark.hand
def test_debug_kernel_on_one_hart():
    """Which never runs another's processes."""
    usertests("--debug", "--harts", 1, command="usertests -q")
