"""The power fails under our own machine, before one disk request after the other, and the kernel
starts again: what it had promised is there, and the disk is in order.

test_power.py makes the states of a cut from QEMU's record and looks at them itself; here it is
the kernel that recovers from each. By hand, for other seeds: CUTS_SEEDS=1-20 ./test test_sim_cuts
"""
import os
import re
import shutil
import subprocess

import machine
import pytest
from guest import seeds
from test_disk import make_image
from xv6check import check
from xv6fs import Image

SIM = machine.build_path("machine", "sim")  # ./sim has built it
ROUNDS = 3
BEFORE = "design={design} panic=exit quiet {words} -- "
# A round's number is printed when all that was done in it is durable.
DONE = "echo 0; " + "".join(
    f"cat sh > b{i}; mkdir d{i}; echo {i} > f{i}; ln f{i} d{i}/l; sync; echo {i}; "
    f"rm b{i - 1}; rm d{i - 1}/l; rmdir d{i - 1}; "
    for i in range(1, ROUNDS + 1))
# {} is the number that was printed last. The disk can be written to, too.
CHECK = "grep {} f{} && cat b{} > x && rm x && mkdir new && sync"


@pytest.fixture(scope="module", autouse=True)
def built():
    subprocess.run([os.path.join(machine.ROOT, "sim"), "--help"], check=True, capture_output=True)


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    path = tmp_path_factory.mktemp("cuts") / "disk"
    made = make_image(path, 1200, 64, 31, "cat", "echo", "mkdir", "rm", "rmdir", "ln", "grep",
                      "sync")
    made.write_file("f0", b"0\n")
    made.write_file("b0", b"0\n")
    made.make_folder("d0")
    made.write_file("d0/l", b"0\n")
    made.save(path)
    # the first boot writes, too
    assert sim(path, "--keep-disks", first=":", after=None).returncode == 0
    return path


def sim(disk, *options, design=None, words="", first=DONE, after=CHECK):
    before = BEFORE.format(design=design or machine.default_design(), words=words)
    kernel = os.path.join(machine.kernel_folder(False), "kernel.elf")
    command = [SIM, "--kernel", kernel, "--disk", disk, "--append", before + first,
               "--quiet", *options, *(["--append-after", before + after] if after else [])]
    return subprocess.run(list(map(str, command)), check=False, capture_output=True,
                          encoding="utf-8", errors="replace", timeout=600,
                          stdin=subprocess.DEVNULL)


def counts(done):
    found = re.search(r"(\d+) cuts in (\d+) disk requests, (\d+) restarts failed", done.stderr)
    assert found, done.stderr
    return [int(n) for n in found.groups()]


def assert_kept(done):
    cuts, requests, failed = counts(done)
    assert (done.returncode, failed) == (0, 0), done.stderr
    assert 50 < cuts <= requests + 1 and f"\n{ROUNDS}\n" in done.stdout


@pytest.mark.designs("walk", "share")
@pytest.mark.parametrize("seed", seeds("CUTS_SEEDS", "1"))
def test_promises_are_kept(disk, seed, design):
    assert_kept(sim(disk, "--cut", "all", "--seed", seed, design=design))


@pytest.mark.hand
@pytest.mark.parametrize("seed", seeds("CUTS_SEEDS", "1"))
def test_promises_are_kept_with_a_commit_for_each_call(disk, seed):
    assert_kept(sim(disk, "--cut", "all", "--seed", seed, words="sync=always"))


@pytest.mark.parametrize("seed", seeds("CUTS_SEEDS", "1"))
def test_disks_are_in_order(disk, tmp_path, seed):
    """Of each cut what the restart leaves, which has done nothing but to recover."""
    copy = tmp_path / "disk"
    shutil.copyfile(disk, copy)
    done = sim(copy, "--cut", "all", "--seed", seed, "--keep-disks", words="sync=always", after=":")
    assert done.returncode == 0, done.stderr
    left = sorted(tmp_path.glob("disk.*"))
    assert len(left) == counts(done)[0] > 100
    broken = {path.name: found[:3] for path in left if (found := check(Image.load(path)))}
    for path in left:
        path.unlink()
    assert broken == {}


def test_a_cut_can_be_repeated(disk, tmp_path):
    """What fails among all fails alone, and what does not does not."""
    after = CHECK + f" && cat f{ROUNDS - 1}"  # not promised before
    done = sim(disk, "--cut", "all", after=after)
    cuts, requests, failed = counts(done)
    assert done.returncode == 1 and 0 < failed < cuts
    told = [int(n) for n in re.findall(r"cut (\d+): the restart had status 1", done.stderr)]
    assert len(told) == min(failed, 10)
    assert f"the first of them again: --cut {told[0]} --seed 1" in done.stderr
    for number in (told[0], told[-1]):
        assert sim(disk, "--cut", number, after=after).returncode == 1
    copy = tmp_path / "disk"
    shutil.copyfile(disk, copy)
    sim(copy, "--cut", "all", "--keep-disks")
    one = tmp_path / "one"
    shutil.copyfile(disk, one)
    sim(one, "--cut", told[0], "--keep-disks")
    assert one.read_bytes() == (tmp_path / f"disk.{told[0]}").read_bytes() != disk.read_bytes()
    done = sim(disk, "--cut", requests + 1, after=after)
    assert done.returncode == 0, done.stdout
    assert f"\nsim: power cut at the end, after {requests} disk requests\n" in done.stderr
    done = sim(disk, "--cut", requests + 2)
    assert done.returncode == 2
    assert f"no cut {requests + 2}: the machine ended after {requests} disk" in done.stderr


def test_typed_commands(disk):
    """-c and --then type at prompts, in place of the kernel's arguments."""
    kernel = os.path.join(machine.kernel_folder(False), "kernel.elf")
    command = [SIM, "--kernel", kernel, "--disk", str(disk), "--append", "quiet", "--quiet",
               "-c", "echo one > f\nsync\ncat f", "--then", "cat f0"]

    def run(number):
        return subprocess.run([*command, "--cut", number], check=False, capture_output=True,
                              encoding="utf-8", timeout=60)
    done = run("all")
    cuts, requests, failed = counts(done)
    assert done.returncode == failed == 0 and cuts > 5, done.stderr
    done = run(str(requests + 1))
    assert done.returncode == 0 and done.stdout.endswith("$ cat f0\n0\n$ "), done.stdout


def test_requests_fail(disk):
    """Who waits for durability is told; a restart reads what was durable before."""
    _, requests, _ = counts(sim(disk, "--cut", "all", after=":"))
    done = sim(disk, "--fail-request", requests - 5, "--cut", requests)
    assert "takes no more changes" in done.stdout, done.stdout
    done = sim(disk, "--fail-sectors", "2-3", "--cut", 1)
    assert done.returncode == 1 and "cannot be used" in done.stdout


@pytest.mark.parametrize("words, said", [
    (["--cut", "0"], "--cut is the number of a disk request"),
    (["--fail-sectors", "5-2"], "--fail-sectors is a range"),
    (["--fail-request", "x"], "--fail-request is the number"),
    (["--then", "ls"], "--then is for --cut")])
def test_mistakes_in_the_command_line(words, said):
    done = subprocess.run([SIM, "--kernel", "k", "--disk", "d", *words], check=False,
                          capture_output=True, encoding="utf-8")
    assert done.returncode == 2 and said in done.stderr
