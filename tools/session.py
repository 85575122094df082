"""What ./run does while its machine runs: a terminal's or a pipe's session, or -c's commands, and
with which status it ends. options are ./run's, command is QEMU's command line."""
import contextlib
import os
import re
import selectors
import subprocess
import sys
import tempfile
import threading
import time

from consoles import ForeignConsole, OwnConsole, PipedConsole

TIMEOUT_STATUS = 124
UNTOLD_STATUS = 125
END_OF_INPUT = b"\x04"
END_KEYS = b"\x01x"  # what a user types to end QEMU
# A prompt that no process's end has announced (a shell's own command) counts when
# nothing follows it for so many seconds.
QUIET = 2
MANY = 1 << 16  # more ends of input than a session reads


def run(options, command):
    """The status of ./run."""
    if options.commands is None:
        return interact(options, command)
    return run_commands(options, command)


@contextlib.contextmanager
def started(command, keys):
    """QEMU, which the caller ends: then its last words about that are not shown."""
    with subprocess.Popen(command, stdin=keys, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as qemu:
        errors = threading.Thread(target=pass_errors, args=(qemu.stderr,))
        errors.start()
        try:
            yield qemu
        finally:
            errors.join()


def pass_errors(stream):
    for line in stream:
        if not re.search(rb": terminating on signal 15 from pid %d\b" % os.getpid(), line):
            sys.stderr.buffer.write(line)
            sys.stderr.flush()


# ---- interactive ----
def interact(options, command):
    print(f"Trellis: {options.design}, {options.harts} harts, {options.mib} MiB. "
          "Ctrl-A X ends the machine."
          + ("" if options.disk and options.board.virtio else
             " Changes to the disk are not kept (--keep NAME keeps them)." if options.board.virtio
             else " Changes to the disk are not kept."),
          file=sys.stderr, flush=True)
    if options.piped:
        return type_from_pipe(options, command)
    with subprocess.Popen(command) as qemu:
        try:
            qemu.wait()
        finally:
            insist_on_end(qemu)
    return ended_status(qemu)


def type_from_pipe(options, command):
    """Standard input is no terminal: it is typed when the kernel is there to listen."""
    console = PipedConsole(options.ours)
    keys = all_keys(console) if options.sim else subprocess.PIPE
    with started(command, keys) as qemu:
        if not options.sim:
            threading.Thread(target=forward, args=(console, qemu), daemon=True).start()
        try:
            pump(qemu, console, None)
            if console.finished:
                return (console.status or 0) & 0xff
            qemu.wait()
        finally:
            end(qemu, by_keys=False)  # forward() may be writing to it
            if qemu.stdin:
                with contextlib.suppress(OSError, ValueError):  # of what QEMU did not take
                    qemu.stdin.close()
    return told_status(qemu, console.status if options.ours else None)


def all_keys(console):
    """For the machine that does the same in each run: all of the input before it starts, as a
    file, so that no key depends on when somebody writes it."""
    keys = tempfile.TemporaryFile()
    text = b"".join(iter(read_input, b""))
    keys.write(text + ends_after(text) + MANY * END_OF_INPUT)
    keys.seek(0)
    console.at_end.set()
    return keys


def ends_after(text):
    """What ends the last line, if it has to be."""
    return b"" if text[-1:] in (b"", b"\n") else b"\n"


def forward(console, qemu):
    """Types the input. At its end everybody in the guest who reads finds an end, too: what
    reads now, the shell, and whoever comes when all this has been read."""
    console.listening.wait()
    last = b""
    try:
        while data := read_input():
            qemu.stdin.write(data)
            qemu.stdin.flush()
            last = data[-1:]
        console.at_end.set()
        typed = ends_after(last) + 4 * END_OF_INPUT
        while qemu.poll() is None:
            qemu.stdin.write(typed)
            qemu.stdin.flush()
            typed = END_OF_INPUT
            time.sleep(QUIET)
    except (OSError, ValueError):
        pass  # QEMU has gone


def read_input():
    try:
        return os.read(0, 4096)
    except OSError:
        return b""


# ---- -c ----
def end(qemu, by_keys=True):
    """Lets QEMU close its files, by keys without a word on how it ended; insists when it does
    not end."""
    qemu.stdout.close()  # QEMU would wait for a reader
    if qemu.poll() is None:
        if by_keys:
            type_bytes(qemu, END_KEYS)
            with contextlib.suppress(subprocess.TimeoutExpired):
                qemu.wait(5)
    insist_on_end(qemu)


def insist_on_end(qemu):
    for insist in (qemu.terminate, qemu.kill):
        if qemu.poll() is None:
            insist()
            with contextlib.suppress(subprocess.TimeoutExpired):
                qemu.wait(5)


def ended_status(qemu):
    if qemu.returncode < 0:
        print(f"run: QEMU was ended by signal {-qemu.returncode}", file=sys.stderr)
        return 128 - qemu.returncode
    return qemu.returncode


def told_status(qemu, told):
    """The status of a machine that has ended. 0 is one that the guest has told us: QEMU ends
    with 0 also when the machine was switched off in another way."""
    if told is not None:
        return told & 0xff or int(told != 0)
    if qemu.returncode == 0:
        print("run: the machine was powered off, and nobody had told a status", file=sys.stderr)
        return UNTOLD_STATUS
    return ended_status(qemu)


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


def run_commands(options, command):
    console = OwnConsole(options.verbose) if options.ours else \
        ForeignConsole(options.commands, options.verbose)
    deadline = None if options.timeout is None else time.monotonic() + options.timeout
    with started(command, subprocess.PIPE) as qemu:
        try:
            raw, late = pump(qemu, console, deadline)
            if late:
                if not console.started:
                    sys.stderr.buffer.write(raw)
                print(f"run: not done after {options.timeout:g} seconds; the machine was ended",
                      file=sys.stderr)
                return TIMEOUT_STATUS
            if console.finished:
                if not console.started:
                    sys.stderr.buffer.write(raw)
                return console.status & 0xff or int(console.status != 0)
            qemu.wait()
        finally:
            end(qemu)
    if not console.started:
        sys.stderr.buffer.write(raw)
        print("run: the machine ended before the kernel had started", file=sys.stderr)
        return qemu.returncode or 1 if raw else 2
    return told_status(qemu, console.status if options.ours else None)
