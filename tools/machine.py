"""The machine that Trellis runs on: designs, build directories, QEMU's command line.

What ./run, ./test and the system tests share. Everything here only looks; it
starts nothing but the build.
"""
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import threading

import boards

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
BUILD = os.environ.get("BUILD") or "build"
# What make and the shell would take for something else in a path.
ODD = re.compile(r"""[\s:;&|<>(){}\[\]*?!~=%'"`$\\#]""")
QEMU = "qemu-system-riscv64"
PANIC_STATUS = 134  # what the machine ends with after a kernel panic (panic=exit)
HARTS_MAX = 8
MIB_MIN = 32
MIB_MAX = 252 << 10  # the kernel's direct map reaches 254 GiB, and RAM begins at 2 GiB


class Unusable(Exception):
    """What was asked for cannot be done: one sentence, for the user."""


def designs():
    """The designs that the kernel has: the files that there are."""
    folder = os.path.join(ROOT, "kernel", "mm")
    found = [re.fullmatch(r"design_(\w+)\.c", name) for name in sorted(os.listdir(folder))]
    return [m[1] for m in found if m]


def default_design():
    """That of the first process, when the boot arguments name none."""
    with open(os.path.join(ROOT, "kernel", "init", "main.c"), encoding="utf-8") as f:
        return re.search(r'^#define DEFAULT_DESIGN "(\w+)"', f.read(), re.M)[1]


def build_path(*parts):
    return os.path.join(ROOT, BUILD, *parts)


def kernel_folder(debug=False):
    return build_path("kernel-debug" if debug else "kernel")


def default_image():
    return build_path("fs.img")


def parse_mem(text, least=MIB_MIN):
    """A size of RAM in MiB, from 128, 128M, 2G and the like."""
    m = re.fullmatch(r"(\d+) *([MG]?)(i?B)?", text, re.I)
    if not m:
        raise Unusable(f"--mem {text}: not a size; use 128M or 2G, for example")
    mib = int(m[1]) * (1024 if m[2].upper() == "G" else 1)
    if mib < least:
        who = "Trellis" if least == MIB_MIN else "this machine"
        raise Unusable(f"--mem {text}: too small; {who} needs {least}M at least")
    if mib > MIB_MAX:
        raise Unusable(f"--mem {text}: too large; {MIB_MAX >> 10}G is the most")
    return mib


def parse_harts(text, most=HARTS_MAX):
    if not re.fullmatch(r"\d+", text) or not 1 <= int(text) <= most:
        raise Unusable(f"--harts {text}: not a number from 1 to {most}")
    return int(text)


def firmware():
    """The image of OpenSBI that QEMU starts a kernel by; None: it is not installed."""
    if not shutil.which(QEMU):
        return None
    done = subprocess.run([QEMU, "-L", "help"], check=True, capture_output=True, encoding="utf-8")
    paths = [os.path.join(folder, "opensbi-riscv64-generic-fw_dynamic.bin")
             for folder in done.stdout.split("\n") if folder]
    return next((path for path in paths if os.path.exists(path)), None)


def drive(path, keep, name="disk0", slot=0):
    """The options for a disk. What is not kept goes to a temporary file of QEMU's, and
    then its flushes need not wait for the host's disk."""
    where = path.replace(",", ",,")
    rest = "" if keep else ",snapshot=on,cache=unsafe"
    return ["-drive", f"file={where},if=none,format=raw,id={name}{rest}",
            "-device", f"virtio-blk-device,drive={name},bus=virtio-mmio-bus.{slot}"]


def the_disk(board, path, keep):
    """The options for the disk of a machine of this name."""
    return drive(path, keep) if boards.BOARDS[board].virtio else ["-initrd", path]


def qemu_command(design, harts=None, mib=None, disks=None, console=("-nographic",), append="",
                 debug=False, extra=(), board="virt"):
    """QEMU's argument list. disks: option lists from drive(), the default image when None."""
    if disks is None:
        disks = [the_disk(board, default_image(), keep=False)]
    what = boards.BOARDS[board]
    command = [QEMU, *boards.options(board, harts or what.harts, mib or what.mib, build_path()),
               "-kernel", os.path.join(kernel_folder(debug), "kernel.elf")]
    if what.virtio:
        command += ["-global", "virtio-mmio.force-legacy=false"]
    for disk in disks:
        command += disk
    command += console
    return [*command, "-append", f"design={design} {append}".rstrip(), *extra]


def console_of(command, seconds, what):
    """(status, what the console said) of a guest that ends by itself. Unusable: it did not, in so
    many seconds; `what` is its name in that sentence."""
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=seconds,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as e:
        said = (e.stdout or b"").decode(errors="replace")[-2000:]
        raise Unusable(f"{what} is not done after {seconds} seconds:\n{said}") from e
    return done.returncode, done.stdout.decode(errors="replace")


def python_for_tests():
    """One that has what the tests are written with."""
    for python in (sys.executable, "python3", "/usr/bin/python3"):
        done = subprocess.run([python, "-c", "import pytest, pexpect"], check=False,
                              stderr=subprocess.DEVNULL)
        if done.returncode == 0:
            return python
    raise Unusable("no Python has pytest and pexpect")


def host_compiler():
    """The words of the command that compiles for this host, as the Makefile chooses it."""
    named = os.environ.get("CC", "").split()
    return named or next(([c] for c in ("cc", "gcc", "clang") if shutil.which(c)), ["cc"])


def die_by_signals():
    """A signal that ends this program unwinds it, and so ends what it has started.

    Python runs a handler when its main thread looks for one: after each step, and when a
    signal interrupts its wait. One that comes after the last look before a wait, or to another
    thread, interrupts nothing. So a thread learns of each signal by a pipe, and interrupts the
    main one until the handler has run."""
    begun = threading.Event()

    def unwind(number, frame):
        begun.set()
        sys.exit(128 + number)

    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
               if signal.getsignal(n) != signal.SIG_IGN]  # as nohup has it
    for number in numbers:
        signal.signal(number, unwind)
    signal.signal(signal.SIGURG, lambda number, frame: None)  # it interrupts a wait, no more
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    threading.Thread(target=insist, args=(reader, numbers, begun), daemon=True).start()


def insist(reader, numbers, begun):
    while os.read(reader, 1)[0] not in numbers:
        pass
    while not begun.wait(0.01):  # interrupted too early, it waits after all
        signal.pthread_kill(threading.main_thread().ident, signal.SIGURG)


def make_build_folder():
    """Makes the folder for all that is written, or says how to name another."""
    odd = ODD.search(BUILD)
    if odd:
        raise Unusable(f"BUILD={BUILD}: make cannot build in a folder with {odd[0]!r} in its path")
    try:
        os.makedirs(build_path(), exist_ok=True)
        with open(build_path(".lock"), "a", encoding="utf-8"):
            pass
    except OSError as e:
        raise Unusable(f"{build_path()}: cannot be written ({e.strerror}); BUILD=FOLDER in the "
                       "environment names another folder to build in") from e


def build(debug=False, targets=("all",), progress=None):
    """Runs make. Its output is shown only when it fails; progress(line) sees each line."""
    make_build_folder()
    jobs = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
    command = ["make", "--no-print-directory", f"-j{jobs}", f"BUILD={BUILD}",
               f"DEBUG={int(debug)}", *targets]
    with open(build_path(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two builds at once would mix up their files
        output = []
        with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              encoding="utf-8", errors="replace") as make:
            try:
                for line in make.stdout:
                    output.append(line)
                    if progress:
                        progress(line.rstrip())
            except BaseException:
                make.terminate()  # it ends the compilers
                raise
    if make.returncode:
        raise Unusable("the build failed (" + " ".join(command) + "):\n" + "".join(output).rstrip())


class Progress:
    """One line on a terminal that shows what is being built, and then goes away."""

    def __init__(self, title):
        self.title = title
        self.shown = False
        self.terminal = sys.stderr.isatty()

    def __call__(self, line):
        if not re.match(r"  [A-Z]+ ", line):
            return
        if self.terminal:
            print(f"\r\033[K{self.title}: {line.strip():.60}", end="", file=sys.stderr, flush=True)
        elif not self.shown:
            print(self.title, file=sys.stderr, flush=True)
        self.shown = True

    def done(self):
        if self.shown and self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
