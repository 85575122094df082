"""Whatever a program takes all of, the shell lists, ends and removes; and ^C."""
import re
import subprocess
import time

import guest
import pytest

PROMPT = r"(?<![^\n])\$ $"


def hogs(shell):
    return sorted(int(pid) for pid in re.findall(r"(?m)^ *(\d+) .* hog$", shell.run("ps")))


def until(shell, condition):
    """For those that were killed: they have ended when they have run once more."""
    deadline = time.monotonic() + guest.DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            shell.fail("it does not come true")


def until_gone(shell):
    until(shell, lambda: not hogs(shell))


def catch_up(shell):
    """With the prompts after what was typed before: that of a command in the background may come
    before or behind what it prints."""
    shell.type("echo x | wc\n")
    shell.expect(r"1 +1 +2\D")
    shell.expect(r"\$ $")


def interrupt(shell, key="\x03", shown=r"\^C"):
    shell.type(key)
    shell.expect(shown + r"\r?\n")
    shell.expect(PROMPT)


def test_all_kernel_stacks_are_taken(boot):
    """Where memory does not end first: the shell still forks."""
    shell = boot(harts=1, mib=1024).prompt()
    shell.type("hog threads &\n")
    shell.expect("hog: has it all")
    catch_up(shell)
    pids = hogs(shell)
    assert len(pids) == 1
    assert re.search(rf"(?m)^ *{pids[0]} .*hog$", shell.run("ps | cat"))
    assert shell.run(f"kill {pids[0]}") == ""
    until_gone(shell)


@pytest.fixture(params=[(1, 32), pytest.param((2, 128), marks=pytest.mark.hand)],
                ids=["32M", "128M"])
def shell(boot, request):
    harts, mib = request.param
    return boot(harts=harts, mib=mib).prompt()


def test_all_of_something_is_taken(shell):
    """In the background, so that the shell has to find room for its commands."""
    for thing in ["slots", "bomb", "memory", "threads", "pipes", "inodes"]:
        shell.run(f"echo {thing} > f")
        shell.type(f"hog {thing} &\n")
        shell.expect("hog: has it all")
        catch_up(shell)
        assert "\nbin\n" in "\n" + shell.run("ls"), thing
        assert shell.run("cat f | cat | cat") == thing + "\n"
        assert shell.run("rm f; ls f") == "ls: f: No such file or directory\n", thing
        pids = hogs(shell)
        assert pids, thing
        assert shell.run(f"kill -{pids[0]}") == "", thing
        until_gone(shell)
    assert shell.run("(echo all; echo well) | sort") == "all\nwell\n"


def test_all_of_the_console_is_taken(shell):
    """What the commands print stands somewhere in the hog's output."""
    shell.run("echo listed > f")
    shell.type("hog output &\n")
    shell.expect("hog hog")
    shell.type("cat f\n")
    shell.expect("listed\r?\n")
    shell.type("\x10")
    pid = shell.expect(r"\n(\d+) [^\n]*hog\r?\n")[1]
    shell.type(f"rm f; kill -{pid}\n")
    catch_up(shell)
    until_gone(shell)
    assert shell.run("ls f") == "ls: f: No such file or directory\n"


def test_shell_of_a_pipe_is_of_the_session():
    """What is kept for the one on a terminal is kept for it."""
    with subprocess.Popen([guest.RUN, "--no-build"], stdin=subprocess.PIPE, encoding="utf-8",
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        run.stdin.write("hog slots &\n")
        run.stdin.flush()
        while "hog: has it all" not in (line := run.stdout.readline()):
            assert line, "it ended"
        shown, _ = run.communicate("ls /etc\nls /bin | wc -l >f\ncat f\nrm f\nls f\necho last\n",
                                   timeout=guest.DEADLINE)
    assert run.returncode == 0 and "cannot" not in shown and "\n$ last\n" in "\n" + shown, shown
    assert "ls: f: No such file or directory\n" in shown


def test_interrupt_ends_what_hogs_in_the_foreground(shell):
    for thing in ("slots", "bomb", "memory", "output"):
        shell.type(f"hog {thing}\n")
        shell.expect("hog: has it all" if thing != "output" else "hog hog")
        interrupt(shell)
        until_gone(shell)
    assert shell.run("echo well") == "well\n"


def test_kill_works_when_nothing_can_be_started(shell):
    """The shell's own commands have taken all slots, those that are kept for it too."""
    for _ in range(200):
        if "cannot fork" in shell.run("sleep 1000 &"):
            break
    assert "cannot fork" in shell.run("ls")
    shell.type("\x10")
    pid = shell.expect(r"\n(\d+) [^\n]*sleep\r?\n")[1]
    assert shell.run(f"kill {pid}") == ""
    assert shell.run("kill 1 0 x -1 77777 -77777") == (
        "sh: kill: process 1 is the first, and has to stay\n"
        "sh: kill: 0: not a process number\nsh: kill: x: not a process number\n"
        "sh: kill: -1: not a process number\nsh: kill: no process 77777\n"
        "sh: kill: no group 77777\n")
    until(shell, lambda: "cannot" not in shell.run("ps"))
    interrupt(shell, "\x1c", r"\^\\")
    until(shell, lambda: " sleep\n" not in shell.run("ps"))


@pytest.fixture
def one(boot):
    return boot().prompt()


def until_runs(shell, **wanted):
    """Until there are so many processes of a name."""
    def run():
        shell.type("\x10")
        listed = shell.expect(r"\nPID [^\n]*NAME\r?\n((?:\d+ [^\n]*\n)+)")[1]
        names = [line.split()[-1] for line in listed.splitlines()]
        return all(names.count(name) >= n for name, n in wanted.items())
    until(shell, run)


def test_interrupt_ends_the_whole_foreground(one):
    """And what would follow it, but not what is in the background."""
    one.run("sleep 999 &")
    for command, runs in (
            ("sleep 1000", {"sleep": 2}), ("cat", {"cat": 1}),
            ("sleep 1000 | cat | cat", {"sleep": 2, "cat": 2}),
            ("(sleep 1000; echo second)", {"sleep": 2}),
            ("sleep 1000; echo second", {"sleep": 2}),
            ("sleep 1000 || echo second", {"sleep": 2}),
            ("sh -c 'sleep 1000 & sleep 1000; echo second'", {"sleep": 3})):
        one.type(command + "\n")
        one.expect(re.escape(command) + r"\r?\n")
        until_runs(one, **runs)
        interrupt(one)
        assert not re.search(r"(?m)^second", one.text)
        until(one, lambda: re.findall(r" (sleep|cat)\n", one.run("ps")) == ["sleep"])


def test_interrupt_drops_what_is_typed(one):
    one.type("echo dropped")
    one.expect("echo dropped")
    interrupt(one)
    one.type("echo 'also\n")
    one.expect(r"> $")
    one.type("dropped")
    interrupt(one)
    interrupt(one)
    assert one.run("echo kept") == "kept\n"
    assert not re.search(r"(?m)^(also|dropped)", one.text)


def test_interrupt_in_a_shell_in_the_shell(one):
    one.run("sh")
    shell = one.run("echo $$")
    one.type("sleep 1000\n")
    until_runs(one, sleep=1)
    interrupt(one)
    interrupt(one)
    assert one.run("echo $$") == shell
    one.run("exit")
    one.type("sleep 1000\n")
    until_runs(one, sleep=1)
    interrupt(one)
    assert one.run("echo $$") not in (shell, "")


def test_the_other_key_ends_the_background_too(one):
    one.run("sleep 1000 &")
    one.run("sh -c 'sleep 1000 & sleep 1000' &")
    until_runs(one, sleep=3)
    interrupt(one, "\x1c", r"\^\\")
    until(one, lambda: one.run("ps | wc -l") == "5\n")
