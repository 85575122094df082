"""The shell at the console, as a person uses it."""
import time

import guest
import pytest


@pytest.fixture
def shell(boot):
    return boot().prompt()


@pytest.mark.parametrize("command, output", [
    ("echo hello", "hello\n"),
    ("echo one two | wc", None),
    ("echo data > f; cat f", "data\n"),
    ("echo a > g; echo b >> g; cat < g", "a\nb\n"),
    ("echo a; echo b", "a\nb\n"),
    ("echo 'a  b' \"c  d\" e\\ f", "a  b c  d e f\n"),
    ("echo nothing # a comment", "nothing\n"),
    ("(echo x; echo y) | cat", "x\ny\n"),
    ("echo x | cat | cat | cat", "x\n"),
    ("cd / ; echo ok", "ok\n"),
    ("sh -c 'exec >f; echo x'; sh -c 'exec cat <f; echo never'", "x\n"),
    ("sh -c 'exec nothing; echo never'; echo $?", "sh: nothing: not found\n127\n"),
    ("(exec echo x; echo never) | cat", "x\n"),
    ("", "")],
    ids=["echo", "pipe", "redirect", "append", "list", "quotes", "comment", "group", "pipes", "cd",
         "exec_redirects", "exec_missing", "exec_group", "empty"])
def test_line(shell, command, output):
    got = shell.run(command)
    if output is None:
        assert got.split() == ["1", "2", "8"]
    else:
        assert got == output


def test_places_of_programs(shell):
    """The root holds few names; /bin comes before the current directory, and that before /."""
    assert shell.run("echo *") == "bin cat console echo etc init sh tests\n"
    assert shell.run("/echo xv6 finds it here; /tests/../bin/echo 1") == "xv6 finds it here\n1\n"
    assert "usertests" in shell.run("usertests -x")
    shell.run("mkdir d; cd d; echo echo mine > s; (echo '#!'; cat s) > echo; cp echo own")
    assert shell.run("own; echo not mine; ./echo") == "mine\nnot mine\nmine\n"
    shell.run("cd /; mkdir e; cp d/own /own; cd e")
    assert shell.run("own; cd /e; /own; nosuch") == "mine\nmine\nsh: nosuch: not found\n"
    assert shell.run("cd /d; echo '#!' > own; own") == ""
    assert shell.run("/etc; cd /; etc") == "sh: /etc: Is a directory\nsh: etc: Is a directory\n"


def test_directories(shell):
    assert shell.run("mkdir d; cd d; echo in > file; cd ..; cat d/file") == "in\n"
    assert shell.run("ls d").count("file") == 1
    assert shell.run("rm d/file; rm d; ls").count("\nd ") == 0


def test_missing_command_and_syntax_error_leave_the_shell(shell):
    assert "nosuchprogram" in shell.run("nosuchprogram")
    assert shell.run("echo )") != ")\n"
    assert shell.run("cat < nosuchfile") != ""
    assert shell.run("echo alive") == "alive\n"


def test_grammar_that_it_does_not_have(shell):
    """Neither what such a word encloses runs, nor the rest of its line, nor of its script."""
    shell.run("mkdir d; cd d")
    for text in ("echo>a; if true; then echo>b; fi; echo>c", "for i in 1; do echo>a; done",
                 "f() { echo>a; }", "then echo>a", "! echo>a"):
        said = shell.run(text)
        assert said.startswith("sh: there is no ") and said.count("\n") == 1, said
    assert shell.run("echo $?; ls") == "2\n"
    shell.type("while true\n")
    shell.expect(r"sh: there is no 'while' in this shell; nothing was run\r?\n> $")
    for line in ("echo>a", "do echo>a", "done; echo>a"):
        shell.type(line + "\n")
        shell.expect(line + r"\r?\n(> |\$ )$")
    shell.run("echo echo before >s; echo 'if true' >>s; echo 'then echo>a; fi; echo>b' >>s")
    shell.run("echo echo after >>s")
    assert shell.run("sh s; echo $?") == ("before\nsh: there is no 'if' in this shell; "
                                          "nothing was run\n2\n")
    assert shell.run("sh -c 'echo>a; case x in esac'; echo $?").endswith("2\n")
    assert shell.run("rm s; ls") == ""
    assert shell.run("echo if; 'if'") == "if\nsh: if: not found\n"


def test_background(shell):
    """A background command does not hold the prompt, and its output comes."""
    shell.type("(sleep 1; echo from-behind) &\n")
    shell.expect(r"\$ ")
    shell.expect(r"\nfrom-behind|from-behind\r?\n")
    shell.type("\n")
    shell.expect(r"\$ ")
    assert shell.run("echo alive") == "alive\n"


def test_jobs(shell):
    """They have numbers, and can be named by them; ^C ends the one that fg has brought forward."""
    assert shell.run("echo x$!; fg") == "x\nsh: fg: no such job\n"
    assert shell.run("sleep 1000 | cat &") == ""
    first = int(shell.run("echo $!"))
    shell.run("(sleep 1000; echo never) & sleep 1000 &")
    last = int(shell.run("echo $!"))
    listed = shell.run("jobs").splitlines()
    assert [line.split(" ")[0] for line in listed] == ["[1]", "[2]", "[3]"]
    assert [line.split("  ")[1:] for line in listed] == [
        ["running", "sleep 1000 | cat"], ["running", "(sleep 1000; echo never)"],
        ["running", "sleep 1000"]]
    assert listed[2].split()[1] == str(last) and listed[0].split()[1] == str(first)
    assert shell.run(f"bg %2; kill %3; wait {last}; echo $?; fg %3; echo $?") == (
        "sh: bg: %2 runs in the background already\n255\nsh: fg: no such job: %3\n1\n")
    shell.type("fg %1; echo never\n")
    shell.expect(r"\nsleep 1000 \| cat\r?\n")
    shell.type("\x03")
    shell.expect(r"\n\$ $")
    assert shell.run("jobs").startswith("[2]")
    assert shell.run("kill %2; wait %2; jobs; false & wait $!; echo $?") == "1\n"
    assert shell.run("(sleep 1; exit 4) & fg; echo $?") == "(sleep 1; exit 4)\n4\n"


def test_stopped_jobs(shell):
    """^Z stops what is in the foreground, bg has it go on there, and fg here; ^C ends it."""
    shell.type("sleep 1001 | (echo go; sleep 1000); echo never\n")
    shell.expect(r"\ngo\r?\n")
    shell.type("\x1a")
    shell.expect(r"\[1\]  stopped  sleep 1001 \| \(echo go; sleep 1000\)\r?\n\$ $")
    assert shell.run("jobs").startswith("[1]")
    assert "stopped" in shell.run("jobs") and "stops" in shell.run("ps")
    assert shell.run("bg; jobs").endswith("  running  sleep 1001 | (echo go; sleep 1000)\n")
    assert "stops" not in shell.run("ps")
    shell.type("fg\n")
    shell.expect(r"\nsleep 1001 \| \(echo go; sleep 1000\)\r?\n")
    shell.type("\x1a")
    shell.expect(r"\n\$ $")
    assert "stopped" in shell.run("jobs")
    shell.type("fg\n")
    shell.expect(r"\nsleep 1001 \| \(echo go; sleep 1000\)\r?\n")
    shell.type("\x03")
    shell.expect(r"\n\$ $")
    assert shell.run("jobs") == ""
    ends = time.monotonic() + guest.DEADLINE
    while "sleep\n" in shell.run("ps"):  # a killed child of a killed one ends when init has it
        assert time.monotonic() < ends


def test_variables(shell):
    """A variable is in the environment of what the shell starts, and an assignment in front of a
    command is that command's alone."""
    assert shell.run("A='b  c' B=x; echo $A \"$A\" $B${B}; A=1 env; echo $A") == (
        "b c b  c xx\nA=1\nB=x\nb c\n")
    assert shell.run("export A=$B C='1 2'; unset B; env; sh -c 'echo $A $C'; A=2 sh -c 'echo $A'"
                     ) == "A=x\nC=1 2\nx 1 2\n2\n"
    assert shell.run("export 1=2; echo $?; HOME=/etc; cd; cat welcome.txt | head -n 1 | wc") != ""
    assert shell.run("(A=3); echo $A; A=4 | cat; echo $A; A=$A$A; echo $A") == "x\nx\nxx\n"
    assert shell.run("unset A C HOME; env; cd; env -u X D=e env") == "D=e\n"


def test_script_file(shell):
    shell.run("echo echo first > s")
    shell.run("echo 'echo second | cat' >> s")
    assert shell.run("sh s") == "first\nsecond\n"


def test_statuses(shell):
    assert shell.run("true && echo yes || echo no") == "yes\n"
    assert shell.run("false && echo yes || echo no") == "no\n"


@pytest.mark.parametrize("typed, output", [
    ("echo abX\x08c", "abc"),          # ^H takes one character back
    ("echo abXY\x7f\x7fc", "abc"),     # DEL too
    ("echo wrong\x15echo right", "right"),  # ^U takes the line back
    ("\x08\x08\x08echo first", "first"),    # nothing to take back
    ("echo \x08\x08\x08\x08\x08echo all", "all"),
    ("ho ac\x01ec\x05\x1b[Db", "abc"),          # ^A, ^E, left
    ("echo wrong\x17right", "right"),           # ^W
    ("eXcho abXX\x1b[D\x1b[D\x0b\x1b[H\x1b[C\x1b[3~\x1b[Fc", "abc")],  # ^K, home, delete, end
    ids=["^H", "DEL", "^U", "nothing-left", "to-the-start", "arrows", "^W", "^K"])
def test_line_editing(shell, typed, output):
    shell.type(typed + "\n")
    shell.expect(r"\n" + output + r"\r?\n\$ $")


def test_recalled_line(shell):
    """Up and down find what the shell has read, not what its programs have; ^L shows the line."""
    shell.type("cat\n")
    shell.expect(r"cat\r?\n")
    shell.type("input of cat\n\x04")
    shell.expect(r"\$ $")
    assert shell.run("echo one") == "one\n"
    shell.type("draft\x1b[A\x1b[A\x1b[B\x1b[D\x1b[D\x1b[Dtw\x1b[3~o \x0c\n")
    shell.expect(r"\x1b\[H\x1b\[2J\$ echo two ne.*\ntwo ne\r?\n\$ $")
    shell.type("\x1b[A\x1b[A\x1b[A\nagain\n")
    shell.expect(r"\nagain\r?\nagain\r?\n$")  # it runs: the shell itself would ignore ^C
    shell.type("\x03")
    shell.expect(r"\$ $")


def test_end_of_file(shell):
    """^D at the start of a line ends a program's input; with text before it, it sends it."""
    shell.type("cat\n")
    shell.expect(r"cat\r?\n")
    shell.type("text\n")
    shell.expect(r"text\r?\n.*text\r?\n")
    shell.type("\x04")
    shell.expect(r"\$ $")
    assert shell.run("echo alive") == "alive\n"


def test_process_list(shell):
    """^P lists the processes, whatever runs, and the line that is being typed stays."""
    shell.type("echo ab\x10c\n")
    m = shell.expect(r"(?s)(.*)\nabc\r?\n\$ $")
    assert "init" in m[1] and "sh" in m[1]


def test_fast_typing(shell):
    """A whole script at once, faster than the commands run: nothing is lost."""
    shell.type("".join(f"echo {i} >> lines\n" for i in range(40)) + "echo d'one'\n")
    shell.expect(r"done\r?\n\$ $")
    assert shell.run("cat lines") == "".join(f"{i}\n" for i in range(40))
