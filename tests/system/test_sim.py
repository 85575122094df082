"""The machine of ./sim: Trellis on it, the same in every run, and what it says of mistakes."""
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import termios
import time

import machine
import pytest
import sim

sys.path.insert(0, os.path.join(machine.ROOT, "tests", "sim"))
import emulators  # noqa: E402

RUN = os.path.join(machine.ROOT, "run")
SIM = os.path.join(machine.ROOT, "sim")
DEADLINE = 600


def run(*words, **how):
    return subprocess.run(words, capture_output=True, encoding="utf-8", errors="replace",
                          timeout=DEADLINE, check=False, **how)


def trellis(commands, *options, design="share"):
    """Commands in Trellis on the machine, without ./run."""
    return run(SIM, "--kernel", os.path.join(machine.kernel_folder(), "kernel.elf"),
               "--disk", machine.default_image(), *options, "--append",
               f"design={design} panic=exit quiet trace=poweroff -- {commands}")


def no_finding(done):
    assert "finding:" not in done.stderr and ", 0 findings" in done.stderr, done.stderr


@pytest.fixture(scope="module", autouse=True)
def built():
    machine.build(targets=("sim",))


def test_run_sim_is_as_run():
    commands = "ls; echo hello | wc; cat nothing; exit 3"
    there, here = run(RUN, "--no-build", "-c", commands), \
        run(RUN, "--no-build", "--sim", "-c", commands)
    assert (here.returncode, here.stdout) == (3, there.stdout), here.stderr


def piped(text, *words):
    done = run(RUN, "--no-build", "--sim", *words, input=text)
    return done.returncode, done.stdout.replace("$ ", "\n"), done.stderr


@pytest.mark.parametrize("text, shows, status", [
    ("exit 7\n", "\n", 7), ("", "\n", 0), ("echo one\nfalse", "\none\n", 1),
    ("cat >f; cat; sh; wc f; exit 9\nend", "\n1 1 4 f\n", 9), ("sleep 3; true", "\n", 0)],
    ids=["exit", "nothing", "false", "readers", "busy"])
def test_input_from_a_pipe(text, shows, status):
    """All of it arrives, the first key before the kernel has a driver."""
    ended, shown, _ = piped(text)
    assert ended == status and shows in shown and "not found" not in shown, shown


def test_input_from_a_pipe_does_not_depend_on_its_writer():
    writer = ["sh", "-c", "echo ps; sleep 1; echo ps"]
    with subprocess.Popen(writer, stdout=subprocess.PIPE) as slow:
        done = run(RUN, "--no-build", "--sim", stdin=slow.stdout)
    assert (done.returncode, done.stdout.replace("$ ", "\n"), done.stderr) == piped("ps\nps\n")


def test_what_is_written_is_kept(tmp_path):
    image = tmp_path / "fs.img"
    image.write_bytes(open(machine.default_image(), "rb").read())
    done = run(RUN, "--no-build", "--sim", "--disk", str(image), "-c", "echo kept > file")
    assert done.returncode == 0, done.stderr
    assert run(RUN, "--no-build", "--disk", str(image), "-c", "cat file").stdout == "kept\n"


def test_the_same_in_every_run():
    def told(seed):
        done = trellis("grind 40 7", "--harts", "3", "--seed", seed)
        no_finding(done)
        return done.stdout, re.search(r"(\d+) instructions", done.stderr)[1]
    first = told("5")
    assert "grind: OK" in first[0]
    assert told("5") == first
    assert told("6")[1] != first[1]


# Two thirds of the instructions of `usertests -q`: harts wait there, and are busy doing so.
LONG = {"sched", "wait"}


@pytest.mark.hand
def test_usertests():
    """All but LONG. By hand all of it, also with 1 and 8 harts, and under every design."""
    listed = trellis("usertests -l", design=machine.default_design()).stdout
    subjects = sorted({line.split()[0] for line in listed.splitlines() if len(line.split()) > 1
                       and re.fullmatch(r"[a-z]+", line.split()[0])} - LONG)
    assert len(subjects) > 20, listed
    parts = [" ".join(subjects[i:i + 8]) for i in range(0, len(subjects), 8)]
    done = trellis("; ".join(f"usertests -q {part}" for part in parts), "--harts", "3",
                   design=machine.default_design())
    assert done.stdout.count("ALL TESTS PASSED") == len(parts), done.stdout[-3000:]
    no_finding(done)


def test_usertests_typed_at_the_shell():
    """Where the shell is process 2 and leads a group of that number."""
    done = run(SIM, "--kernel", os.path.join(machine.kernel_folder(), "kernel.elf"),
               "--disk", machine.default_image(), "-c", "usertests -q args group")
    assert "ALL TESTS PASSED" in done.stdout, done.stdout[-3000:]
    no_finding(done)


def test_a_design_each(design):
    done = trellis("usertests fork views mmap; grind 20", design=design)
    assert "ALL TESTS PASSED" in done.stdout and "grind: OK" in done.stdout, done.stdout[-3000:]
    no_finding(done)


@pytest.mark.parametrize("options", [("--no-sstc",), ("--svadu",), ("--asid-bits", "0"),
                                     ("--levels", "3"), ("--no-keep",), ("--no-stale-code",),
                                     ("--mem", "32M")])
def test_other_hardware(options):
    done = trellis("forktest; grind 10; ls > x; sort x", *options, "--harts", "2")
    assert "grind: OK" in done.stdout, done.stdout + done.stderr
    no_finding(done)


def test_a_legacy_disk_is_one():
    """Trellis has no driver for it, and says so."""
    done = trellis("ls", "--legacy-disk")
    assert done.returncode not in (0, 2) and "it is a legacy device" in done.stdout, done.stdout


def test_defects_are_reported():
    """A sample of docs/sim-defects.md. QEMU's harts forget too early to see the first one:
    tests/defects tells how it is seen there."""
    done = run("python3", os.path.join(machine.ROOT, "tools", "defects.py"), "--sim",
               "11-no-flush-seen-in-qemu", "27-no-io-fences")
    assert re.search(r"(?m)^reported 27-no-io-fences +share +ring order: hart \d stores the index "
                     r"of a disk's ring at virtio_blk\.c:\d+ \(disk_submit\)", done.stdout)
    assert re.search(r"(?m)^reported 11-no-flush-seen-in-qemu +unify +stale translation: hart \d "
                     r"\w+ (?:to|from) 0x\w+ .*: that was written at pt\.c:\d+ \(pt_unmap\) by "
                     r"hart \d, \d+ instructions ago\. No sfence\.vma", done.stdout), \
        done.stdout + done.stderr


@pytest.mark.parametrize("words, says", [
    ((), "--kernel is needed"),
    (("--kernel",), "--kernel needs a value"),
    (("--harts",), "--harts needs a value"),
    (("--kernel", "x", "--prompt", "p" * 65), "--prompt is one line of at most 64 bytes"),
    (("--frobnicate",), "there is no option --frobnicate"),
    (("--kernel", "/nowhere"), "/nowhere: cannot be read (No such file or directory)"),
    (("--kernel", sim.command()[0]), "not an ELF for RISC-V, 64 bits: it is for"),
    (("--kernel", "x", "--harts", "9"), "--harts is a number from 1 to 8"),
    (("--kernel", "x", "--mem", "much"), "--mem is a size like 128M or 2G"),
    (("--kernel", "x", "--mode", "u"), "--mode is m or s"),
    (("--kernel", "x", "--mode", "s", "--firmware", "y"), "--mode does not go with --firmware"),
    (("--kernel", "x", "--firmware", "/nowhere"), "x: cannot be read"),
    (("--kernel", "x", "--marks", "main", "--seeds", "1-2"), "--marks is for one run"),
    (("--kernel", os.path.join(machine.ROOT, "Makefile"), "--marks", "main"),
     "has no function main"),
    (("--kernel", "x", "--levels", "6"), "--levels is 3, 4 or 5"),
    (("--kernel", os.path.join(machine.ROOT, "Makefile"), "--mem", "31M"), "32 MiB to 4 GiB"),
])
def test_mistakes_are_said(words, says):
    done = run(SIM, *words)
    assert done.returncode == 2 and says in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1


def test_help():
    done = run(SIM, "--help")
    assert done.returncode == 0 and "--until-finding" in done.stdout


def test_run_knows_whose_options_are_whose():
    for words, says in ((("--seed", "3"), "--seed is for --sim"),
                        (("--sim", "--gdb"), "--sim and --gdb: that is QEMU's"),
                        (("--sim", "--seed", "x"), "not a number")):
        done = run(RUN, "--no-build", *words)
        assert done.returncode == 2 and says in done.stderr, done.stderr


def bare(tmp_path, source):
    """A program of tests/sim."""
    path = str(tmp_path / "bare.elf")
    emulators.assemble([os.path.join(emulators.HERE, source)], path)
    return path


@pytest.mark.parametrize("status", [0, 7])
def test_programs_that_test_instructions(tmp_path, status):
    """They tell the end by a store to tohost, and leave a signature."""
    path, other, signature = (tmp_path / name for name in ("htif.elf", "status.S", "signature"))
    other.write_text(f".globl STATUS\n.set STATUS, {status}\n")
    emulators.assemble([os.path.join(emulators.HERE, "htif.S"), str(other)], str(path))
    done = run(SIM, "--kernel", str(path), "--signature", str(signature))
    assert (done.returncode, done.stdout) == (status, "ABCD\n"), done.stderr
    assert signature.read_text() == "00000004\n00000000\n12345678\n"


def test_signature_of_a_program_without(tmp_path):
    done = run(SIM, "--kernel", bare(tmp_path, "loop.S"), "--limit", "1000", "--signature",
               str(tmp_path / "x"), stdin=subprocess.DEVNULL)
    assert done.returncode == 2 and "has no begin_signature" in done.stderr, done.stderr


@pytest.fixture
def waits(tmp_path):
    """wfi without an interrupt: a flat image of M-mode."""
    flat = tmp_path / "wfi"
    flat.write_bytes(bytes.fromhex("73005010" "6ff0dfff"))
    return (SIM, "--mode", "m", "--kernel", str(flat))


@pytest.mark.parametrize("options", [(), ("-c", "ls")])
def test_a_machine_that_waits_for_ever_ends(waits, options):
    done = run(*waits, *options, stdin=subprocess.DEVNULL)
    assert done.returncode == 3 and "nothing will wake them" in done.stderr, done.stderr


def test_a_machine_that_takes_no_input_ends(waits):
    assert run(*waits, input="x" * 1000).returncode == 3


def test_time_passes_though_input_is_not_taken(tmp_path):
    done = run(SIM, "--kernel", bare(tmp_path, "deaf.S"), input="x" * 1000)
    assert done.returncode == 0, done.stderr


def test_long_commands(tmp_path):
    lines = ["x" * 300, "y" * 254, "z" * 255, "w" * 256, "", "v" * 511]
    done = run(SIM, "--kernel", bare(tmp_path, "echo.S"), "-c", "\n".join(lines))
    assert done.stdout == "".join(f"$ {line}\n" for line in lines) + "$ ", done.stderr


def test_limit(tmp_path):
    done = run(SIM, "--kernel", bare(tmp_path, "echo.S"), "--limit", "1234",
               stdin=subprocess.DEVNULL)
    assert done.returncode == 0 and "sim: 1234 instructions" in done.stderr, done.stderr


MARK = re.compile(r"^sim: mark: (\d+) (\d+) (\d+)$", re.M)


def marks(harts, *options):
    """Of benchharts' four calls of uptime: instructions by mode."""
    done = trellis("benchharts futex", "--harts", str(harts), "--marks", "sys_uptime", *options)
    assert done.returncode == 0 and "benchharts: done" in done.stdout, done.stderr
    found = [tuple(map(int, mark)) for mark in MARK.findall(done.stderr)]
    total = int(re.search(r"sim: (\d+) instructions", done.stderr)[1])
    assert len(found) == 4 and sum(found[-1]) < total
    for before, after in zip(found, found[1:]):
        assert all(a <= b for a, b in zip(before, after)) and before < after
    return found


def test_marks_say_what_was_executed_in_each_mode():
    """Two threads that wake each other: on two harts that is by interrupts between harts, which
    the firmware sends."""
    path = machine.firmware()
    if not path:
        pytest.skip("OpenSBI is not installed")
    own, alone, two = marks(2), marks(1, "--firmware", path), marks(2, "--firmware", path)
    assert own[-1][2] == 0 < alone[0][2]
    assert alone[3][2] == alone[2][2] and two[3][2] - two[2][2] > 200 * 500
    assert two == marks(2, "--firmware", path)


def test_a_firmware_starts_the_kernel_on_all_harts():
    path = machine.firmware()
    if not path:
        pytest.skip("OpenSBI is not installed")
    done = trellis("sysinfo; usertests fork", "--firmware", path, "--harts", "3")
    assert done.returncode == 0 and "OpenSBI" in done.stdout, done.stderr
    assert "3 harts" in done.stdout and "ALL TESTS PASSED" in done.stdout
    no_finding(done)


def no_file_grows():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


@pytest.mark.parametrize("size", [512, 8192])
def test_a_disk_that_cannot_be_written_is_said(tmp_path, size):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(size))
    done = run(*sim.command(), "--kernel", bare(tmp_path, "deaf.S"), "--disk", str(disk),
               "--keep-disks", stdin=subprocess.DEVNULL, preexec_fn=no_file_grows)
    assert done.returncode == 2, done.stderr
    assert f"{disk}: cannot be written (File too large)" in done.stderr


def test_escape_when_the_machine_takes_no_keys(tmp_path):
    """Ctrl-A X, behind more keys than the machine has room for."""
    terminal, there = pty.openpty()
    done = subprocess.Popen([*sim.command(), "--kernel",
                             os.path.join(machine.ROOT, "Makefile"), "--mem", "32M"],
                            stdin=there, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while termios.tcgetattr(there)[3] & termios.ICANON:
            time.sleep(0.01)
        for _ in range(10):
            os.write(terminal, b"x" * 100)
            time.sleep(0.02)
        os.write(terminal, b"\x01x")
        assert done.wait(DEADLINE) == 0
    finally:
        done.kill()
        done.wait()
        os.close(terminal)
        os.close(there)
