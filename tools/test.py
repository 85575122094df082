#!/usr/bin/env python3
"""Builds Trellis under every design and tests it.

    ./test              everything
    ./test host         unit tests, on the host
    ./test system       tests that boot the kernel
    ./test quick        the default design and what a change breaks first: some two
                        minutes on two processors
    ./test NAME...      the tests whose name contains a NAME
    ./test --list       the names
    -j N                so many at a time; default: the host's processors. Of
                        guests with many harts half as many
    --help              this text

Installs what is missing on Debian and Ubuntu. The last line is
`N passed, N failed`; the status is 0 when nothing failed, 1 when something did,
2 when the tests could not be run, 128 + N when signal N ended ./test, which then
ends all that it has started. BUILD=FOLDER in the environment: see ./run --help.
"""
import contextlib
import json
import os
import re
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

GROUPS = ("host", "system")
QUICK_ALONE = ["quick"]
# What `quick` runs: the unit tests but for the long ones, the rules of the source, the
# documentation, the tests in the guest on the kernel with checks, some boots. With a bracket: all
# names that begin so.
QUICK = """
    host/test_aspace_{design} host/test_bootargs host/test_cache host/test_console
    host/test_console_output host/test_elf host/test_explain host/test_fdt host/test_files
    host/test_frame host/test_frame_use host/test_frame_release host/test_hostile host/test_irq
    host/test_ksyms host/test_path host/test_pipe host/test_printf host/test_pt host/test_pt_memory
    host/test_pt_random host/test_string host/test_uaccess host/test_userlib host/test_userlib_text
    host/test_virtio_blk host/test_shellparts
    host/test_docs.py host/test_format.py host/test_rules.py host/test_system_calls.py
    system/test_usertests.py::test_debug_kernel[{design}-1]
    system/test_boot.py::test_boots[{design} system/test_shell.py::test_line[
    system/test_explain.py::test_crashes[{design}] system/test_explain.py::test_panics[{design}
    system/test_vmtools.py::test_vmprint[{design}] system/test_gdb.py::test_gdb_breaks_in_a_function
"""
# The backstop behind the deadlines that the tests have themselves.
DEADLINE = 840
SHOWN_LINES = 120
END_PATIENCE = 10  # seconds for a test to end what it has started

# One process of the run: a cmocka program, a file of Python unit tests, or one system test.
# wide: it keeps many processors busy, by the tests' mark of that name.
Unit = namedtuple("Unit", "name kind target wide", defaults=[False])
Result = namedtuple("Result", "name outcome seconds text")  # outcome: ok, FAILED, skipped


class CannotRun(Exception):
    """The tests cannot be run: one sentence."""


# ---- what there is to run ----
def find_python():
    for python in (sys.executable, "python3", "/usr/bin/python3"):
        done = subprocess.run([python, "-c", "import pytest, pexpect"], check=False,
                              stderr=subprocess.DEVNULL)
        if done.returncode == 0:
            return python
    raise CannotRun("no Python has pytest and pexpect")


def cmocka_units():
    folder = os.path.join(machine.ROOT, "tests", "host")
    names = sorted(n[:-2] for n in os.listdir(folder) if re.fullmatch(r"test_\w+\.c", n))
    return [Unit(f"host/{n}", "cmocka", machine.build_path("host", n)) for n in names]


def collect(python, *args):
    command = [python, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *args]
    done = subprocess.run(command, cwd=machine.ROOT, check=False, capture_output=True,
                          encoding="utf-8", stdin=subprocess.DEVNULL)
    if done.returncode not in (0, 5):
        raise CannotRun("the tests cannot be collected:\n" + done.stdout + done.stderr)
    return [line for line in done.stdout.splitlines() if re.match(r"tests/\w+/\w+\.py::", line)]


def python_units(python):
    wide = set(collect(python, "-m", "wide", "tests/system"))
    units = []
    for node in collect(python, "tests/host", "tests/system"):
        path = node.split("::")[0]
        if path.startswith("tests/host/"):  # quick ones: one process a file
            unit = Unit(path[len("tests/"):], "pytest", path)
            if unit not in units:
                units.append(unit)
        else:
            units.append(Unit(node[len("tests/"):], "pytest", node, node in wide))
    return units


def is_quick(unit):
    names = QUICK.format(design=machine.default_design()).split()
    return any(unit.name == n or "[" in n and unit.name.startswith(n) for n in names)


def selected(units, names):
    if names == QUICK_ALONE:
        return [unit for unit in units if is_quick(unit)]
    chosen = []
    for unit in units:
        for name in names or GROUPS:
            if name in GROUPS and unit.name.startswith(name + "/") or \
                    name not in GROUPS and name in unit.name:
                chosen.append(unit)
                break
    return chosen


# ---- building ----
def build_all(units, quick):
    """Builds what the units need; each failure is a Result."""
    results = []
    jobs = []
    if any(u.name.startswith("system/") for u in units):
        jobs = [("build/kernel", False, ["all"]), ("build/kernel-debug", True, ["kernel"])]
    programs = [os.path.relpath(u.target, machine.ROOT) for u in units if u.kind == "cmocka"]
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
                    with contextlib.suppress(ProcessLookupError):  # it has just ended
                        os.killpg(process.pid, number)
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
            start = time.monotonic()
            try:
                results = (self.run_cmocka if unit.kind == "cmocka" else self.run_pytest)(unit)
            except OSError as e:
                results = [Result(unit.name, "FAILED", 0, f"it could not be run: {e}")]
            finally:
                self.finished(unit)
            if not self.stopped:
                self.report(unit, results, time.monotonic() - start)

    def process(self, command, env=None):
        """(status, output); status None when it took too long."""
        with self.lock:
            if self.stopped:
                return None, ""
            process = subprocess.Popen(
                command, cwd=machine.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
                start_new_session=True, env={**os.environ, **(env or {})})
            self.running.add(process)
        try:
            output, _ = process.communicate(timeout=DEADLINE)
            return process.returncode, output
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return None, f"{output}\nnot done after {DEADLINE} seconds"
        finally:
            with self.lock:
                self.running.discard(process)

    def run_cmocka(self, unit):
        if not os.path.exists(unit.target):
            return [Result(unit.name, "FAILED", 0, "it does not build")]
        start = time.monotonic()
        status, output = self.process([unit.target], {"CMOCKA_MESSAGE_OUTPUT": "TAP"})
        seconds = time.monotonic() - start
        results = []
        for line in output.splitlines():
            m = re.match(r"(not )?ok \d+(?: - (\S+))?(.*)", line)
            if m and m[2]:
                skipped = "# skip" in m[3].lower()
                outcome = "FAILED" if m[1] else "skipped" if skipped else "ok"
                results.append(Result(f"{unit.name}:{m[2]}", outcome, seconds,
                                      output if m[1] else m[3]))
        failed = any(r.outcome == "FAILED" for r in results)
        if not failed and (status != 0 or not results):
            results.append(Result(unit.name, "FAILED", seconds,
                                  f"{output}\nended with status {status}"))
        return results

    def run_pytest(self, unit):
        fd, report = tempfile.mkstemp(suffix=".xml")
        os.close(fd)
        try:
            start = time.monotonic()
            status, output = self.process(
                [self.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short",
                 f"--junitxml={report}", unit.target])
            seconds = time.monotonic() - start
            results = read_junit(unit, report)
        finally:
            os.unlink(report)
        failed = any(r.outcome == "FAILED" for r in results)
        if not failed and (status != 0 or not results):
            results.append(Result(unit.name, "FAILED", seconds,
                                  f"{output}\nended with status {status}"))
        return results


def read_junit(unit, path):
    results = []
    try:
        cases = ElementTree.parse(path).iter("testcase")
    except ElementTree.ParseError:
        return []
    for case in cases:
        bad = [e for e in case if e.tag in ("failure", "error")]
        skips = [e for e in case if e.tag == "skipped"]
        name = unit.name if "::" in unit.name else f"{unit.name}::{case.get('name')}"
        outcome = "FAILED" if bad else "skipped" if skips else "ok"
        text = "\n".join((e.text or e.get("message") or "") for e in bad)
        text += "\n".join((e.get("message") or "") for e in skips)
        if bad:
            text += "".join(f"\n--- {e.tag}\n{e.text}" for e in case
                            if e.tag in ("system-out", "system-err") and (e.text or "").strip())
        results.append(Result(name, outcome, float(case.get("time") or 0), text))
    return results


# ---- reporting ----
class Report:
    """Collects results and prints each as it comes."""

    def __init__(self, total):
        self.results = []
        self.seconds = {}
        self.lock = threading.Lock()
        self.total = total
        self.done = 0

    def __call__(self, unit, results, seconds):
        with self.lock:
            self.done += 1
            self.seconds[unit.name] = round(seconds, 1)
            bad = [r for r in results if r.outcome == "FAILED"]
            skipped = [r for r in results if r.outcome == "skipped"]
            counted = f" ({len(results)})" if len(results) > 1 else ""
            word = "FAILED" if bad else "skip" if len(skipped) == len(results) else "ok"
            print(f"[{self.done:3}/{self.total}] {word:6} {seconds:6.1f} s  {unit.name}{counted}",
                  flush=True)
            for r in skipped:
                print(f"          skipped: {r.text.strip()}", flush=True)
            for r in bad:
                self.show(r)
            self.results += results

    def show(self, result):
        lines = result.text.rstrip().splitlines()
        print(f"---- {result.name}")
        if len(lines) > SHOWN_LINES:
            print(f"     (the last {SHOWN_LINES} of {len(lines)} lines)")
        print("\n".join("     " + line for line in lines[-SHOWN_LINES:]))
        print("----", flush=True)

    def summary(self, seconds):
        count = {word: sum(r.outcome == word for r in self.results)
                 for word in ("ok", "FAILED", "skipped")}
        print(f"{seconds:.0f} seconds" + (f", {count['skipped']} skipped" if count["skipped"]
                                          else ""))
        for r in self.results:
            if r.outcome == "FAILED":
                alone = re.sub(r"^(host/test_\w+):\w+$", r"\1", r.name)
                alone = re.sub(r"^(host/test_\w+\.py)::.*$", r"\1", alone)
                how = f"./test {quoted(alone)}" if not r.name.startswith("build/") else \
                    "see above"
                print(f"FAILED: {r.name}    alone: {how}")
        print(f"{count['ok']} passed, {count['FAILED']} failed", flush=True)
        return 1 if count["FAILED"] or not count["ok"] else 0


def quoted(name):
    return f"'{name}'" if re.search(r"[\[\] *?]", name) else name


# How long each took the last time: the longest first, so that none comes late.
def times_path():
    return machine.build_path("test-times.json")


def read_times():
    try:
        with open(times_path(), encoding="utf-8") as f:
            return json.load(f)
    except (OSError, ValueError):
        return {}


def write_times(seconds):
    try:
        with open(times_path(), "w", encoding="utf-8") as f:
            json.dump({**read_times(), **seconds}, f, indent=0)
    except OSError:
        pass  # only a hint for the order


def by_time(units):
    times = read_times()
    guess = {"cmocka": 5}

    def key(unit):
        slow = 60 if "usertests" in unit.name else 8
        return -times.get(unit.name, guess.get(unit.kind, slow))
    return sorted(units, key=key)


# ---- all together ----
def parse(args):
    names, jobs, listing = [], os.cpu_count() or 2, False
    args = list(args)
    while args:
        arg = args.pop(0)
        if arg in ("-h", "--help"):
            print(__doc__.strip())
            sys.exit(0)
        elif arg == "--list":
            listing = True
        elif arg == "-j" or re.fullmatch(r"-j\d+", arg):
            text = arg[2:] or (args.pop(0) if args else "")
            if not re.fullmatch(r"[1-9]\d*", text):
                raise CannotRun(f"-j {text}: not a number of tests")
            jobs = int(text)
        elif arg.startswith("-"):
            raise CannotRun(f"{arg}: no such option; ./test --help lists them")
        else:
            names.append(re.sub(r"^(\./)?tests/", "", arg))
    return names, jobs, listing


def run(args):
    names, jobs, listing = parse(args)
    if not listing:
        machine.make_build_folder()
    need = ["sh", os.path.join(machine.ROOT, "tools", "need.sh"), "build", "boot", "test"]
    if subprocess.run(need, check=False).returncode:
        raise CannotRun("what the tests need is not there")
    if not listing:
        for group in ("more", "browser"):
            if subprocess.run([*need[:2], group], check=False).returncode:
                print("Some tests will be skipped; they say so.", flush=True)
    python = find_python()
    units = selected(cmocka_units() + python_units(python), names)
    if listing:
        print("\n".join(unit.name for unit in units))
        return 0
    if not units:
        raise CannotRun("no test is named so; ./test --list lists them")
    start = time.monotonic()
    report = Report(len(units))
    for result in build_all(units, names == QUICK_ALONE):
        print(f"[  build] {result.outcome:6} {result.seconds:6.1f} s  {result.name}", flush=True)
        if result.outcome == "FAILED":
            report.show(result)
        report.results.append(result)
    runner = Runner(python, report, jobs)
    runner.run(by_time(units))
    write_times(report.seconds)
    return report.summary(time.monotonic() - start)


def main(args):
    machine.die_by_signals()
    try:
        status = run(args)
        sys.stdout.flush()
        return status
    except (CannotRun, machine.Unusable) as e:
        print(f"test: {e}", file=sys.stderr)
        if "--list" not in args:
            print("0 passed, 1 failed", flush=True)
        return 2
    except BrokenPipeError:  # nobody reads any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
