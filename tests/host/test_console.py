"""How ./run -c reads the console: what it shows of a transcript, and the status."""
import random

import pytest
from consoles import ForeignConsole, OwnConsole, PipedConsole

BANNER = b"OpenSBI v1.1\r\n...\nTrellis mirror: 3 harts, 128 MiB\n"


def end(pid, name, status):
    return f"[trellis] exit pid={pid} name={name} status={status}\n".encode()


def feed(console, data, cuts):
    """Feeds data in pieces; returns what was shown."""
    shown = b""
    for start, stop in zip([0] + cuts, cuts + [len(data)]):
        shown += console.feed(data[start:stop])
    return shown


def all_ways(data):
    """No cut, a cut at every byte, and random ones."""
    yield []
    yield list(range(1, len(data)))
    rng = random.Random(3)
    for _ in range(20):
        yield sorted(rng.sample(range(1, len(data)), min(5, len(data) - 1)))


def test_own_console_shows_what_follows_the_marker():
    data = BANNER + b"out\nput"
    for cuts in all_ways(data):
        console = OwnConsole(verbose=False)
        assert feed(console, data, cuts) == b"out\nput"


def test_own_console_verbose_shows_all():
    assert feed(OwnConsole(verbose=True), BANNER + b"x", []) == BANNER + b"x"


def test_own_console_learns_of_an_end_before_the_start():
    data = b"OpenSBI v1.1\r\npanic: no\n[trellis] ended with status 134; the machine can\n"
    for cuts in all_ways(data):
        console = OwnConsole(verbose=False)
        assert feed(console, data, cuts) == b""
        assert console.finished and console.status == 134 and not console.started


def test_piped_input_of_another_system_ends_with_its_shell():
    """Wherever the output is cut, and whether the input has ended before the first shell."""
    start = b"init: starting sh\n$ "
    for data, shells_before in (BANNER + start + end(3, "false", 1), 0), (end(3, "false", 1), 1):
        for cuts in all_ways(data):
            console = PipedConsole(ours=False)
            shown = console.feed(BANNER + start) if shells_before else b""
            console.at_end.set()
            shown += feed(console, data, cuts)
            assert not console.finished and shown == BANNER + start
            shown = feed(console, b"\n" + start, list(range(1, 10)))
            assert console.finished and console.status == 1 and shown == b"\n" + start


def session(commands, answers, verbose=False):
    """A shell that answers each typed line; returns (shown, status, what was typed)."""
    console = ForeignConsole(commands, verbose)
    shown = console.feed(BANNER + b"init: starting sh\n$ ")
    typed = []
    for answer in answers:
        assert console.typed, "a line is typed at the prompt"
        typed.append(console.typed)
        echo, console.typed = console.typed, b""
        for byte in echo + answer:
            shown += console.feed(bytes([byte]))
    return shown, console.status, typed, console.finished


@pytest.mark.parametrize("answer, shown, status", [
    (b"a\nb\n" + end(3, "ls", 0) + b"$ ", b"a\nb\n", 0),
    (end(3, "false", 1) + b"$ ", b"", 1),
    (end(3, "killed", -1) + b"$ ", b"", 255),
    (b"no newline" + end(3, "echo", 0) + b"$ ", b"no newline", 0),
    (b"$ no prompt\n" + end(3, "echo", 0) + b"$ ", b"$ no prompt\n", 0),
    (b"$ " + end(3, "echo", 0) + b"$ ", b"$ ", 0),
    (b"[trellis\n[t\n" + end(3, "echo", 4) + b"$ ", b"[trellis\n[t\n", 4),
    (b"x\n" + end(4, "bg", 9) + b"y\n" + end(3, "last one", 2) + b"$ ", b"x\ny\n", 2)])
def test_foreign_session(answer, shown, status):
    assert session("cmd", [answer]) == (shown, status, [b"cmd\n"], True)


def test_foreign_lines_one_after_the_other():
    answers = [b"1\n" + end(3, "a", 1) + b"$ ", b"$ ", b"2\n" + end(4, "b", 0) + b"$ "]
    assert session("a\n\ncd d\nb", answers) == (b"1\n2\n", 0, [b"a\n", b"cd d\n", b"b\n"], True)


def test_cd_has_status_0():
    answers = [end(3, "false", 1) + b"$ ", b"$ "]
    assert session("false\ncd /", answers)[1] == 0


def test_prompt_without_an_end_needs_quiet():
    """A command that no process ran: the prompt counts when nothing follows."""
    shown, _, _, finished = session("builtin", [b"$ "])
    assert shown == b"" and not finished
    console = ForeignConsole("builtin", False)
    console.feed(BANNER + b"$ ")
    console.feed(b"builtin\n$ ")
    assert console.at_prompt() and not console.finished
    assert console.take_prompt() == b"" and console.finished and console.status == 0
