"""The programs, each by what it prints and its status."""
import re
import time

import guest
import pytest

# A file t is there, and each case has a directory of its own.
TEXT = "echo 'one 1\ntwo 22\nThree 333' > t"
CASES = {
    "grep": [
        ("grep o t", "one 1\ntwo 22\n", 0), ("grep -vn o t", "3:Three 333\n", 0),
        ("grep -ic T t", "2\n", 0), ("grep '^[a-z]* 2*$' t", "two 22\n", 0),
        ("grep nowhere t", "", 1), ("grep '[' t", "grep: [: [ without ]\n", 2),
        ("grep o nosuch", "grep: cannot open nosuch: No such file or directory\n", 2)],
    "text": [
        ("wc t", "3 6 23 t\n", 0), ("wc -l < t", "3\n", 0),
        ("wc -x", "usage: wc [-lwc] [FILE...]\n", 2),
        ("head -n 1 t; tail -n 1 t", "one 1\nThree 333\n", 0),
        ("sort -r t", "two 22\none 1\nThree 333\n", 0),
        ("cat t nosuch",
         "one 1\ntwo 22\nThree 333\ncat: cannot open nosuch: No such file or directory\n", 1),
        ("cat /bin/sh | head -n 0", "", 0)],
    "files": [
        ("cp t u; mv u v; ln v w; grep -c . w; ls", "3\nt\nv\nw\n", 0),
        ("ls nosuch", "ls: nosuch: No such file or directory\n", 1),
        ("mkdir -p a/b; cp t a/b; ls -d a/b/*; rm a",
         "a/b/t\nrm: cannot remove a: is a directory\n", 1),
        ("mkdir a a/b; cp t a/b; rm -r a; ls", "t\n", 0),
        ("mkdir t", "mkdir: cannot make t: File exists\n", 1),
        ("rm -f nosuch; rm nosuch", "rm: cannot remove nosuch: No such file or directory\n", 1),
        ("mkdir d d/e; rmdir d", "rmdir: cannot remove d: Directory not empty\n", 1),
        ("ln t nosuch/t", "ln: cannot link nosuch/t to t: No such file or directory\n", 1),
        ("mkdir d; mv d d/e", "mv: cannot move d to d/e: Invalid argument\n", 1),
        ("echo > t/x", "sh: t/x: Not a directory\n", 1),
        ("echo > /bin/sh; cd t", "sh: /bin/sh: Run as a program, or open for writing\n"
                                 "sh: t: Not a directory\n", 1)],
    "processes": [
        ("kill 99999", "sh: kill: no process 99999\n", 1),
        ("/bin/kill -99999", "kill: no group 99999\n", 1),
        ("/bin/kill 1", "kill: process 1 is the first, and has to stay\n", 1),
        ("kill x 99999", "sh: kill: x: not a process number\nsh: kill: no process 99999\n", 2),
        ("kill", "usage: kill [-SIGNAL] PID...    -PID: the group that began with PID\n"
                 "       kill -l                  the names of signals\n", 2),
        ("kill -l | grep TERM; kill -NOPE 5",
         "15 TERM\nsh: kill: NOPE: no such signal; kill -l lists them\n", 2),
        ("kill -l > f; grep TERM f; kill -l | grep INT", "15 TERM\n 2 INT\n", 0),
        ("/bin/kill -TERM -99999", "kill: no group 99999\n", 1),
        ("sleep 100 & kill -0 $! && kill -SIGUSR1 $!; wait $!; echo $?", "255\n", 0),
        ("sleep 0.2; sleep", "usage: sleep SECONDS\n", 2),
        ("(sleep 1; echo late) & echo early; wait", "early\nlate\n", 0)],
    "memory": [
        ("vmprint 99999", "vmprint: no process 99999\n", 1),
        ("vmwalk 0 99999", "vmwalk: no process 99999\n", 1),
        ("vmmap 99999", "vmmap: no process 99999\n", 1),
        ("vmprint -v x", "usage: vmprint [-v] [-u | -k] [PID]\n", 2),
        ("vmprint -x", "usage: vmprint [-v] [-u | -k] [PID]\n", 2),
        ("vmprint 1 2", "usage: vmprint [-v] [-u | -k] [PID]\n", 2),
        ("vmmap -1", "usage: vmmap [PID]\n", 2), ("vmmap --help", "usage: vmmap [PID]\n", 0),
        ("vmmap 4294967297", "usage: vmmap [PID]\n", 2),
        ("free -x", "usage: free [-f]\n", 2), ("ps -l x", "usage: ps [-l]\n", 2),
        ("vmstat -x", "usage: vmstat [COMMAND [ARGUMENT...]]\n", 2),
        ("vmstat true 2> e; grep -c '[0-9]$' e; vmstat nosuch 2> e; echo $?; head -n 1 e; "
         "vmstat false 2> e",
         "15\n127\nvmstat: nosuch: No such file or directory\n", 1),
        ("ps --help", "usage: ps [-l]\n", 0)],
    "addresses": [
        (f"vmwalk {arguments}",
         "usage: vmwalk [-k] [-a] ADDRESS [PID]\n       vmwalk [-k] ADDRESS-END [PID]\n", 2)
        for arguments in ("", "7k", "0x", "-1", "2-1", "1-", "1-2-3", "' 1'", "1 2 3", "1 x",
                          "-a 1-2", "0x10000000000000000", "-x 1")],
    "shell": [
        ("echo '#!sh\necho $1-$#' > s; s x 'y z'", "x-2\n", 0),
        ("true; echo $? \"$#\" '$?' \\$?; false; echo $?", "0 0 $? $?\n1\n", 0),
        ("cat nosuch 2> e; cat e; ls t > o 2>&1; cat o; cd nosuch 2> e; wc -l < e",
         "cat: cannot open nosuch: No such file or directory\nt\n1\n", 0),
        ("(cd /; exit 3) || echo $?; ls", "3\nt\n", 0),
        ("nosuch; echo $?; echo > f; f",
         "sh: nosuch: not found\n127\nsh: f: cannot execute\n", 126),
        ("echo *; echo '*' [s-t]; ls ?", "t\n* t\nt\n", 0)],
}


@pytest.mark.parametrize("group", CASES)
def test_programs(group):
    script = "".join(f"mkdir {i}; cd {i}; {TEXT}; ({commands}); echo status $?; cd ..\n"
                     for i, (commands, _, _) in enumerate(CASES[group]))
    done = guest.run("-c", script)
    expected = "".join(f"{output}status {status}\n" for _, output, status in CASES[group])
    assert done.stdout == expected, done.stderr


@pytest.mark.parametrize("commands, output, status", [
    ("poweroff 9; echo not here", "", 9), ("kill $$; echo not here", "", 255),
    ("echo (", "sh: syntax error near '('\n", 2)], ids=["poweroff", "kill", "syntax"])
def test_end(commands, output, status):
    done = guest.run("-c", commands)
    assert (done.stdout, done.returncode) == (output, status), done.stderr


def test_self_checking(design):
    done = guest.run("--design", design, "-c", "libtest && forktest && stressfs && maptest")
    said, rest = done.stdout.split("\n", 1)
    assert said.startswith("Trellis: sbrk is refused memory"), said  # libtest asks for too much
    assert (rest, done.returncode) == (
        "libtest: OK\nforktest: OK\nstressfs: OK\nmaptest: OK\n", 0), done.stderr


def test_date():
    """The machine's clock, and the text that TZ and a format make of it."""
    before = int(time.time())
    done = guest.run("-c", "date -u +%s; TZ=XYZ-3 date '+%Z %z'; date; env TZ=A date +; date x")
    lines = done.stdout.splitlines()
    assert before <= int(lines[0]) <= time.time() + 1
    assert lines[1] == "XYZ +0300" and lines[3:] == ["", "usage: date [-u] [+FORMAT]"]
    assert re.fullmatch(r"\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d UTC \d{4}", lines[2])
    assert done.returncode == 2


def test_view_of_the_kernel():
    """ps and sysinfo show what the kernel says about itself."""
    out = guest.run("--harts", 2, "-c", "ps; sysinfo").stdout
    assert "init" in out and "harts      2" in out
