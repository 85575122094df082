"""What the documentation shows is what is printed today (tools/printouts.py, make printouts).
docs/tour.md is in test_tour.py, docs/mmap.md in test_mmap_tour.py."""
import re

import guest
import printouts
import pytest

ADDRESS = 1 << 12  # of a program or a stack: another compiler, another address


@pytest.mark.parametrize("command, shown", printouts.entries(printouts.read(printouts.FAILURES)))
def test_failures_page(command, shown):
    how = {"keep": ADDRESS, "lines": printouts.recorded_compiler()}
    printed = printouts.print_failure(command)
    assert printouts.generally(printed, **how) == printouts.generally(shown, **how)


@pytest.mark.parametrize("page", printouts.DOCTOR)
def test_reports_of_the_doctor(page):
    shown = printouts.entries(printouts.read(page))
    assert [command for command, _ in shown] == \
        [command for command, _ in printouts.entries(printouts.read(printouts.DOCTOR[0]))]
    if not printouts.recorded_compiler():
        pytest.skip("the lines are those of another compiler")
    for command, lines in shown:
        assert printouts.generally(printouts.print_report(command)) == printouts.generally(lines)


def test_session_of_the_readme():
    if not printouts.recorded_compiler():
        pytest.skip("the session is of programs of another compiler, which have other sizes")
    (shown, chinese) = [printouts.entries(printouts.read(p)) for p in printouts.SESSIONS]
    assert shown == chinese and len(shown) >= 6
    printed = printouts.print_session([command for command, _ in shown])
    for (command, lines), now in zip(shown, printed, strict=True):
        assert printouts.generally(now) == printouts.generally(lines), command


def test_walk_of_page_tables():
    """The example, and what the text says of its numbers."""
    text = printouts.read(printouts.PAGE_TABLES)
    shown = re.search(r"(?:^    .*\n)+", text[text.index("`vmwalk` prints the walk:"):], re.M)[0]
    done = guest.run("-c", "vmwalk 0x813008 1")
    lines = [line[4:] for line in shown.splitlines()]
    assert printouts.generally(done.stdout.splitlines()) == printouts.generally(lines)
    said = text[text.index(shown) + len(shown):].strip().split("\n\n")[0]
    numbers = re.findall(r"0x8[0-9a-f]+", said)
    assert len(numbers) >= 4
    assert all(n[2:].zfill(16) in shown for n in numbers), numbers


@pytest.mark.parametrize("line, other", [
    ("  0xffffffc08020a8cc  fail+0x9c  selftest.c:81",
     "  0xffffffc08020a8cc  fail+0x9c  selftest.c:93"),
    ("..0: pte 0x0000000021f8a001 pa 0x0000000087e28000",
     "..0: pte 0x0000000021f8a003 pa 0x0000000087e28000"),
    ("    7      2 sleeps    2     28K       6        12      8       0 sleep",
     "    7      2 sleeps    2     28K       6        12      9       0 sleep")])
def test_a_difference_is_found(line, other):
    assert printouts.general(line) != printouts.general(other)


@pytest.mark.parametrize("page", [*printouts.SESSIONS, printouts.FAILURES, printouts.TOUR])
def test_recording_what_is_there_changes_nothing(page):
    text = printouts.read(page)
    assert len(printouts.entries(text)) >= 6
    assert printouts.replaced(text, lambda command, shown: shown) == text
