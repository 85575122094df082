"""Boots parts of test suites inside Trellis (tools/suites.py), several of them in one boot: work is
a list of pairs, a suite and the names of its parts.
"""
import os
import re
import subprocess
import sys
import threading

import bench
import linuxroot
import machine
import packages
from suite import Result

PART = re.compile(r"^== part (\S+):(\S+)$")
END = "== end"
TOGETHER = 4  # parts in one boot: their packages are in memory, some three times over


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


# ---- what is in one boot ----
def boots(suites):
    """Lists of work, one for each boot. A suite that is alone has its own boots, of a few parts
    each."""
    together = [(suite, names) for suite, names in suites if not suite.alone]
    found = [together] if together else []
    for suite, names in suites:
        if suite.alone:
            found += [[(suite, names[at:at + TOGETHER])] for at in range(0, len(names), TOGETHER)]
    return found


def archive(work):
    """The root with the packages and files of this work, and scripts that do it: one for each
    suite, run as a program, since busybox's shell ignores a signal in what it does in brackets."""
    busybox = linuxroot.busybox()
    wanted = sorted({package for suite, names in work for name in names
                     for package in suite.packages_of(name)})
    debs = packages.get(wanted) if wanted else []
    tree = linuxroot.tree(busybox, linuxroot.commands(busybox), debs)
    scripts = []
    for suite, names in work:
        suite.add(tree)
        lines = [suite.prepare]
        for name in names:
            lines += [f"echo; echo '== part {suite.name}:{name}'",
                      f"timeout -s KILL {suite.limit} sh -c {quoted(suite.command(name))} 2>&1 "
                      "</dev/null", "s=$?; echo; echo \"== status $s\""]
        scripts.append(f"suite/do-{suite.name}")
        tree.add_file(scripts[-1], "\n".join([*lines, ""]).encode())
    tree.add_file("suite/all", "\n".join([
        "export HOME=/root SHELL=/bin/sh", *(f"sh /{s}" for s in scripts), f"echo '{END}'", ""
    ]).encode())
    path = packages.folder(f"suites-{os.getpid()}.cpio")
    tree.write(path)
    return path


# ---- the guest ----
def lines_of(command, deadline, log):
    """What the guest prints, as it comes. Unusable: it took too long."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as guest:
        timer = threading.Timer(deadline, guest.kill)
        timer.daemon = True
        timer.start()
        try:
            for line in guest.stdout:
                if log:
                    log.write(line)
                    log.flush()
                yield line.decode(errors="replace").replace("\r", "").rstrip("\n")
            if timer.finished.is_set():
                raise machine.Unusable(f"the guest was not done after {deadline} seconds")
        finally:
            timer.cancel()
            guest.kill()


def run(suites, design, harts, log):
    """{(suite, part): Result}. A part in which the machine ends has failed; those behind it have
    another boot. Unusable: the packages of suites that are not alone cannot be had."""
    found, todo = {}, boots(suites)
    while todo:
        work = todo.pop(0)
        suite, names = work[0]
        try:
            ended = boot(work, design, harts, log, found)
        except machine.Unusable as why:
            if not suite.alone:
                raise
            if len(names) > 1:  # who of them it is
                todo[:0] = [[(suite, [name])] for name in names]
                continue
            ended = str(why)
        work = left(work, found)
        if work:
            suite, names = work[0]
            found[suite.name, names[0]] = Result(0, 0, [ended])
            tell(names[0], found[suite.name, names[0]])
            todo[:0] = [rest for rest in [left(work, found)] if rest]
    return found


def left(work, found):
    rest = [(suite, [name for name in names if (suite.name, name) not in found])
            for suite, names in work]
    return [(suite, names) for suite, names in rest if names]


def boot(work, design, harts, log, found):
    """Adds what the parts did to found, up to the one in which the machine ended: returns how.
    Unusable: their packages cannot be had."""
    path = archive(work)
    mib = max(suite.mib for suite, _ in work) + -(-3 * os.path.getsize(path) >> 20)
    command = machine.qemu_command(
        design, harts, mib, [], append="panic=exit quiet trace=poweroff -- . /etc/profile\n"
        "sh /suite/all", extra=("-initrd", path), console=bench.CONSOLE)
    deadline = 60 + sum(suite.limit * len(names) for suite, names in work)
    by_name = {suite.name: suite for suite, _ in work}
    said, part = [], None
    try:
        for line in lines_of(command, deadline, log):
            begins = PART.match(line)
            if part and (begins or line == END):
                found[part] = by_name[part[0]].read(part[1], said)
                tell(part[1], found[part])
            if line == END:
                return ""
            if begins:
                part, said = begins.groups(), []
                print(f"  {part[1]} ...", end="\r", file=sys.stderr, flush=True)
            else:
                said.append(line)
    except machine.Unusable as why:
        return str(why)
    finally:
        os.remove(path)
    return "the machine ended: " + " ".join([line for line in said if line][-1:])


def tell(part, result):
    print(f"  {part}: {result.passed} passed, {result.skipped} skipped, "
          f"{len(result.failed)} failed{': ' * bool(result.failed)}{'; '.join(result.failed)}",
          flush=True)
