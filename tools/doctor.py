#!/usr/bin/env python3
"""Runs kernels on the machine of ./sim, and says in plain words what is wrong with them.

    ./sim --doctor --kernel FILE [--disk FILE] [-c 'COMMANDS']
    ./sim --doctor -c 'COMMANDS' KERNEL...     a class's kernels: a table at the end. The disk of
                                               each is the fs.img beside it, or in the folder above

    --report FILE.html   the report as a page, too, with the page tables at that moment
    --language en|zh     default: as LANG says
    --quiet              what one kernel prints is not shown
    --patience SECONDS   when nothing has happened for so long, the kernel is stuck; default 30
    --help               this text; the other options are those of ./sim --help

Without -c it is run until its first prompt. What QEMU hides (A and D that nobody sets, a missing
fence.i) is said, and then the kernel is run again with that permitted, to see what else there is.

Status: 0 when nothing is wrong with any kernel, 1 when something is, 2 when one could not be run.
See docs/doctor.md.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import doctorpage  # noqa: E402
import doctorwords  # noqa: E402
import machine  # noqa: E402

# Options of ./sim that take a value; the rest takes none.
VALUED = ("-c", "--mode", "--initrd", "--harts", "--mem", "--append", "--seed", "--limit",
          "--prompt", "--profile", "--patience", "--fail-request", "--fail-sectors",
          "--asid-bits", "--levels")
NOT_HERE = ("--cut", "--append-after", "--then", "--diagnose", "--keep-disks", "--seeds")
FORGIVEN_MOST = 3


class Patient:
    """A kernel, its disks, and what was found."""

    def __init__(self, kernel, disks):
        self.kernel, self.disks = kernel, disks
        self.diagnoses, self.notes, self.records = [], [], []
        self.tables = []  # of the last run in which something was wrong
        self.unusable = None

    def of(self, kind):
        return [r for r in self.records if r["record"] == kind]


class Options:
    def __init__(self):
        self.kernels, self.disks, self.trailing, self.passed = [], [], [], []
        self.report = None
        self.language = None
        self.help = self.quiet = False


def parse(args):
    options, args = Options(), list(args)
    while args:
        word = args.pop(0)
        value = (lambda: args.pop(0) if args else complain(f"{word} needs a value"))
        if word in ("--help", "-h"):
            options.help = True
        elif word in NOT_HERE:
            complain(f"{word} and --doctor: only one of them")
        elif word == "--doctor":
            continue
        elif word == "--quiet":
            options.quiet = True
        elif word == "--kernel":
            options.kernels.append(value())
        elif word == "--disk":
            options.disks.append(value())
        elif word == "--report":
            options.report = value()
        elif word == "--language":
            options.language = value()
        elif word in VALUED:
            options.passed += [word, value()]
        elif word.startswith("-"):
            options.passed.append(word)
        else:
            options.trailing.append(word)
    return options


def complain(text):
    raise machine.Unusable(f"{text}; ./sim --doctor --help explains")


def language_of(options):
    """What was asked for, else what the environment says, as gettext looks at it."""
    if options.language is None:
        said = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG")
                     if os.environ.get(name)), "")
        return "zh" if said.startswith("zh") else "en"
    if options.language not in doctorwords.LANGUAGES:
        complain(f"--language {options.language}: en or zh")
    return options.language


def disk_beside(kernel):
    """xv6's kernel is kernel/kernel, and its fs.img in the folder above."""
    folder = os.path.dirname(os.path.abspath(kernel))
    for place in (folder, os.path.dirname(folder)):
        path = os.path.join(place, "fs.img")
        if os.path.exists(path):
            return [path]
    return []


def patients_of(options):
    if not options.kernels and not options.trailing:
        complain("--kernel is needed")
    if len(options.kernels) == 1 and not options.trailing:
        return [Patient(options.kernels[0], options.disks or disk_beside(options.kernels[0]))]
    if options.disks and (options.trailing or len(options.disks) != len(options.kernels)):
        complain("of several kernels each has one --disk, or all have their fs.img beside them")
    disks = [[disk] for disk in options.disks] or \
        [disk_beside(kernel) for kernel in options.kernels]
    return [Patient(*pair) for pair in zip(options.kernels, disks)] + \
        [Patient(kernel, disk_beside(kernel)) for kernel in options.trailing]


# ---- running ----
def run_once(command, patient, passed, shown):
    """Sets the patient's records. Its status."""
    with tempfile.TemporaryDirectory(prefix="doctor-") as folder:
        path = os.path.join(folder, "records")
        words = [*command, "--quiet", "--diagnose", path, "--kernel", patient.kernel]
        for disk in patient.disks:
            words += ["--disk", disk]
        done = subprocess.run([*words, *passed], check=False, stdin=subprocess.DEVNULL,
                              stdout=None if shown else subprocess.DEVNULL,
                              stderr=subprocess.PIPE, encoding="utf-8", errors="replace")
        if done.returncode not in (0, 1) or not os.path.exists(path):
            patient.unusable = done.stderr.strip().removeprefix("sim: ") or \
                f"the machine ended with status {done.returncode}"
            return
        with open(path, encoding="utf-8") as f:
            patient.records = [json.loads(line) for line in f]
    patient.diagnoses = patient.of("diagnosis")
    if patient.diagnoses or not patient.tables:
        patient.tables = patient.of("table")


def examine(command, patient, passed, shown, words):
    """Runs it, again with what is forgiven while that comes first."""
    passed = list(passed)
    run_once(command, patient, passed, shown)
    while not patient.unusable and patient.diagnoses and len(patient.notes) < FORGIVEN_MOST:
        first = patient.diagnoses[0]
        option = first.get("forgive")
        if option is None or option in passed:
            return
        if shown:
            print("\n" + words.say("again", kernel=patient.kernel, option=option,
                                   title=words.explain(first)["title"][0]) + "\n", flush=True)
        patient.notes.append((option, first))
        passed.append(option)
        run_once(command, patient, passed, shown)


def show(words, patient, report):
    print()
    if patient.unusable:
        return
    for line in doctorwords.report_lines(words, patient.kernel, patient.diagnoses, patient.notes):
        print(line)
    if patient.tables and (patient.diagnoses or patient.notes):
        print("\n" + (words.say("tables", file=report) if report else words.say("table-none")))


def show_table(words, patients):
    width = max(len(p.kernel) for p in patients)
    print("\n" + words.say("class-heading"))
    for p in patients:
        print("  " + doctorwords.table_line(words, p.kernel, width, p.diagnoses, p.notes,
                                            p.unusable))


def status_of(patients):
    if any(p.unusable for p in patients):
        return 2
    return 1 if any(p.diagnoses or p.notes for p in patients) else 0


def write_report(path, words, patients):
    try:
        with open(path, "w", encoding="utf-8") as f:
            f.write(doctorpage.page(words, patients))
    except OSError as e:
        raise machine.Unusable(f"--report {path}: {e.strerror}") from e


def run(args, command):
    options = parse(args)
    if options.help:
        print(__doc__.strip())
        return 0
    words = doctorwords.Words(language_of(options))
    patients = patients_of(options)
    if options.report is not None:
        write_report(options.report, words, [])  # it can be written
    shown = len(patients) == 1 and not options.quiet
    for patient in patients:
        examine(command, patient, options.passed, shown, words)
        if patient.unusable:
            print(f"sim: {patient.unusable}", file=sys.stderr)
        show(words, patient, options.report)
    if len(patients) > 1:
        show_table(words, patients)
    if options.report is not None:
        write_report(options.report, words, patients)
    return status_of(patients)


def main(args, command):
    """command: the words that begin a command line of the machine."""
    try:
        return run(args, command)
    except machine.Unusable as e:
        print(f"sim: {e}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # whoever read our output has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
