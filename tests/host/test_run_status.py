"""The status of ./run, and that no guest outlives it. QEMU is a stand-in."""
import os
import signal
import subprocess
import sys
import time

import machine
import pexpect
import pytest
import xv6fs

RUN = os.path.join(machine.ROOT, "run")
DEADLINE = 60
BOOTED = r"printf 'Trellis share: 3 harts\r\n'; printf 'out\r\n'"
TOLD = r"printf '[trellis] poweroff status=%d\r\n'"
SIGNALS = [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]


class Host:
    """Something that was built, two images, and a QEMU that does what a test says."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {**os.environ, "BUILD": str(folder / "b"),
                    "PATH": f"{folder}:{os.environ['PATH']}"}
        kernel = folder / "b" / "kernel" / "kernel.elf"
        kernel.parent.mkdir(parents=True)
        kernel.touch()
        for path, init in (("b/fs.img", b"Trellis init"), ("foreign", b"another's")):
            image = xv6fs.Image.make(200, 20, 31)
            image.write_file("init", init)
            image.save(folder / path)

    def qemu(self, body):
        path = self.folder / machine.QEMU
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def run(self, *args, **more):
        if "input" not in more:
            more["stdin"] = subprocess.DEVNULL
        return subprocess.run([RUN, "--no-build", *map(str, args)], check=False, env=self.env,
                              capture_output=True, encoding="utf-8", timeout=DEADLINE, **more)

    def gone(self):
        """Waits until the QEMU that has written its number has ended."""
        pid = int((self.folder / "pid").read_text())
        end = time.monotonic() + DEADLINE
        while time.monotonic() < end:
            try:
                os.kill(pid, 0)
            except ProcessLookupError:
                return True
            time.sleep(0.01)
        return False


@pytest.fixture
def host(tmp_path):
    return Host(tmp_path)


@pytest.mark.parametrize("how", [["-c", "x"], []])
@pytest.mark.parametrize("ends, status", [
    (f"{TOLD} 0", 0), (f"{TOLD} 3; exit 3", 3), (f"{TOLD} 3", 3), (f"{TOLD} -1; exit 255", 255),
    (f"{TOLD} 256; exit 1", 1), ("exit 134", 134), ("exit 0", 125), ("kill -9 $$", 137)])
def test_zero_is_only_what_the_guest_has_told(host, how, ends, status):
    host.qemu(f"{BOOTED}; {ends}")
    done = host.run(*how)
    assert done.returncode == status and done.stdout.endswith("out\n"), done
    assert "[trellis]" not in done.stdout
    assert ("nobody had told a status" in done.stderr) == (status == 125)


def test_text_like_a_report_is_shown(host):
    host.qemu(f"{BOOTED}; printf '[trellis] [trellis] pow'; {TOLD} 0; printf '[trell'")
    done = host.run("-c", "x")
    assert done.stdout == "out\n[trellis] [trellis] pow[trell"


@pytest.mark.parametrize("how", [["-c", "x"], []])
@pytest.mark.parametrize("ends, status", [("exit 0", 125), ("exit 134", 134)])
def test_another_systems_machine_ends(host, how, ends, status):
    """What one of its commands has told is not the status of all that was to come."""
    host.qemu(f"{BOOTED}; printf 'init: starting sh\\n$ '; read line; "
              f"printf '[trellis] exit pid=3 name=x status=0\\n'; {ends}")
    done = host.run("--disk", host.folder / "foreign", *how, **({} if how else {"input": "x\n"}))
    assert done.returncode == status
    assert ("nobody had told a status" in done.stderr) == (status == 125)


def test_ends_before_the_kernel(host):
    host.qemu("echo no such machine >&2; exit 0")
    done = host.run("-c", "x")
    assert done.returncode == 2 and "before the kernel had started" in done.stderr


# ---- kept disks ----
def kept(host, *args):
    host.qemu(f"""echo "$*" > {host.folder}/args; {BOOTED}; {TOLD} 0""")
    done = host.run("--keep", "mine", "-c", "x", *args)
    return done, host.folder / "b" / "kept" / "mine.img"


def test_kept_disk_is_made_once(host):
    done, disk = kept(host)
    assert (done.returncode, done.stderr) == (0, "")
    assert disk.read_bytes() == (host.folder / "b" / "fs.img").read_bytes()
    assert f"file={disk},if=none,format=raw,id=disk0 " in (host.folder / "args").read_text()
    image = xv6fs.Image.load(disk)
    image.write_file("more", b"of the user")
    image.save(disk)
    done, _ = kept(host)
    assert (done.returncode, done.stderr) == (0, "")
    assert xv6fs.Image.load(disk).read("more") == b"of the user"


def test_kept_disk_of_another_build(host):
    _, disk = kept(host)
    image = xv6fs.Image.make(200, 20, 31)
    image.write_file("init", b"a newer Trellis init")
    image.save(host.folder / "b" / "fs.img")
    done, _ = kept(host)
    assert done.returncode == 0 and xv6fs.Image.load(disk).read("init") == b"Trellis init"
    assert "mine.img are those of another build" in done.stderr
    disk.unlink()
    done, _ = kept(host)
    assert (done.returncode, done.stderr) == (0, "")
    assert xv6fs.Image.load(disk).read("init") == b"a newer Trellis init"


def test_kept_disk_that_is_none(host):
    _, disk = kept(host)
    disk.write_bytes(bytes(100000))
    done, _ = kept(host)
    assert done.returncode == 2 and "not an image" in done.stderr and "magic" in done.stderr


def test_make_clean_leaves_kept_disks(host):
    _, disk = kept(host)
    done = subprocess.run(["make", "clean", f"BUILD={host.folder}/b"], check=True,
                          cwd=machine.ROOT, capture_output=True, encoding="utf-8")
    assert os.listdir(host.folder / "b") == ["kept"] and disk.exists()
    assert done.stdout.endswith("/b/kept stays\n")
    disk.parent.rename(host.folder / "elsewhere")
    subprocess.run(["make", "clean", f"BUILD={host.folder}/b"], check=True, cwd=machine.ROOT,
                   capture_output=True)
    assert not (host.folder / "b").exists()


# ---- signals ----
def until_out(running):
    while line := running.stdout.readline():
        if line.strip() == b"out":
            return
    raise AssertionError("it has ended")


LIVES_ON = f"echo $$ > pid; {BOOTED}; exec "


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("how", [["-c", "x"], []])
def test_signal_ends_the_machine(host, how, number):
    # With -c it ends by two keys, as QEMU does.
    host.qemu(f"cd {host.folder}; {LIVES_ON} {'head -c 2' if how else 'sleep 1000'}")
    with subprocess.Popen([RUN, "--no-build", *how], env=host.env, stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        until_out(running)
        running.send_signal(number)
        try:
            assert running.wait(DEADLINE) == 128 + number
        finally:
            running.kill()
    assert host.gone()


# Another thread gets the signal, and not before the main one has let it run, to wait.
INTERRUPTS_NOTHING = """
import os, selectors, signal, subprocess, sys, threading
sys.path.insert(0, sys.argv[1])
import machine

def other():
    waits.acquire()
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

waits = threading.Lock()
waits.acquire()
reader, writer = os.pipe()
machine.die_by_signals()
threading.Thread(target=other, daemon=True).start()
sys.setswitchinterval(1000)
with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child, \
        selectors.DefaultSelector() as selector:
    selector.register(reader, selectors.EVENT_READ)
    waits.release()
    """


@pytest.mark.parametrize("wait", ["child.wait()", "selector.select()", "os.read(reader, 1)"])
def test_signal_that_interrupts_nothing(wait):
    program = [sys.executable, "-c", INTERRUPTS_NOTHING + wait, os.path.join(machine.ROOT, "tools")]
    assert subprocess.run(program, check=False, timeout=DEADLINE).returncode == 130


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_on_a_terminal(host, number):
    host.qemu(f"cd {host.folder}; {LIVES_ON} sleep 1000")
    child = pexpect.spawn(RUN, ["--no-build"], env=host.env, timeout=DEADLINE)
    child.expect("out")
    child.kill(number)
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 128 + number
    assert host.gone()


def test_nohup_is_respected(host):
    host.qemu(f"{BOOTED}; head -c 2; {TOLD} 0")
    with subprocess.Popen(["nohup", RUN, "--no-build", "-c", "x"], env=host.env,
                          stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as running:
        until_out(running)
        running.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(1)  # it must not end: so long it is watched
        running.terminate()


def test_closed_input_is_at_its_end(host):
    """<&-: what QEMU gets is no file that took the place of the input."""
    host.qemu(f"{BOOTED}; head -c 1 | od -An -tx1; {TOLD} 0")
    done = subprocess.run(["sh", "-c", 'exec "$0" --no-build <&-', RUN], check=False,
                          env=host.env, capture_output=True, encoding="utf-8", timeout=DEADLINE)
    assert (done.stdout, done.returncode) == ("Trellis share: 3 harts\nout\n 04\n", 0)
