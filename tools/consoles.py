"""What ./run makes of the guest's console: which bytes it shows, and what it types when.

Each class has feed(bytes) -> the bytes to show; at_prompt(): whether what is held back
may be a prompt, which take_prompt() then takes for one; rest(): what is left at the end;
typed: bytes for the guest's keyboard; started: whether the kernel's first line has come;
finished: whether there is nothing more to wait for; status: the one that the guest has told,
None when it has told none.
"""
import os
import re
import threading

# The kernel's first line, after which comes what the commands print.
MARKER = re.compile(rb"(?:^|[\r\n])Trellis \w+:[^\n]*\n")
# What the kernel says at trace=exit when a child of the first shell ends.
EXIT_LINE = re.compile(rb"\[trellis\] exit pid=\d+ name=[^\n]*? status=(-?\d+)\r?\n")
# What it says at trace=poweroff when a program ends the machine.
POWEROFF_LINE = re.compile(rb"\[trellis\] poweroff status=(-?\d+)\r?\n")
# What it says last on a machine whose emulator learns no status, and may not even end.
ENDED_LINE = re.compile(rb"\[trellis\] ended with status (-?\d+);[^\n]*\n")
TRACE = b"[trellis] "
PROMPT = b"$ "
STARTS_SHELL = b"init: starting sh"  # xv6's init says so each time


def trace_start(held):
    """How many bytes at the end may be the start of a trace line."""
    at = held.rfind(TRACE)
    if at >= 0 and b"\n" not in held[at:]:
        return len(held) - at
    for n in range(min(len(TRACE), len(held)), 0, -1):
        if held.endswith(TRACE[:n]):
            return n
    return 0


class Traced:
    """Takes one kind of trace line out of what the guest prints. status: what the last one
    said, None when there was none."""

    def __init__(self, line):
        self.line = line
        self.held = b""
        self.status = None

    def feed(self, data):
        self.held += data
        shown = b""
        while m := self.line.search(self.held):
            shown += self.held[:m.start()]
            self.status = int(m[1])
            self.held = self.held[m.end():]
        keep = trace_start(self.held)
        shown += self.held[:len(self.held) - keep]
        self.held = self.held[len(self.held) - keep:]
        return shown

    def rest(self):
        held, self.held = self.held, b""
        return held


class PipedConsole:
    """What is typed comes from a pipe. Shows all but trace lines; tells when the machine may
    be typed to: firmware that sets up the serial port loses what came before. After the end
    of the input another's init, which starts the next shell, has seen it: finished."""

    typed = b""

    def __init__(self, ours):
        self.ours = ours
        self.ended = Traced(ENDED_LINE)
        self.traced = Traced(POWEROFF_LINE if ours else EXIT_LINE)
        self.head = b""
        self.tail = b""
        self.shells = 0
        self.last_shell = None
        self.listening = threading.Event()
        self.at_end = threading.Event()
        self.finished = False

    @property
    def started(self):
        return self.listening.is_set()

    @property
    def status(self):
        return self.traced.status if self.ended.status is None else self.ended.status

    def feed(self, data):
        shown = self.traced.feed(self.ended.feed(data))
        if not self.started:
            self.head += shown
            if MARKER.search(self.head):
                self.listening.set()
        if not self.ours:
            self.count_shells(shown)
        if self.ended.status is not None:
            self.finished = True
        return shown

    def count_shells(self, shown):
        if self.last_shell is None and self.at_end.is_set():
            self.last_shell = max(self.shells, 1)  # the one that meets the end
        self.tail += shown
        self.shells += self.tail.count(STARTS_SHELL)
        self.tail = self.tail[self.tail.rfind(STARTS_SHELL) + 1:][-len(STARTS_SHELL):]
        self.finished = self.last_shell is not None and self.shells > self.last_shell

    def at_prompt(self):
        return False

    def rest(self):
        return self.traced.feed(self.ended.rest()) + self.traced.rest()


class OwnConsole:
    """The guest's output when its init knows -c: all that follows the kernel's first line,
    up to the one that tells the status."""

    def __init__(self, verbose):
        self.started = verbose
        self.head = b""
        self.ended = Traced(ENDED_LINE)
        self.traced = Traced(POWEROFF_LINE)
        self.typed = b""  # nothing to type

    @property
    def finished(self):
        return self.ended.status is not None

    @property
    def status(self):
        return self.ended.status if self.finished else self.traced.status

    def feed(self, data):
        """The bytes to print, given the next bytes of the console."""
        if not self.started:
            self.head += data
            m = MARKER.search(self.head)
            if not m:
                ended = ENDED_LINE.search(self.head)  # a panic so early that it is no start
                self.ended.status = int(ended[1]) if ended else None
                return b""
            self.started = True
            data = self.head[m.end():]
        return self.traced.feed(self.ended.feed(data))

    def at_prompt(self):
        return False

    def rest(self):
        return self.traced.feed(self.ended.rest()) + self.traced.rest()


class ForeignConsole:
    """The guest's output when its shell is somebody else's: the commands are typed at
    the prompt, and the kernel's trace lines, which are taken out, tell their statuses."""

    def __init__(self, commands, verbose):
        self.lines = [line for line in commands.split("\n") if line.strip()]
        self.verbose = verbose
        self.started = False
        self.finished = False
        self.status = None
        self.traced = True
        self.held = b""
        self.typed = b""
        self.echo = b""
        self.line_start = True

    def feed(self, data):
        self.held += data
        if not self.started:
            return self.wait_for_marker()
        out = b""
        while True:
            m = EXIT_LINE.search(self.held)
            if not m:
                break
            out += self.show(self.held[:m.start()])
            self.status = int(m[1]) & 0xff
            self.traced = True
            self.line_start = True
            self.held = self.held[m.end():]
        if self.at_prompt() and self.traced:
            return out + self.take_prompt()
        keep = self.undecided()
        out += self.show(self.held[:len(self.held) - keep])
        self.held = self.held[len(self.held) - keep:]
        return out

    def at_prompt(self):
        """A prompt is two bytes at the start of a line with nothing after them."""
        at = self.held.rfind(b"\n") + 1
        return self.started and self.held[at:] == PROMPT and (at > 0 or self.line_start)

    def take_prompt(self):
        out = self.show(self.held[:-len(PROMPT)])
        self.held = b""
        self.line_start = True
        self.next_line()
        return out

    def wait_for_marker(self):
        m = MARKER.search(self.held)
        if not m and not self.verbose:
            return b""
        at = self.held.rfind(b"\n") + 1
        if self.held[at:] != PROMPT:
            return b""
        self.started = True
        shown = self.held[:at] if self.verbose else b""
        self.held = b""
        self.next_line()
        return shown

    def undecided(self):
        """How many bytes at the end may be the start of a prompt or of a trace line."""
        keep = trace_start(self.held)
        if keep:
            return keep
        at = self.held.rfind(b"\n") + 1
        if (at or self.line_start) and PROMPT.startswith(self.held[at:]):
            return len(self.held) - at
        return 0

    def show(self, data):
        """Output without the echo of what was typed."""
        if data:
            self.line_start = data.endswith(b"\n")
        n = len(os.path.commonprefix([self.echo, data]))
        if self.echo and n == len(data):
            self.echo = self.echo[n:]
            return b""
        if self.echo:
            data = data[n:] if n == len(self.echo) else data
            self.echo = b""
        return data

    def next_line(self):
        if not self.lines:
            self.status = self.status or 0  # the shell prompts: it says no more
            self.finished = True
            return
        line = os.fsencode(self.lines.pop(0)) + b"\n"
        self.echo = line
        self.typed += line
        self.traced = line.split()[0] == b"cd"  # the shell's own: no process ends
        self.status = None

    def rest(self):
        return self.held if self.started else b""
