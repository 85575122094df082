"""What ./run makes of the guest's console: which bytes it shows, and what it types when.

Each class has feed(bytes) -> the bytes to show; at_prompt(): whether what is held back
may be a prompt, which take_prompt() then takes for one; rest(): what is left at the end;
typed: bytes for the guest's keyboard; started: whether the kernel's first line has come;
finished: whether there is nothing more to wait for.
"""
import os
import re
import threading

# The kernel's first line, after which comes what the commands print.
MARKER = re.compile(rb"(?:^|[\r\n])Trellis \w+:[^\n]*\n")
# What the kernel says at trace=exit when a child of the first shell ends.
EXIT_LINE = re.compile(rb"\[trellis\] exit pid=\d+ name=[^\n]*? status=(-?\d+)\r?\n")
PROMPT = b"$ "


class PipedConsole:
    """Shows all; tells when the machine may be typed to. Firmware that sets up the
    serial port loses what came before."""

    finished = False
    typed = b""

    def __init__(self):
        self.held = b""
        self.listening = threading.Event()

    @property
    def started(self):
        return self.listening.is_set()

    def feed(self, data):
        if not self.started:
            self.held += data
            if MARKER.search(self.held):
                self.listening.set()
        return data

    def at_prompt(self):
        return False

    def rest(self):
        return b""


class OwnConsole:
    """The guest's output when its init knows -c: all that follows the kernel's first line."""

    def __init__(self, verbose):
        self.started = verbose
        self.held = b""
        self.typed = b""  # nothing to type
        self.finished = False

    def feed(self, data):
        """The bytes to print, given the next bytes of the console."""
        if self.started:
            return data
        self.held += data
        m = MARKER.search(self.held)
        if not m:
            return b""
        self.started = True
        return self.held[m.end():]

    def at_prompt(self):
        return False

    def rest(self):
        return b""


class ForeignConsole:
    """The guest's output when its shell is somebody else's: the commands are typed at
    the prompt, and the kernel's trace lines, which are taken out, tell their statuses."""

    def __init__(self, commands, verbose):
        self.lines = [line for line in commands.split("\n") if line.strip()]
        self.verbose = verbose
        self.started = False
        self.finished = False
        self.status = 0
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
        at = self.held.rfind(b"[trellis] ")
        if at >= 0 and b"\n" not in self.held[at:]:
            return len(self.held) - at
        for n in range(min(len(b"[trellis] "), len(self.held)), 0, -1):
            if self.held.endswith(b"[trellis] "[:n]):
                return n
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
            self.finished = True
            return
        line = os.fsencode(self.lines.pop(0)) + b"\n"
        self.echo = line
        self.typed += line
        self.traced = line.split()[0] == b"cd"  # the shell's own: no process ends
        self.status = 0

    def rest(self):
        return self.held if self.started else b""
