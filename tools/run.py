#!/usr/bin/env python3
"""Builds Trellis and boots it in QEMU, or in a machine of its own.

    ./run                  a shell on this terminal (keys: see below). What
                           comes from a pipe is typed, and at its end the
                           machine ends with the status of the last command
    ./run -c 'COMMANDS'    runs COMMANDS in the guest's shell, prints what they
                           print, and ends with the status of the last one

    ./run --linux          the same with busybox, as on a small Linux: its shell
                           and all of its commands. Debian's or Ubuntu's
                           package busybox-static for RISC-V is downloaded by
                           apt, and not installed here; BUSYBOX=FILE in the
                           environment names another one. Our programs are in
                           /trellis/bin, the disk is in /xv6, or, with one of
                           ext2's, in /disk; `exit` ends the machine
    --with PACKAGE...      with --linux: more packages of the same release, and
                           what they depend on, unpacked into the root
                           (docs/linux.md)

    --design NAME    {designs}; default {default}
    --machine NAME   QEMU's machine: {machines}
                     (docs/machines.md); default virt
    --disk IMAGE     a disk image in xv6's format, or of ext2 or ext3 (mke2fs
                     makes one, docs/ext2.md); what the guest writes stays
                     there. Without it: a fresh one at each start, nothing stays
    --disk2 IMAGE    a second disk: /dev/vdb for programs of Linux. With --linux
                     and --append mount=FOLDER its file system is mounted
                     there, and the first disk's nowhere (docs/ext2.md)
    --keep NAME      a disk of that name, made at first: a copy of the fresh
                     one, build/kept/NAME.img, which make clean leaves there
    --harts N        processors, 1 to {harts_max}; default 3; 1 to 4 on some machines
    --mem SIZE       RAM, from {mib_min}M to what the host can give; default 128M;
                     the icicle: 1537M at least
    -c COMMANDS      see above; no terminal is needed, nothing can be typed:
                     standard input is at its end (another's init: the console)
    --timeout SEC    with -c: ends the machine after SEC seconds, status 124
    --verbose        with -c: also shows what the firmware and the kernel say
    --debug          a kernel with the checks that cost time
    --commit HOW     strict, the default: sbrk and fork get what is promised;
                     lazy: more than that; what touches too much is killed
    --paging MODE    sv39, the default: page tables of three levels; sv48; sv57
    --sync HOW       delayed, the default: what was written is on the disk about
                     a second later, or when fsync, sync or poweroff asks;
                     always: when the call returns (default for xv6's images)
    --sim            not QEMU, but this project's own strict machine, which
                     does the same in each run (docs/sim.md, ./sim --help);
                     a pipe is read to its end before that starts
    --seed N         with --sim: chooses what hardware leaves open
    --gdb[=PORT]     the machine waits for GDB; says how to attach (docs/gdb.md)
    --view           afterwards shows the page tables that the session printed
                     (vmprint), as a page in the browser; see docs/ptview.md
    --append WORDS   more boot options for the kernel
    --no-build       boots what was built before
    --dry-run        prints the machine's command line, no more
    --help           this text

Keys: Ctrl-A X ends the machine at once, Ctrl-A C goes to QEMU's monitor and
back, Ctrl-A Ctrl-A types one Ctrl-A. The guest knows Ctrl-D (end of input;
when the shell reads it, a new shell starts), Ctrl-C (ends what runs in the
foreground), Ctrl-\\ (all but the first shell), Ctrl-U (takes the line back),
Ctrl-H and Backspace, Ctrl-P (lists the processes). `poweroff` ends the machine
in order.

A disk is one file: copy it while no machine runs on it. `tools/mkfs --list
IMAGE` shows what is in it, and `tools/mkfs --get NAME IMAGE` takes a file out.

BUILD=FOLDER in the environment: everything is built and written there, not in
build; a relative one is seen from this checkout, which then may be read-only.

Status: that of the commands (-1, which a killed process has, is 255); 134 after
a kernel panic; 125 when the machine ended and had told no status; 128 + N when
signal N ended ./run, and with it the machine; 2 when something about the
command line, the build or the image is wrong.
An image that was built for xv6 works, with -c too.
"""
import argparse
import mmap
import os
import re
import shlex
import signal
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import boards  # noqa: E402
import kept  # noqa: E402
import linuxroot  # noqa: E402
import machine  # noqa: E402
import session  # noqa: E402
import sim  # noqa: E402
import view  # noqa: E402
import xv6fs  # noqa: E402
from machine import Unusable  # noqa: E402

COMMAND_MAX = 1900  # bytes: init gets them on its one stack page
FOREIGN_LINE_MAX = 98  # what xv6's shell reads of a line; it takes the rest for another one
OUR_INIT = b"Trellis init"
LEVELS = {"sv39": 3, "sv48": 4, "sv57": 5}
# What runs when the input is a pipe: as with -c, the machine ends with it. It is init's own child,
# for which the kernel keeps slots and memory (docs/console.md).
PIPED_SHELL = "exec sh <console"


# ---- command line ----
class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Unusable(f"{message}; ./run --help lists the options")


def parse(args):
    parser = Parser(prog="./run", allow_abbrev=False, add_help=False)
    parser.add_argument("-c", dest="commands")
    parser.add_argument("--design", default=machine.default_design())
    parser.add_argument("--machine", default="virt")
    parser.add_argument("--disk")
    parser.add_argument("--disk2")
    parser.add_argument("--keep")
    parser.add_argument("--harts")
    parser.add_argument("--mem")
    parser.add_argument("--timeout")
    parser.add_argument("--commit", default="strict")
    parser.add_argument("--paging", default="sv39")
    parser.add_argument("--sync")
    parser.add_argument("--seed")
    parser.add_argument("--gdb", nargs="?", const="0")
    parser.add_argument("--append", default="")
    parser.add_argument("--with", nargs="+", dest="packages", default=[], metavar="PACKAGE")
    for name in ("--linux", "--verbose", "--debug", "--view", "--sim", "--no-build", "--dry-run",
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
    options.board = boards.BOARDS.get(options.machine)
    if not options.board:
        raise Unusable(f"--machine {options.machine}: no such machine; there are "
                       + ", ".join(boards.BOARDS))
    if options.keep is not None and not options.board.virtio:
        raise Unusable("--keep: the disk of this machine is in memory, and not kept")
    check_sim(options)
    check_linux(options)
    options.harts = machine.parse_harts(options.harts or str(options.board.harts),
                                        options.board.harts_max)
    options.mem_given = options.mem is not None
    options.mem = options.mem or f"{options.board.mib}M"
    options.mib = machine.parse_mem(options.mem, options.board.mib_min)
    if options.commit not in ("strict", "lazy"):
        raise Unusable(f"--commit {options.commit}: there are strict and lazy")
    if options.paging not in LEVELS:
        raise Unusable(f"--paging {options.paging}: there are sv39, sv48 and sv57")
    if options.sync not in (None, "delayed", "always"):
        raise Unusable(f"--sync {options.sync}: there are delayed and always")
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
    if options.keep is not None:
        if options.disk is not None:
            raise Unusable("--keep and --disk: only one disk is the root")
        options.disk = kept.path(options.keep)
    if options.keep is None or os.path.exists(options.disk):
        check_disk(options)
    check_second_disk(options)
    options.piped = options.commands is None and (sys.stdin is None or not sys.stdin.isatty())
    options.ours = options.linux or options.disk is None or not os.path.exists(options.disk) or \
        init_is_ours(options.disk)
    if options.commands is not None and not options.ours:
        check_typed_lines(options.commands)
    if options.board.one_key and (options.piped or not (options.ours or options.commands is None)):
        raise Unusable(f"--machine {options.machine}: its console loses what is typed at once"
                       + ("; use -c, or a terminal" if options.piped else
                          ", and this image's shell takes no commands but typed ones"))


def check_sim(options):
    if options.seed is not None:
        if not options.sim:
            raise Unusable("--seed is for --sim")
        if not re.fullmatch(r"\d+", options.seed):
            raise Unusable(f"--seed {options.seed}: not a number")
    if options.sim:
        for name, given in (("--gdb", options.gdb is not None), ("--view", options.view),
                            ("--machine", options.machine != "virt")):
            if given:
                raise Unusable(f"--sim and {name}: that is QEMU's")


def check_linux(options):
    if options.packages and not options.linux:
        raise Unusable("--with is for --linux")
    for name in options.packages:
        if not re.fullmatch(r"[a-z0-9][a-z0-9+.-]+", name):
            raise Unusable(f"--with {name}: no name of a package")
    if options.linux:
        for name, given in (("--sim", options.sim),
                            (f"--machine {options.machine}", not options.board.virtio)):
            if given:
                raise Unusable(f"--linux and {name}: the root is in memory there already")


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


def check_image(name, path, maker):
    if not os.path.exists(path):
        raise Unusable(f"{name} {path}: no such file; {maker} makes images")
    if not os.path.isfile(path):
        raise Unusable(f"{name} {path}: not a file")
    if not os.access(path, os.R_OK | os.W_OK):
        raise Unusable(f"{name} {path}: cannot be read and written")


def check_second_disk(options):
    if options.disk2 is None:
        return
    if options.sim or not options.board.virtio:
        raise Unusable("--disk2: this machine has one disk")
    check_image("--disk2", options.disk2, "mke2fs")
    if options.disk is not None and os.path.exists(options.disk) and \
            os.path.samefile(options.disk, options.disk2):
        raise Unusable("--disk and --disk2: the same image")


def check_disk(options):
    path = options.disk
    if path is None:
        return
    check_image("--disk", path, "tools/mkfs")
    if is_ext2(path):
        return
    try:
        image = xv6fs.Image.load(path)
    except xv6fs.FormatError as e:
        raise Unusable(f"--disk {path}: not an image in xv6's format: {e}") from e
    why = xv6fs.super_problem(image.sb, len(image.data))
    if why:
        raise Unusable(f"--disk {path}: not an image in xv6's format: {why}")


def is_ext2(path):
    """Whether it has the mark of ext2; what else is wrong with it, the kernel says."""
    with open(path, "rb") as f:
        f.seek(1024 + 56)
        return f.read(2) == b"\x53\xef"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def init_is_ours(path):
    """Whether the image's first program knows -c. Without one, the kernel says so."""
    if is_ext2(path):
        return True
    try:
        image = xv6fs.Image.load(path)
        image.recover()
        return OUR_INIT in image.read("/init")
    except xv6fs.FormatError:
        return True


# ---- QEMU's command line ----
def size_words(options):
    """How large the screen is, for who sits there."""
    if options.commands is not None or options.piped or not sys.stdout.isatty():
        return []
    size = os.get_terminal_size(sys.stdout.fileno())
    return [f"rows={size.lines}", f"columns={size.columns}"] if size.lines and size.columns else []


def linux_commands(options):
    """What the guest's first shell, which is busybox, is to do."""
    if options.commands is not None:
        return f". /etc/profile\n{options.commands}"
    term = os.environ.get("TERM", "")
    return (f"TERM={term} " if re.fullmatch(r"[\w.+-]+", term) else "") + linuxroot.SHELL


def boot_words(options):
    words = [] if options.gdb else ["panic=exit"]
    if options.commands is not None:
        if not options.verbose:
            words.append("quiet")
    if options.commands is not None or options.piped:
        words.append("trace=poweroff" if options.ours else "trace=exit")
    if options.commit != "strict":
        words.append(f"commit={options.commit}")
    if options.paging != "sv39":
        words.append(f"paging={options.paging}")
    # Another system's programs know neither sync nor poweroff.
    if options.sync == "always" or (options.sync is None and not options.ours):
        words.append("sync=always")
    words += size_words(options)
    if options.append:
        words.append(options.append)
    if options.linux:
        words.append("-- " + linux_commands(options))
    elif options.piped and options.ours:
        words.append("-- " + PIPED_SHELL)
    elif options.commands is not None and options.ours:
        words.append("-- " + (options.commands if options.commands.strip() else ":"))
    return " ".join(words)


def sim_command(options):
    kernel = os.path.join(machine.kernel_folder(options.debug), "kernel.elf")
    command = [*sim.command(), "--kernel", kernel,
               "--disk", options.disk or machine.default_image(),
               "--harts", str(options.harts), "--mem", f"{options.mib}M",
               "--append", f"design={options.design} {boot_words(options)}".rstrip()]
    if options.disk is not None:
        command.append("--keep-disks")
    return [*command, *(["--seed", options.seed] if options.seed else []), "--quiet"]


def command_line(options):
    if options.sim:
        return sim_command(options)
    disks = [machine.the_disk(options.machine, options.disk or machine.default_image(),
                              keep=options.disk is not None)]
    if options.disk2 is not None:
        disks.append(machine.drive(options.disk2, keep=True, name="disk1", slot=1))
    logged = view.chardev_words() if options.view else ""
    if options.commands is None and not logged:
        console = ["-nographic"]
    else:  # what that is, with a log, and without QEMU's own use of signals
        console = ["-display", "none", "-serial", "chardev:console", "-monitor", "chardev:console",
                   "-chardev", "stdio,id=console,mux=on,signal=off" + logged]
    extra = ["-S", "-gdb", f"tcp:127.0.0.1:{options.gdb}"] if options.gdb else []
    if options.linux:
        extra += ["-initrd", linuxroot.archive_path(options.packages)]
    return machine.qemu_command(options.design, options.harts, options.mib, disks, console,
                                boot_words(options), options.debug, extra, options.machine)


def trampoline(options):
    """Its address in every table: kernel/arch/layout.h."""
    return (1 << 11 + 9 * LEVELS[options.paging]) - 4096


def write_gdbinit(options):
    """The start file for GDB; it stands beside the kernel."""
    folder = machine.kernel_folder(options.debug)
    path = os.path.join(folder, "gdbinit")
    with open(path, "w", encoding="utf-8") as f:
        f.write("# Written by ./run --gdb.\n"
                "set confirm off\n"
                "set architecture riscv:rv64\n"
                f'file "{os.path.join(folder, "kernel.elf")}"\n'
                f'directory "{machine.ROOT}"\n'
                # Where every table has it; kernel.elf has the page's other address.
                f'add-symbol-file "{os.path.join(folder, "arch", "trampoline.S.o")}" '
                f"-s .trampoline {trampoline(options):#x}\n"
                f"target remote 127.0.0.1:{options.gdb}\n"
                f'source {os.path.join(machine.ROOT, "tools", "trellis_gdb.py")}\n')
    shown = os.path.relpath(path)
    print(f"Waiting for GDB on port {options.gdb}. In another terminal, in {machine.ROOT}:\n"
          f"    gdb-multiarch -x {shlex.quote(shown)}", file=sys.stderr, flush=True)


# ---- all together ----
def prepare(options):
    need = ["sh", os.path.join(machine.ROOT, "tools", "need.sh"), "build",
            "host" if options.sim else "boot"]
    status = subprocess.run(need, check=False).returncode
    if status:
        sys.exit(status)
    progress = machine.Progress(f"Building Trellis ({options.design})")
    try:
        machine.build(options.debug, ("all", "sim") if options.sim else ("all",), progress)
    finally:
        progress.done()


def choose_memory(options):
    """As much as the root takes, unless that was said."""
    if not options.mem_given:
        options.mib = linuxroot.mib(options.packages, options.mib)
        options.mem = f"{options.mib}M"
        check_host_memory(options)


def prepare_kept(options):
    kept.make(options.keep)
    if kept.is_outdated(options.keep):
        print(f"run: the programs on {os.path.relpath(options.disk)} are those of another build; "
              "the kernel is this one's. Remove it for a new one", file=sys.stderr)


def check_built(options):
    kernel = os.path.join(machine.kernel_folder(options.debug), "kernel.elf")
    fresh = options.disk is None or not os.path.exists(options.disk)
    for path in [kernel] + ([machine.default_image()] if fresh else []) + \
            (sim.command() if options.sim else []):
        if not os.path.exists(path):
            raise Unusable(f"--no-build: {os.path.relpath(path)} has not been built")


def show_help():
    print(__doc__.strip().format(
        designs=", ".join(machine.designs()), default=machine.default_design(),
        harts_max=machine.HARTS_MAX, mib_min=machine.MIB_MIN, machines=", ".join(boards.BOARDS)))


def main(args):
    if sys.stdout is None or sys.stderr is None:  # closed by the caller
        print("run: standard output and standard error must be open", file=sys.stderr)
        return 2
    if sys.stdin is None:
        os.open(os.devnull, os.O_RDONLY)  # becomes 0, which is free: input that is at its end
    machine.die_by_signals()
    try:
        options = parse(args)
        if options.help:
            show_help()
            return 0
        check(options)
        if options.dry_run:
            if options.linux:
                choose_memory(options)
            print(shlex.join(command_line(options)))
            return 0
        found = linuxroot.get(options.packages) if options.linux else None
        boards.prepare(options.machine, options.harts, options.mib, machine.build_path())
        if options.no_build:
            check_built(options)
            if options.gdb or options.view or options.keep is not None:
                machine.make_build_folder()
        else:
            prepare(options)
        if options.keep is not None:
            prepare_kept(options)
        if options.linux:
            linuxroot.make(options.packages, *found)
            choose_memory(options)
        if options.gdb:
            write_gdbinit(options)
        status = session.run(options, command_line(options))
        if options.view:
            view.show()
        return status
    except Unusable as e:
        print(f"run: {e}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
