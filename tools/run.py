#!/usr/bin/env python3
"""Builds Trellis and boots it in QEMU.

    ./run                  a shell on this terminal; Ctrl-A X ends the machine.
                           What comes from a pipe is typed; poweroff ends that
    ./run -c 'COMMANDS'    runs COMMANDS in the guest's shell, prints what they
                           print, and ends with the status of the last one

    --design NAME    {designs}; default {default}
    --disk IMAGE     a disk image in xv6's format; what the guest writes stays
                     there. Without it: a fresh one at each start, nothing stays
    --harts N        processors, 1 to {harts_max}; default 3
    --mem SIZE       RAM, from {mib_min}M to what the host can give; default 128M
    -c COMMANDS      see above; no terminal is needed, nothing can be typed:
                     standard input is at its end (another's init: the console)
    --timeout SEC    with -c: ends the machine after SEC seconds, status 124
    --verbose        with -c: also shows what the firmware and the kernel say
    --debug          a kernel with the checks that cost time
    --gdb[=PORT]     the machine waits for GDB; says how to attach (docs/gdb.md)
    --view           afterwards shows the page tables that the session printed
                     (vmprint), as a page in the browser; see docs/ptview.md
    --append WORDS   more boot options for the kernel
    --no-build       boots what was built before
    --dry-run        prints QEMU's command line and does nothing
    --help           this text

Status: that of the commands (-1, which a killed process has, is 255); 134 after
a kernel panic; 2 when something about the command line, the build or the image
is wrong. An image that was built for xv6 works, with -c too.
"""
import argparse
import mmap
import os
import re
import selectors
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import machine  # noqa: E402
import view  # noqa: E402
import xv6fs  # noqa: E402
from consoles import ForeignConsole, OwnConsole, PipedConsole  # noqa: E402
from machine import Unusable  # noqa: E402

COMMAND_MAX = 1900  # bytes: init gets them on its one stack page
FOREIGN_LINE_MAX = 98  # what xv6's shell reads of a line; it takes the rest for another one
TIMEOUT_STATUS = 124
END_KEYS = b"\x01x"  # what a user types to end QEMU
OUR_INIT = b"Trellis init"
TRAMPOLINE = 0x3ffffff000  # kernel/arch/layout.h
# A prompt that no process's end has announced (a shell's own command) counts when
# nothing follows it for so many seconds.
QUIET = 2


# ---- command line ----
class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Unusable(f"{message}; ./run --help lists the options")


def parse(args):
    parser = Parser(prog="./run", allow_abbrev=False, add_help=False)
    parser.add_argument("-c", dest="commands")
    parser.add_argument("--design", default=machine.default_design())
    parser.add_argument("--disk")
    parser.add_argument("--harts", default="3")
    parser.add_argument("--mem", default="128M")
    parser.add_argument("--timeout")
    parser.add_argument("--gdb", nargs="?", const="0")
    parser.add_argument("--append", default="")
    for name in ("--verbose", "--debug", "--view", "--no-build", "--dry-run",
                 "--help", "-h"):
        parser.add_argument(name, action="store_true")
    options = parser.parse_args(args)
    options.help = options.help or options.h
    return options


def check(options):
    """Turns the texts into values, or says what is wrong with one."""
    known = machine.designs()
    if options.design not in known:
        raise Unusable(f"--design {options.design}: no such design; there are "
                       + ", ".join(known))
    options.harts = machine.parse_harts(options.harts)
    options.mib = machine.parse_mem(options.mem)
    if "--" in options.append.split():
        raise Unusable("--append: `--` would end the options; use -c for commands")
    if options.timeout is not None:
        if options.commands is None:
            raise Unusable("--timeout is for -c")
        if not re.fullmatch(r"\d+(\.\d+)?", options.timeout) or float(options.timeout) <= 0:
            raise Unusable(f"--timeout {options.timeout}: not a positive number of seconds")
        options.timeout = float(options.timeout)
    if options.gdb is not None:
        if not re.fullmatch(r"\d+", options.gdb) or int(options.gdb) > 65535:
            raise Unusable(f"--gdb={options.gdb}: not a port number")
        options.gdb = int(options.gdb) or free_port()
    if options.commands is not None and len(os.fsencode(options.commands)) > COMMAND_MAX:
        raise Unusable(f"-c: {len(os.fsencode(options.commands))} bytes of commands are more than "
                       f"the {COMMAND_MAX} that fit; put them into a script on the disk")
    check_host_memory(options)
    check_disk(options)
    options.ours = options.disk is None or init_is_ours(options.disk)
    if options.commands is not None and not options.ours:
        check_typed_lines(options.commands)


def check_typed_lines(commands):
    longest = max(map(len, os.fsencode(commands).split(b"\n")))
    if longest > FOREIGN_LINE_MAX:
        raise Unusable(f"-c: this image's shell is not ours, and xv6's takes {FOREIGN_LINE_MAX} "
                       f"bytes a line, not {longest}; put each command on a line of its own")


def check_host_memory(options):
    """The host promises the memory here, as it will have to for QEMU."""
    try:
        mmap.mmap(-1, options.mib << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except (OSError, ValueError, OverflowError) as e:
        raise Unusable(f"--mem {options.mem}: the host cannot give so much memory") from e


def check_disk(options):
    path = options.disk
    if path is None:
        return
    if not os.path.exists(path):
        raise Unusable(f"--disk {path}: no such file; tools/mkfs makes images")
    if not os.path.isfile(path):
        raise Unusable(f"--disk {path}: not a file")
    if not os.access(path, os.R_OK | os.W_OK):
        raise Unusable(f"--disk {path}: cannot be read and written")
    try:
        image = xv6fs.Image.load(path)
    except xv6fs.FormatError as e:
        raise Unusable(f"--disk {path}: not an image in xv6's format: {e}") from e
    why = xv6fs.super_problem(image.sb, len(image.data))
    if why:
        raise Unusable(f"--disk {path}: not an image in xv6's format: {why}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def init_is_ours(path):
    """Whether the image's first program knows -c. Without one, the kernel says so."""
    try:
        image = xv6fs.Image.load(path)
        image.recover()
        return OUR_INIT in image.read("/init")
    except xv6fs.FormatError:
        return True


# ---- QEMU's command line ----
def boot_words(options):
    words = [] if options.gdb else ["panic=exit"]
    if options.commands is not None:
        if not options.verbose:
            words.append("quiet")
        if not options.ours:
            words.append("trace=exit")
    if options.append:
        words.append(options.append)
    if options.commands is not None and options.ours:
        words.append("-- " + (options.commands if options.commands.strip() else ":"))
    return " ".join(words)


def command_line(options):
    disk = machine.drive(options.disk or machine.default_image(), keep=options.disk is not None)
    logged = view.chardev_words() if options.view else ""
    if options.commands is None and not logged:
        console = ["-nographic"]
    else:  # what that is, with a log, and without QEMU's own use of signals
        console = ["-display", "none", "-serial", "chardev:console", "-monitor", "chardev:console",
                   "-chardev", "stdio,id=console,mux=on,signal=off" + logged]
    extra = ["-S", "-gdb", f"tcp:127.0.0.1:{options.gdb}"] if options.gdb else []
    return machine.qemu_command(options.design, options.harts, options.mib, [disk], console,
                                boot_words(options), options.debug, extra)


def write_gdbinit(options):
    """The start file for GDB; it stands beside the kernel."""
    folder = machine.kernel_folder(options.design, options.debug)
    path = os.path.join(folder, "gdbinit")
    with open(path, "w", encoding="utf-8") as f:
        f.write("# Written by ./run --gdb.\n"
                "set confirm off\n"
                "set architecture riscv:rv64\n"
                f'file "{os.path.join(folder, "kernel.elf")}"\n'
                f'directory "{machine.ROOT}"\n'
                # Where every table has it; kernel.elf has the page's other address.
                f'add-symbol-file "{os.path.join(folder, "arch", "trampoline.S.o")}" '
                f"-s .trampoline {TRAMPOLINE:#x}\n"
                f"target remote 127.0.0.1:{options.gdb}\n"
                f'source {os.path.join(machine.ROOT, "tools", "trellis_gdb.py")}\n')
    shown = os.path.relpath(path)
    print(f"Waiting for GDB on port {options.gdb}. In another terminal, in {machine.ROOT}:\n"
          f"    gdb-multiarch -x {shlex.quote(shown)}", file=sys.stderr, flush=True)


# ---- interactive ----
def interact(options):
    print(f"Trellis: {options.design}, {options.harts} harts, {options.mib} MiB. "
          "Ctrl-A X ends the machine."
          + ("" if options.disk else " Changes to the disk are not kept (--disk keeps them)."),
          file=sys.stderr, flush=True)
    command = command_line(options)
    if sys.stdin is None or not sys.stdin.isatty():
        return type_from_pipe(command)
    if options.view:
        return subprocess.run(command, check=False).returncode
    os.execvp(command[0], command)


def type_from_pipe(command):
    """Standard input is no terminal: it is typed when the kernel is there to listen."""
    console = PipedConsole()
    die_with_us()
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as qemu:
        threading.Thread(target=forward, args=(console, qemu), daemon=True).start()
        try:
            pump(qemu, console, None)
            qemu.wait()
        finally:
            end(qemu, by_keys=False)  # forward() may be writing to it
    return qemu.returncode if qemu.returncode >= 0 else 128 - qemu.returncode


def forward(console, qemu):
    console.listening.wait()
    try:
        while data := os.read(0, 4096):
            qemu.stdin.write(data)
            qemu.stdin.flush()
    except (OSError, ValueError):
        pass  # no input, or QEMU has gone


# ---- -c ----
def end(qemu, by_keys=True):
    """Lets QEMU close its files, by keys without a word on how it ended; insists when it does
    not end."""
    qemu.stdout.close()  # QEMU would wait for a reader
    if qemu.poll() is None:
        if by_keys:
            type_bytes(qemu, END_KEYS)
        else:
            qemu.terminate()
    for insist in (qemu.terminate, qemu.kill):
        try:
            qemu.wait(5)
            return
        except subprocess.TimeoutExpired:
            insist()
    qemu.wait()


def type_bytes(qemu, data):
    try:
        qemu.stdin.write(data)
        qemu.stdin.flush()
    except (BrokenPipeError, ValueError):
        pass  # QEMU has gone, and the end of its output says so


def type_into(qemu, console):
    if console.typed:
        type_bytes(qemu, console.typed.replace(b"\x01", b"\x01\x01"))
        console.typed = b""


def pump(qemu, console, deadline):
    """Moves bytes until QEMU ends, the console is finished or time is up. Returns the raw
    output, and whether time was up."""
    raw = b""
    out = sys.stdout.buffer
    with selectors.DefaultSelector() as selector:
        selector.register(qemu.stdout, selectors.EVENT_READ)
        while not console.finished:
            type_into(qemu, console)
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return raw, True
            quiet = QUIET if console.at_prompt() else left
            if not selector.select(quiet if left is None else min(quiet, left)):
                if console.at_prompt():
                    out.write(console.take_prompt())
                continue
            data = os.read(qemu.stdout.fileno(), 65536)
            if not data:
                break
            if not console.started:
                raw += data
            out.write(console.feed(data))
            out.flush()
    out.write(console.rest())
    out.flush()
    return raw, False


def raise_exit(number, frame):
    sys.exit(128 + number)


def die_with_us():
    """A signal that ends this program unwinds it, and so ends QEMU."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, raise_exit)


def run_commands(options):
    console = OwnConsole(options.verbose) if options.ours else \
        ForeignConsole(options.commands, options.verbose)
    die_with_us()
    deadline = None if options.timeout is None else time.monotonic() + options.timeout
    with subprocess.Popen(command_line(options), stdout=subprocess.PIPE,
                          stdin=subprocess.PIPE) as qemu:
        try:
            raw, late = pump(qemu, console, deadline)
            if late:
                if not console.started:
                    sys.stderr.buffer.write(raw)
                print(f"run: not done after {options.timeout:g} seconds; the machine was ended",
                      file=sys.stderr)
                return TIMEOUT_STATUS
            if console.finished:
                return console.status
            qemu.wait()
        finally:
            end(qemu)
    if not console.started:
        sys.stderr.buffer.write(raw)
        print("run: the machine ended before the kernel had started", file=sys.stderr)
        return qemu.returncode or 1 if raw else 2
    if qemu.returncode < 0:
        print(f"run: QEMU was ended by signal {-qemu.returncode}", file=sys.stderr)
        return 128 - qemu.returncode
    if not options.ours and qemu.returncode == 0:
        print("run: the machine was powered off", file=sys.stderr)
    return qemu.returncode


# ---- all together ----
def prepare(options):
    need = ["sh", os.path.join(machine.ROOT, "tools", "need.sh"), "build", "boot"]
    status = subprocess.run(need, check=False).returncode
    if status:
        sys.exit(status)
    progress = machine.Progress(f"Building Trellis ({options.design})")
    try:
        machine.build(options.design, options.debug, progress=progress)
    finally:
        progress.done()


def check_built(options):
    kernel = os.path.join(machine.kernel_folder(options.design, options.debug), "kernel.elf")
    for path in [kernel] + ([] if options.disk else [machine.default_image()]):
        if not os.path.exists(path):
            raise Unusable(f"--no-build: {os.path.relpath(path)} has not been built")


def show_help():
    print(__doc__.strip().format(
        designs=", ".join(machine.designs()), default=machine.default_design(),
        harts_max=machine.HARTS_MAX, mib_min=machine.MIB_MIN))


def run_session(options):
    if options.commands is None:
        return interact(options)
    return run_commands(options)


def main(args):
    if sys.stdout is None or sys.stderr is None:  # closed by the caller
        print("run: standard output and standard error must be open", file=sys.stderr)
        return 2
    try:
        options = parse(args)
        if options.help:
            show_help()
            return 0
        check(options)
        if options.dry_run:
            print(shlex.join(command_line(options)))
            return 0
        if options.no_build:
            check_built(options)
            if options.gdb or options.view:
                machine.make_build_folder()
        else:
            prepare(options)
        if options.gdb:
            write_gdbinit(options)
        status = run_session(options)
        if options.view:
            view.show()
        return status
    except Unusable as e:
        print(f"run: {e}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
