#!/usr/bin/env python3
"""Builds Trellis under every design and tests it.

    ./test              all but the tests for hand runs, which take longer or say less
                        that is new; it ends by their number
    ./test all          these, too
    ./test host         unit tests, on the host
    ./test system       tests that boot the kernel
    ./test quick        the default design and what a change breaks first: some two
                        minutes on two processors
    ./test NAME...      the tests whose name contains a NAME, those for hand runs, too
    ./test --list       the names
    ./test --times      what each took of the processors the last time, the longest first
    -j N                so many at a time; default: the host's processors. Of
                        guests with many harts half as many
    --help              this text

Installs what is missing on Debian and Ubuntu. The last line is
`N passed, N failed`; the status is 0 when nothing failed, 1 when something did,
2 when the tests could not be run, 128 + N when signal N ended ./test, which then
ends all that it has started. BUILD=FOLDER in the environment: see ./run --help.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as ElementTree
from collections import namedtuple

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import machine  # noqa: E402
import testtimes  # noqa: E402
from testreport import Report, Result  # noqa: E402

GROUPS = ("host", "system")
ALL = "all"
QUICK_ALONE = ["quick"]
# What `quick` runs: the unit tests but for the long ones, the rules of the source, the
# documentation, the tests in the guest on the kernel with checks, some boots. With a bracket: all
# names that begin so.
QUICK = """
    host/test_aspace_{design} host/test_bootargs host/test_cache host/test_console
    host/test_console_editing host/test_console_output host/test_elf host/test_explain
    host/test_fdt host/test_files
    host/test_frame host/test_frame_boot host/test_frame_boot_release host/test_frame_use
    host/test_frame_release host/test_hostile host/test_irq
    host/test_ids host/test_alarm host/test_runqueue host/test_screen host/test_kmap host/test_ksyms
    host/test_machine host/test_mapping host/test_path
    host/test_pipe host/test_printf host/test_pt host/test_pt_memory host/test_pt_random
    host/test_rank host/test_string host/test_uaccess host/test_userlib host/test_userlib_text
    host/test_virtio_blk host/test_shellparts host/test_uarts host/test_unknown host/test_vmprint
    host/test_docs.py host/test_format.py host/test_ranks.py host/test_rules.py
    host/test_system_calls.py
    system/test_usertests.py::test_debug_kernel_on_one_hart
    system/test_boot.py::test_boots[{design} system/test_shell.py::test_line[
    system/test_explain.py::test_crashes[{design}] system/test_explain.py::test_panics[{design}
    system/test_vmtools.py::test_vmprint[{design}] system/test_gdb.py::test_gdb_breaks_in_a_function
"""
# The backstop behind the deadlines that the tests have themselves.
DEADLINE = 840
END_PATIENCE = 10  # seconds for a test to end what it has started

# pytest, told to say what marks the tests have and what each takes of the processors.
PYTEST = [os.path.join(machine.ROOT, "tools", "testplugin.py"), "-q", "-p", "no:cacheprovider"]


class Unit(namedtuple("Unit", "names kind targets alone wide tests hand",
                      defaults=[False, False, 1, 0])):
    """One process of the run: a cmocka program, a file of Python unit tests, or system tests of
    one file. alone: not with others of its file. wide: it keeps many processors busy, by the
    tests' mark of that name. hand: how many of its tests are for hand runs, likewise."""
    __slots__ = ()

    @property
    def name(self):
        return self.names[0] if len(self.names) == 1 else self.names[0].split("::")[0]


# A process that has ended, with the time on the clock and that of the processors.
Ended = namedtuple("Ended", "status output seconds cpu")


class CannotRun(Exception):
    """The tests cannot be run: one sentence."""


# ---- what there is to run ----
def make_quick(python):
    """The tests start Python thousands of times: they find this one without a detour. (Some hosts
    have a script in its place that takes longer than Python.)"""
    folder = machine.build_path("python")
    os.makedirs(folder, exist_ok=True)
    link = os.path.join(folder, "python3")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(link)
    os.symlink(shutil.which(python), link)
    os.environ["PATH"] = folder + os.pathsep + os.environ["PATH"]
    return link


def cmocka_units():
    folder = os.path.join(machine.ROOT, "tests", "host")
    names = sorted(n[:-2] for n in os.listdir(folder) if re.fullmatch(r"test_\w+\.c", n))
    return [Unit([f"host/{n}"], "cmocka", [machine.build_path("host", n)]) for n in names]


def collect(python):
    """[(node, marks)] of the Python tests."""
    command = [python, *PYTEST, "--collect-only", "tests/host", "tests/system"]
    done = subprocess.run(command, cwd=machine.ROOT, check=False, capture_output=True,
                          encoding="utf-8", stdin=subprocess.DEVNULL)
    if done.returncode not in (0, 5):
        raise CannotRun("the tests cannot be collected:\n" + done.stdout + done.stderr)
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    return [(line[1], line[2:]) for line in lines if line[0] == "test"]


def python_units(python):
    units = {}
    for node, marks in collect(python):
        path = node.split("::")[0]
        if path.startswith("tests/host/"):  # one process a file
            unit = units.get(path, Unit([path[len("tests/"):]], "pytest", [path], tests=0))
            units[path] = unit._replace(tests=unit.tests + 1, hand=unit.hand + ("hand" in marks))
        else:
            units[node] = Unit([node[len("tests/"):]], "pytest", [node],
                               "wide" in marks or "long" in marks, "wide" in marks,
                               hand="hand" in marks)
    return list(units.values())


def together(units):
    """One process for all the short tests of a file, since pytest itself takes a while to start:
    as long as many a test."""
    joined = {}
    for unit in units:
        key = unit.name.split("::")[0] if not unit.alone else unit.name
        old = joined.get(key)
        joined[key] = unit._replace(names=old.names + unit.names,
                                    targets=old.targets + unit.targets) if old else unit
    return list(joined.values())


def is_quick(unit):
    names = QUICK.format(design=machine.default_design()).split()
    return any(unit.name == n or "[" in n and unit.name.startswith(n) for n in names)


def selected(units, names):
    """And how many tests are left out since they are for hand runs. What is named is run."""
    if names == QUICK_ALONE:
        return [unit for unit in units if is_quick(unit)], 0
    if ALL in names:
        return units, 0
    named = [name for name in names if name not in GROUPS]
    groups = [name for name in names or GROUPS if name in GROUPS]
    chosen, left_out = [], 0
    for unit in units:
        if any(name in unit.name for name in named):
            chosen.append(unit)
        elif unit.name.split("/")[0] in groups:
            left_out += unit.hand
            if unit.hand < unit.tests:
                chosen.append(without_hand(unit))
    return chosen, left_out


def without_hand(unit):
    return unit._replace(targets=unit.targets + ["-m", "not hand"]) if unit.hand else unit


# ---- building ----
def build_all(units, quick):
    """Builds what the units need; each failure is a Result."""
    results = []
    jobs = []
    if any(u.name.startswith("system/") for u in units):
        jobs = [("build/kernel", False, ["all"]), ("build/kernel-debug", True, ["kernel"])]
    programs = [os.path.relpath(u.targets[0], machine.ROOT) for u in units if u.kind == "cmocka"]
    if programs:
        jobs.append(("build/host-tests", False,
                     ["-k", *(programs if quick else ["host-tests"])]))
    for name, debug, targets in jobs:
        start = time.monotonic()
        progress = machine.Progress(f"Building {name[len('build/'):]}")
        try:
            machine.build(debug, targets, progress)
            outcome, text = "ok", ""
        except machine.Unusable as e:
            outcome, text = "FAILED", str(e)
        finally:
            progress.done()
        results.append(Result(name, outcome, time.monotonic() - start, text))
    return results


# ---- running ----
class Runner:
    """Runs units, some at a time, and ends what it has started when it is ended itself.

    Of wide ones one for two jobs: guests of many harts take each other's processors, and
    then a hart waits for a lock whose holder does not run. Side by side they take three
    times the processor time."""

    def __init__(self, python, report, jobs):
        self.python = python
        self.report = report
        self.jobs = jobs
        self.wide_free = max(1, jobs // 2)
        self.lock = threading.Condition()
        self.running = set()
        self.stopped = False

    def run(self, units):
        todo = list(units)
        threads = [threading.Thread(target=self.work, args=(todo,)) for _ in range(self.jobs)]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except BaseException:
            self.stop(threads)
            raise

    def stop(self, threads):
        with self.lock:
            self.stopped = True
            self.lock.notify_all()
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.lock:
                for process in self.running:
                    self.end(process, number)
            patience = time.monotonic() + END_PATIENCE
            for thread in threads:
                thread.join(max(0, patience - time.monotonic()))

    def take(self, todo):
        """The first unit that may run now, when there is one; None when all have been taken."""
        with self.lock:
            while todo and not self.stopped:
                for unit in todo:
                    if not unit.wide or self.wide_free:
                        self.wide_free -= unit.wide
                        todo.remove(unit)
                        return unit
                self.lock.wait()
        return None

    def finished(self, unit):
        with self.lock:
            self.wide_free += unit.wide
            self.lock.notify_all()

    def work(self, todo):
        while unit := self.take(todo):
            try:
                run = self.run_cmocka if unit.kind == "cmocka" else self.run_pytest
                results, ended = run(unit)
            except OSError as e:
                results = [Result(unit.name, "FAILED", 0, f"it could not be run: {e}")]
                ended = Ended(None, "", 0, 0)
            finally:
                self.finished(unit)
            if not self.stopped:
                self.report(unit, results, ended)

    def process(self, command, env=None):
        """Ended; its status is None when it took too long. Its processor time has in it that of
        what it has started and waited for."""
        start = time.monotonic()
        with tempfile.TemporaryFile() as printed:
            with self.lock:
                if self.stopped:
                    return Ended(None, "", 0, 0)
                process = subprocess.Popen(
                    command, cwd=machine.ROOT, stdin=subprocess.DEVNULL, stdout=printed,
                    stderr=subprocess.STDOUT, start_new_session=True, env=env)
                self.running.add(process)
            backstop = threading.Timer(DEADLINE, self.end, [process, signal.SIGKILL])
            backstop.start()
            _, status, used = os.wait4(process.pid, 0)
            with self.lock:
                self.running.discard(process)
            process.returncode = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else \
                os.WEXITSTATUS(status)
            seconds = time.monotonic() - start
            backstop.cancel()
            printed.seek(0)
            output = printed.read().decode("utf-8", "replace")
        cpu = used.ru_utime + used.ru_stime
        if seconds >= DEADLINE:
            return Ended(None, f"{output}\nnot done after {DEADLINE} seconds", seconds, cpu)
        return Ended(process.returncode, output, seconds, cpu)

    def end(self, process, number):
        """Sends a signal to it and to what it has started, unless it has ended."""
        with self.lock, contextlib.suppress(ProcessLookupError):
            if process in self.running:
                os.killpg(process.pid, number)

    def run_cmocka(self, unit):
        if not os.path.exists(unit.targets[0]):
            return [Result(unit.name, "FAILED", 0, "it does not build")], Ended(None, "", 0, 0)
        ended = self.process(unit.targets, {**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"})
        results = []
        for line in ended.output.splitlines():
            m = re.match(r"(not )?ok \d+(?: - (\S+))?(.*)", line)
            if m and m[2]:
                skipped = "# skip" in m[3].lower()
                outcome = "FAILED" if m[1] else "skipped" if skipped else "ok"
                results.append(Result(f"{unit.name}:{m[2]}", outcome, ended.seconds,
                                      ended.output if m[1] else m[3]))
        return with_status(unit, results, ended), ended

    def run_pytest(self, unit):
        fd, report = tempfile.mkstemp(suffix=".xml")
        os.close(fd)
        try:
            ended = self.process(
                [self.python, *PYTEST, "--tb=short", f"--junitxml={report}", *unit.targets])
            results = read_junit(unit, report)
        finally:
            os.unlink(report)
        return with_status(unit, results, ended), ended


def with_status(unit, results, ended):
    """A unit that failed as a whole, without a failed test, is a failure of its own."""
    failed = any(r.outcome == "FAILED" for r in results)
    if failed or results and ended.status == 0:
        return results
    return results + [Result(unit.name, "FAILED", ended.seconds,
                             f"{ended.output}\nended with status {ended.status}")]


def read_junit(unit, path):
    results = []
    try:
        cases = ElementTree.parse(path).iter("testcase")
    except ElementTree.ParseError:
        return []
    for case in cases:
        bad = [e for e in case if e.tag in ("failure", "error")]
        skips = [e for e in case if e.tag == "skipped"]
        name = f"{unit.name.split('::')[0]}::{case.get('name')}"
        cpu = [float(p.get("value")) for p in case.iter("property") if p.get("name") == "cpu"]
        outcome = "FAILED" if bad else "skipped" if skips else "ok"
        text = "\n".join((e.text or e.get("message") or "") for e in bad)
        text += "\n".join((e.get("message") or "") for e in skips)
        if bad:
            text += "".join(f"\n--- {e.tag}\n{e.text}" for e in case
                            if e.tag in ("system-out", "system-err") and (e.text or "").strip())
        results.append(Result(name, outcome, float(case.get("time") or 0), text, *cpu))
    return results


# ---- all together ----
def parse(args):
    names, jobs, shows = [], os.cpu_count() or 2, None
    args = list(args)
    while args:
        arg = args.pop(0)
        if arg in ("-h", "--help"):
            print(__doc__.strip())
            sys.exit(0)
        elif arg in ("--list", "--times"):
            shows = arg
        elif arg == "-j" or re.fullmatch(r"-j\d+", arg):
            text = arg[2:] or (args.pop(0) if args else "")
            if not re.fullmatch(r"[1-9]\d*", text):
                raise CannotRun(f"-j {text}: not a number of tests")
            jobs = int(text)
        elif arg.startswith("-"):
            raise CannotRun(f"{arg}: no such option; ./test --help lists them")
        else:
            names.append(re.sub(r"^(\./)?tests/", "", arg))
    return names, jobs, shows


def run(args):
    names, jobs, shows = parse(args)
    if not shows:
        machine.make_build_folder()
    need = ["sh", os.path.join(machine.ROOT, "tools", "need.sh"), "build", "boot", "test"]
    if subprocess.run(need, check=False).returncode:
        raise CannotRun("what the tests need is not there")
    if not shows:
        for group in ("more", "browser"):
            if subprocess.run([*need[:2], group], check=False).returncode:
                print("Some tests will be skipped; they say so.", flush=True)
    python = machine.python_for_tests()
    if not shows:
        python = make_quick(python)
    units, left_out = selected(cmocka_units() + python_units(python), names)
    if shows == "--list":
        print("\n".join(unit.name for unit in units))
    elif shows:
        testtimes.show([unit.name for unit in units])
    if shows:
        return 0
    if not units:
        raise CannotRun("no test is named so; ./test --list lists them")
    start = time.monotonic()
    units = together(units)
    report = Report(len(units), left_out)
    for result in build_all(units, names == QUICK_ALONE):
        print(f"[  build] {result.outcome:6} {result.seconds:6.1f} s  {result.name}", flush=True)
        if result.outcome == "FAILED":
            report.show(result)
        report.results.append(result)
    runner = Runner(python, report, jobs)
    try:
        runner.run(testtimes.longest_first(units))
    finally:
        testtimes.write(report.times)
    return report.summary(time.monotonic() - start)


def main(args):
    machine.die_by_signals()
    try:
        status = run(args)
        sys.stdout.flush()
        return status
    except (CannotRun, machine.Unusable) as e:
        print(f"test: {e}", file=sys.stderr)
        if "--list" not in args and "--times" not in args:
            print("0 passed, 1 failed", flush=True)
        return 2
    except BrokenPipeError:  # nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
