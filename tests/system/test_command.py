"""./run -c: output, statuses and failures, as a script sees them."""
import os
import re
import shlex
import struct
import subprocess
import time

import guest
import machine
import pytest
import xv6fs


@pytest.mark.parametrize("commands, output, status", [
    ("true", "", 0), ("false", "", 1), ("exit 7", "", 7), ("echo hi", "hi\n", 0),
    ("echo a; false", "a\n", 1), ("false; echo b", "b\n", 0),
    ("echo 'one  two' | cat", "one  two\n", 0),
    ("echo no newline > f; cat f", "no newline\n", 0),
    ("echo first\necho second\n\nexit 3", "first\nsecond\n", 3),
    ("", "", 0), ("exit 255", "", 255), ("true && echo and", "and\n", 0),
    ("cat; wc; sh; head; echo end", "0 0 0\nend\n", 0)],
    ids=["true", "false", "exit", "echo", "last-fails", "last-works", "pipe", "file", "lines",
         "empty", "exit-255", "and", "no-input"])
def test_status_and_output(commands, output, status):
    done = guest.run("-c", commands)
    assert (done.stdout, done.returncode) == (output, status), done.stderr


def test_closed_output():
    done = subprocess.run(["sh", "-c", shlex.quote(guest.RUN) + " --no-build -c true >&-"],
                          check=False, stderr=subprocess.PIPE, encoding="utf-8",
                          timeout=guest.DEADLINE)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr


def test_every_design(design):
    done = guest.run("--design", design, "--harts", 2, "-c", "echo $?; mkdir d; echo x > d/f; ls d")
    assert done.returncode == 0 and " f" in " " + done.stdout.replace("\n", " ")


def test_missing_command():
    done = guest.run("-c", "nosuchprogram")
    assert done.returncode not in (0, 2, 134) and "nosuchprogram" in done.stdout


def program(instruction):
    """An ELF file of one segment at 0 whose only instruction is this."""
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 2, 243, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 4096, 0, 0, 4, 4, 4096)
    return (header + segment).ljust(4096, b"\0") + struct.pack("<I", instruction)


@pytest.mark.parametrize("instruction", [
    0x00000000,   # illegal
    0x10200073,   # sret, which only the kernel may
    0x00003003])  # ld zero, 0(zero): legal; what follows the text is not
def test_killed_process_has_status_255(image, instruction):
    made = xv6fs.Image.load(image)
    made.write_file("killed", program(instruction))
    made.save(image)
    done = guest.run("--disk", image, "-c", "killed")
    assert done.returncode == 255, done.stdout
    assert "scause" in done.stdout and "sepc" in done.stdout
    assert guest.run("--disk", image, "-c", "killed; echo $?").stdout.endswith("255\n")


def test_long_command_fits_to_the_byte():
    commands = "echo " + "x" * (1900 - 5)
    done = guest.run("-c", commands)
    assert (done.stdout, done.returncode) == ("x" * 1895 + "\n", 0)


@pytest.mark.parametrize("which, function", [
    ("panic", "fail_panic"), ("fault", "fail_fault"), ("write-text", "fail_write_text"),
    ("overflow", "fail_deeper"), ("frames", "fail_frames")])
def test_panic_is_a_failure(design, which, function):
    """The kernel's own mistakes, made on request: a sentence, a backtrace, the status."""
    done = guest.run("--design", design, "--append", f"selftest={which}", "-c", "echo not reached")
    assert done.returncode == machine.PANIC_STATUS, done.stdout
    assert re.search(r"^panic: .+", done.stdout, re.M) and "not reached" not in done.stdout
    assert re.search(rf"0x[0-9a-f]{{16}} .*\b{function}\b", done.stdout), done.stdout


def test_timeout():
    start = time.monotonic()
    done = guest.run("--timeout", 8, "-c", "echo begun; sleep 100000")
    # Before or after the boot, as fast as the host is.
    assert done.returncode == 124 and done.stdout in ("", "begun\n")
    assert "8 seconds" in done.stderr and time.monotonic() - start >= 8


def test_verbose_shows_the_boot():
    done = guest.run("--verbose", "-c", "echo hi")
    assert done.returncode == 0
    assert "OpenSBI" in done.stdout and "Trellis " in done.stdout and done.stdout.endswith("hi\n")


def test_quiet_shows_nothing_else():
    assert guest.run("-c", "exit 0").stdout == ""


def test_poweroff_command():
    assert guest.run("-c", "poweroff; echo never").stdout == ""
    assert guest.run("-c", "poweroff 5").returncode == 5


def test_reader_may_leave():
    """As with any command: ./run -c ... | head ends."""
    run = shlex.quote(guest.RUN)
    done = subprocess.run(["sh", "-c", f"{run} -c 'echo a; echo b; cat README' | head -n 1"],
                          check=False, capture_output=True, encoding="utf-8",
                          stdin=subprocess.DEVNULL, timeout=guest.DEADLINE)
    assert done.stdout == "a\n" and "Traceback" not in done.stderr


def test_input_that_never_ends():
    """Typed without end into a machine that does not read, by somebody who then leaves."""
    done = subprocess.run(f"yes sleep 1000 | {shlex.quote(guest.RUN)} --no-build | head -n 30 | "
                          "wc -l", shell=True, check=False, capture_output=True, encoding="utf-8",
                          timeout=guest.DEADLINE)
    assert done.stdout.strip() == "30"


def test_without_a_disk_nothing_is_kept():
    assert guest.run("-c", "echo x > kept").returncode == 0
    assert guest.run("-c", "cat kept").returncode == 1


def test_disk_is_kept(image):
    assert guest.run("--disk", image, "-c", "mkdir d; echo mine > d/kept").returncode == 0
    done = guest.run("--disk", image, "-c", "cat d/kept")
    assert (done.stdout, done.returncode) == ("mine\n", 0)


def test_disk_in_use(boot, image):
    """A second machine on the same image would ruin it: QEMU refuses, status 2."""
    first = boot(disks=[machine.drive(str(image), keep=True)])
    first.prompt()
    done = guest.run("--disk", image, "-c", "true")
    assert done.returncode == 2 and "lock" in done.stderr and done.stdout == ""


def test_ended_by_a_signal():
    """Who ends ./run ends QEMU: nothing is left running."""
    command = [guest.RUN, "--no-build", "-c", "echo begun; sleep 100000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as running:
        assert running.stdout.readline() == b"begun\n"
        running.terminate()
        # The pipe's other end closes when the last process that has it is gone.
        assert running.stdout.read() == b""
    assert running.returncode == 128 + 15
