"""Random calls of both interfaces (user/fuzz) under the debug kernel: no program makes it panic or
hang, and nothing changes that no call was told to change. A short sample; by hand
FUZZ_SEEDS=1-200 FUZZ_CALLS=25000 ./test test_fuzz_calls makes ten million calls."""
import os
import re
import subprocess

import cpio
import guest
import machine
import pytest

SEEDS = guest.seeds("FUZZ_SEEDS", "1")
CALLS = int(os.environ.get("FUZZ_CALLS", "2500"))
# Threads may use their own memory, and files, at once: the kernel's copies of that, and its look at
# the word of a futex.
COPIES = (r"(?:(?:ucopy\.S|string\.c|design_walk\.c):\d+ \(\w+\)|"
          r"futex\.c:\d+ \(lock_both_if\)|userword\.c:\d+ \(user_word_exchange\))")
USERS_RACE = re.compile(rf".* at {COPIES}, which hart \d has \w+ \w+ at {COPIES}, .* the two")
PROGRAMS = ("fuzzcalls", "fuzzlinux")
DEADLINE = 600 + CALLS / 20  # seconds, for one seed


def judge(text, status, program):
    assert status == 0 and text.count(f"{program}: OK\n") == 1, text[-guest.TAIL:]
    assert guest.PANIC.search(text) is None, text[-guest.TAIL:]


def place(seed):
    """Each design on one hart and on three, in turn."""
    designs = machine.designs()
    return designs[seed % len(designs)], 1 if seed // len(designs) % 2 else 3


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_on_a_disk(program, seed):
    design, harts = place(seed)
    done = guest.run("--debug", "--design", design, "--harts", harts, "-c",
                     f"{program} {CALLS} {seed}", timeout=DEADLINE)
    judge(done.stdout, done.returncode, program)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_memory_is_refused(program, seed):
    """Each four-hundredth promise, so that the program itself begins some time."""
    design, harts = place(seed + 1)
    done = guest.run("--debug", "--design", design, "--harts", harts, "--append", "fail_commit=400",
                     "-c", " || ".join([f"{program} {CALLS} {seed}"] * 4),
                     timeout=DEADLINE)
    judge(done.stdout, done.returncode, program)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Files in memory, devices and /proc, and the disk at /xv6."""
    made = cpio.Archive()
    for folder in ("bin", "dev", "proc", "tests", "tmp", "xv6"):
        made.add_folder(folder)
    for name, path in (("init", "init"), ("sh", "bin/sh"), ("true", "bin/true"),
                       *((name, f"tests/{name}") for name in PROGRAMS)):
        with open(machine.build_path("user", "bin", name), "rb") as f:
            made.add_file(path, f.read(), 0o755)
    made.add_device("console", 1, 0)
    path = tmp_path_factory.mktemp("fuzz") / "root.cpio"
    path.write_bytes(made.bytes())
    return path


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_in_memory(boot, root, program, seed):
    design, harts = place(seed + 2)
    machine_ = boot(design=design, harts=harts, debug=True, extra=("-initrd", str(root)),
                    append=f"panic=exit quiet -- cd /tmp && /tests/{program} {CALLS} {seed}")
    status = machine_.wait_end(DEADLINE)
    judge(machine_.text, status, program)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_machine_finds_nothing(program, seed):
    """On ./sim, which looks for races, and for frames that are used after they were given back."""
    design, _ = place(seed + 3)
    machine.build(targets=("sim",))
    kernel = os.path.join(machine.kernel_folder(), "kernel.elf")
    done = subprocess.run(
        [os.path.join(machine.ROOT, "sim"), "--kernel", kernel, "--disk", machine.default_image(),
         "--harts", "3", "--races", "--seed", str(seed), "--append",
         f"design={design} panic=exit quiet trace=poweroff -- {program} {CALLS} {seed}"],
        capture_output=True, encoding="utf-8", errors="replace", timeout=DEADLINE, check=False)
    found = [line for line in done.stderr.splitlines()
             if line.startswith("sim: finding:") and not USERS_RACE.match(line)]
    judge(done.stdout, 0, program)
    assert "instructions, " in done.stderr and not found, "\n".join(found)
