#!/usr/bin/env python3
"""Puts defects back into Trellis, one at a time, and checks that their tests notice.

    tools/defects.py              all of tests/defects
    tools/defects.py 07 12-never  those whose names begin so
    tools/defects.py --quick      a handful that takes about a minute
    tools/defects.py --list       the names, and the tests that must fail
    --design NAME                 under this design alone
    --resume                      without the cases that were caught already, by a patch that reads
                                  as now: build/defects.csv keeps what came out of each
    --sim                         on the machine of ./sim, and only what the machine itself
                                  reports counts (tools/simdefects.py says for which patches);
                                  with --record, --resume or --table as it says there
    --help                        this text

Each tests/defects/NN-NAME.patch is a difference to the tree, below lines that say what
it is:

    # defect: one sentence
    # pitfall: its number in docs/pitfalls.md
    # test: usertests NAME...          in the guest; or signaltests, threadtests
    #       host NAME[:CASE]           a test program of tests/host, or one test in it
    #       system FILE::TEST          of tests/system
    #       ({design} in it is the design; each `test:` must fail)
    # designs: mirror share            under which designs; without it: the default one
    # options: --harts 1               more options of ./run, for usertests
    # quick: yes                       is one of the handful

Everything happens in a copy of the tree. A test must pass there without the patch, and
fail with it; a panic, or no end after several times the time that it took before, is a
failure of the test too. A patch that does not apply or build is an error. All of them
take hours: what was ended goes on with --resume.
The status is 0 when every defect was caught.
"""
import csv
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import machine  # noqa: E402
import simdefects  # noqa: E402
import trees  # noqa: E402
from machine import Unusable  # noqa: E402

FOLDER = os.path.join("tests", "defects")
COPIED = ("Makefile", "kernel", "machine", "user", "tests", "tools", "run", "sim", "test")
FIELDS = ("defect", "pitfall", "test", "designs", "options", "quick")
BASE_DEADLINE = 240  # seconds, for a test without a defect

Case = namedtuple("Case", "patch design test options")
# passed, seconds, and the line that tells why not
Outcome = namedtuple("Outcome", "passed seconds why")


# ---- patches ----
# A hunk: where it stood in the file, and the lines before and after.
Change = namedtuple("Change", "file line old new")


def read_changes(text):
    """The hunks of a unified diff."""
    file = change = None
    for line in text.splitlines(keepends=True):
        header = re.match(r"@@ -(\d+)", line)
        if line.startswith(("--- ", "+++ ")):
            if change:
                yield change
            file, change = line[4:].strip().partition("/")[2], None
        elif header:
            if change:
                yield change
            change = Change(file, int(header[1]), [], [])
        elif change:
            if line[0] in " -":
                change.old.append(line[1:])
            if line[0] in " +":
                change.new.append(line[1:])
    if change:
        yield change


def changed(text, change, name):
    """The text with the hunk applied where its old lines are, nearest to where they were."""
    lines, n = text.splitlines(keepends=True), len(change.old)
    places = [i for i in range(len(lines) - n + 1) if lines[i:i + n] == change.old]
    if not places:
        raise Unusable(f"{name}: {change.file}: these lines are not there:\n" + "".join(change.old))
    at = min(places, key=lambda i: abs(i + 1 - change.line))
    return "".join(lines[:at] + change.new + lines[at + n:])


class Patch:
    def __init__(self, path, text):
        self.name = os.path.basename(path)[:-len(".patch")]
        fields = {name: [] for name in FIELDS}
        for line in text.splitlines():
            if not line.startswith("#"):
                break
            m = re.fullmatch(r"# (\w+): +(.*\S)", line)
            if not m or m[1] not in fields:
                raise Unusable(f"{self.name}: cannot understand: {line}")
            fields[m[1]].append(m[2])
        for name in ("defect", "pitfall", "test"):
            if not fields[name]:
                raise Unusable(f"{self.name}: it does not say: {name}")
        self.defect = " ".join(fields["defect"])
        self.pitfall = fields["pitfall"][0]
        self.tests = fields["test"]
        self.designs = " ".join(fields["designs"]).split() or [machine.default_design()]
        self.options = " ".join(fields["options"]).split()
        self.quick = bool(fields["quick"])
        self.digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.changes = list(read_changes(text))
        unknown = set(self.designs) - set(machine.designs())
        if unknown or not self.changes:
            raise Unusable(f"{self.name}: " + (f"no such design: {', '.join(unknown)}" if unknown
                                               else "it changes no file"))

    def apply(self, text_of):
        """The new texts {file: text} of the files it changes; text_of(file) is the old one."""
        texts = {}
        for change in self.changes:
            text = texts.get(change.file) or text_of(change.file)
            texts[change.file] = changed(text, change, self.name)
        return texts

    def cases(self, only):
        return [Case(self, design, test.replace("{design}", design), tuple(self.options))
                for design in self.designs if only in (None, design) for test in self.tests]


def read_patches():
    folder = os.path.join(machine.ROOT, FOLDER)
    patches = []
    for name in sorted(os.listdir(folder)):
        if name.endswith(".patch"):
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                patches.append(Patch(os.path.join(folder, name), f.read()))
    return patches


def selected(patches, names, quick):
    for name in names:
        if not any(p.name.startswith(name) for p in patches):
            raise Unusable(f"no patch is named {name}; --list lists them")
    return [p for p in patches if (p.quick or not quick) and
            (not names or any(p.name.startswith(n) for n in names))]


# ---- one tree ----
class Tree:
    """A copy of the sources, where patches come and go."""

    def __init__(self, root):
        self.root = root
        self.python = machine.python_for_tests()
        for name in COPIED:
            source, target = os.path.join(machine.ROOT, name), os.path.join(root, name)
            if os.path.isdir(source):
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy2(source, target)
        trees.copy_built(root, "kernel", "kernel-debug", "user", "host", "machine", "fs.files",
                         "fs.img")
        self.kept = {}
        self.env = {k: v for k, v in os.environ.items() if k not in ("BUILD", "MAKEFLAGS")}

    def process(self, command, deadline):
        """(status, output); status None when it was not done in time."""
        with subprocess.Popen(command, cwd=self.root, stdin=subprocess.DEVNULL, env=self.env,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
                              errors="replace", start_new_session=True) as process:
            try:
                output, _ = process.communicate(timeout=deadline)
                return process.returncode, output
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                output, _ = process.communicate()
                return None, output
            except BaseException:
                os.killpg(process.pid, 9)
                raise

    def apply(self, patch):
        for name, text in patch.apply(self.read).items():
            self.kept[name] = self.read(name)
            self.write(name, text)

    def read(self, name):
        with open(os.path.join(self.root, name), encoding="utf-8") as f:
            return f.read()

    def write(self, name, text):
        with open(os.path.join(self.root, name), "w", encoding="utf-8") as f:
            f.write(text)

    def restore(self):
        for name, text in self.kept.items():
            self.write(name, text)
        self.kept = {}

    def build(self, case):
        """Builds what the case needs; raises Unusable when that fails."""
        kind, name = case.test.split()[:2]
        if kind == "host":
            targets = [f"build/host/{name.split(':')[0]}"]
        else:
            targets = ["kernel", "image"]
        command = ["make", "--no-print-directory", f"-j{os.cpu_count() or 2}", "BUILD=build",
                   f"DEBUG={int('--debug' in case.options)}", *targets]
        status, output = self.process(command, 600)
        if status != 0:
            raise Unusable("it does not build:\n" + output)

    def run(self, case, deadline):
        start = time.monotonic()
        kind, rest = case.test.split(None, 1)
        run = {"usertests": self.run_guest, "signaltests": self.run_guest,
               "threadtests": self.run_guest, "host": self.run_host, "system": self.run_system}
        if kind not in run:
            raise Unusable(f"{case.patch.name}: no such kind of test: {kind}")
        passed, why = run[kind](case, rest, deadline)
        return Outcome(passed, time.monotonic() - start, why)

    def run_guest(self, case, names, deadline):
        program = case.test.split()[0]
        status, output = self.process(
            ["./run", "--no-build", "--design", case.design, "--timeout", str(int(deadline)),
             *case.options, "-c", f"{program} {names}"], deadline + 30)
        passed = status == 0 and "ALL TESTS PASSED" in output
        return passed, why(output, r"FAILED: |panic|PANIC", status in (None, 124), status)

    def run_host(self, case, name, deadline):
        program, _, test = name.partition(":")
        self.env["CMOCKA_MESSAGE_OUTPUT"] = "TAP"
        status, output = self.process([f"build/host/{program}"], deadline)
        failed = re.findall(r"^not ok \d+ - (\S+)", output, re.M)
        # A test that ends the program fails; those before it have their lines already.
        passed = status == 0 and not failed
        if test:
            fine = re.search(rf"^ok \d+ - {test}$", output, re.M) is not None
            if passed and not fine:
                raise Unusable(f"{case.patch.name}: {program} has no test {test}")
            passed = fine
        return passed, why(output, r"^not ok|Sanitizer: |panic|^\w+: ", status is None, status)

    def run_system(self, case, node, deadline):
        status, output = self.process(
            [self.python, "-m", "pytest", "-q", "-x", "--tb=short", "-p", "no:cacheprovider",
             f"tests/system/{node}"], deadline)
        if status in (4, 5):
            raise Unusable(f"{case.patch.name}: there is no test {node}:\n{output}")
        return status == 0, why(output, r"^E  ", status is None, status)


def why(output, pattern, late, status):
    """The line of a test's output that tells why it failed."""
    for line in output.splitlines():
        if re.search(pattern, line):
            return line.strip()
    if late:
        return "it did not end"
    return f"status {status}: " + (output.strip().splitlines() or ["(no output)"])[-1].strip()


# ---- all of them ----
class Kept:
    """What came out of each case, in a file that later runs add to."""

    def __init__(self, path):
        self.path = path
        self.last = {}
        if os.path.exists(path):
            with open(path, encoding="utf-8", newline="") as f:
                self.last = {tuple(row[:4]): row[4] for row in csv.reader(f) if len(row) == 5}

    @staticmethod
    def key(case):
        return case.patch.name, case.patch.digest, case.design, case.test

    def is_caught(self, case):
        return self.last.get(self.key(case)) == "caught"

    def add(self, case, word):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "a", encoding="utf-8", newline="") as f:
            csv.writer(f).writerow([*self.key(case), word])


class Table:
    def __init__(self, kept, total):
        self.kept = kept
        self.total = total
        self.done = 0
        self.caught = 0

    def line(self, case, word, text):
        self.done += 1
        self.caught += word == "caught"
        self.kept.add(case, word)
        print(f"[{self.done}/{self.total}] {word:7} {case.patch.name:38} {case.design:7} "
              f"{case.test}\n        " + text.strip().replace("\n", "\n        "), flush=True)

    def add(self, case, outcome):
        if outcome.passed:
            self.line(case, "MISSED", "the test passes with the defect")
        else:
            self.line(case, "caught", f"{outcome.why:.150}")

    def error(self, case, text):
        self.line(case, "ERROR", text)


class Baseline:
    """How a test ends without a defect, which is found out when it is asked for."""

    def __init__(self, tree):
        self.tree = tree
        self.known = {}

    def of(self, case):
        key = (case.design, case.test, case.options)
        if key not in self.known:
            self.tree.build(case)
            self.known[key] = self.tree.run(case, BASE_DEADLINE)
        return self.known[key]


def try_case(tree, case, before, table):
    if not before.passed:
        table.error(case, "without the defect the test fails: " + before.why)
        return
    try:
        tree.apply(case.patch)
        tree.build(case)
        table.add(case, tree.run(case, 20 + 3 * before.seconds))
    except Unusable as e:
        table.error(case, str(e))
    finally:
        tree.restore()


def run(patches, design, resume):
    kept = Kept(machine.build_path("defects.csv"))
    cases = [c for p in patches for c in p.cases(design) if not (resume and kept.is_caught(c))]
    table = Table(kept, len(cases))
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trellis-defects-") as root:
        tree = Tree(root)
        baseline = Baseline(tree)
        for case in cases:
            try_case(tree, case, baseline.of(case), table)
    print(f"{time.monotonic() - start:.0f} seconds\n"
          f"{table.caught} caught, {table.total - table.caught} not", flush=True)
    return 0 if table.caught == table.total else 1


def show_list(patches):
    for p in patches:
        print(f"{p.name}{' (quick)' if p.quick else ''}\n    {p.defect}")
        for test in p.tests:
            print(f"    {test}    [{' '.join(p.designs)}]")


def main(args):
    machine.die_by_signals()
    names, quick, listing, resume, design, sim = [], False, False, False, None, set()
    args = list(args)
    try:
        while args:
            arg = args.pop(0)
            if arg in ("-h", "--help"):
                print(__doc__.strip())
                return 0
            if arg == "--list":
                listing = True
            elif arg == "--resume":
                resume = True
            elif arg in ("--sim", "--record", "--table"):
                sim.add(arg)
            elif arg == "--quick":
                quick = True
            elif arg == "--design" and args:
                design = args.pop(0)
                if design not in machine.designs():
                    raise Unusable(f"--design {design}: no such design")
            elif arg.startswith("-"):
                raise Unusable(f"{arg}: no such option; --help lists them")
            else:
                names.append(arg)
        patches = selected(read_patches(), names, quick)
        if listing:
            show_list(patches)
            return 0
        if sim and "--sim" not in sim:
            raise Unusable(f"{min(sim)} is for --sim")
        if "--table" in sim:
            simdefects.write_page(simdefects.read_rows(), read_patches())
            return 0
        if sim:
            return simdefects.run(patches, design, "--record" in sim, resume)
        return run(patches, design, resume)
    except Unusable as e:
        print(f"defects: {e}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
