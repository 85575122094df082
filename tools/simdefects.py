"""Which defects the machine itself reports: tools/defects.py --sim.

Each patch of tests/defects that changes the kernel and is about one of the pitfalls that break a
rule of the hardware or of memory is built and run on ./sim with `usertests -q`, until the first
finding, under the first of its designs. The tests do not count here: only what the machine says.
It says that a page was not given back, too: when the pages that are taken at the end (--leaks) are
not those of the kernel without a defect. A run that does not end is cut off after LIMIT
instructions, and its row says so; so does the row of a run that was cut off from outside, which
counts as not run.

    --record   keeps what comes out in docs/sim-defects.csv, patch by patch, and makes
               docs/sim-defects.md from it
    --resume   without the patches that are there already
    --table    makes docs/sim-defects.md from it, and runs nothing
"""
import csv
import os
import re
import tempfile
import time

import machine

# Of docs/pitfalls.md.
PITFALLS = [*range(1, 18), 26, 27, 31, 33, 34]
SEVERAL_HARTS = (13, 26, 27)
# A firmware that repairs misaligned accesses hides them.
SIM_OPTIONS = {"33-misaligned-access": ["--no-misaligned"]}
# Of all harts together. Without a defect a run takes about 4 of these with one hart, 6 with three.
LIMIT = 10 * 10**9
LIMIT_WORDS = f"{LIMIT:,}".replace(",", " ")
DEADLINE = 3 * 3600  # seconds, for a machine that hangs itself
PREFERRED = ("share", "mirror", "unify", "walk")
RECORDED = os.path.join(machine.ROOT, "docs", "sim-defects.csv")
PAGE = os.path.join(machine.ROOT, "docs", "sim-defects.md")
# design: the one of the run; kept: what --leaks said, for a run that came to its end; why: of what
# is silent, or thought to be, by hand.
COLUMNS = ("patch", "design", "harts", "verdict", "told", "kept", "why")
SILENT, NOT_RUN = "silent", "not run"


def number(patch):
    return int(re.match(r"\d+", patch.pitfall)[0])


def concerned(patches):
    """Those that change the kernel, or how it is compiled."""
    return [p for p in patches if number(p) in PITFALLS and
            all(c.file.startswith("kernel/") or c.file == "Makefile" for c in p.changes)]


# ---- one run ----
def harts_of(patch):
    if "--harts" in patch.options:
        return int(patch.options[patch.options.index("--harts") + 1])
    return 3 if number(patch) in SEVERAL_HARTS else 1


def memory_of(patch):
    return patch.options[patch.options.index("--mem") + 1] if "--mem" in patch.options else "128M"


def design_of(patch, only):
    designs = [d for d in PREFERRED if d in patch.designs and only in (None, d)]
    return designs[0] if designs else None


def sim_command(tree, design, harts, memory, more):
    return [os.path.join(tree.root, "build", "machine", "sim"), "--until-finding", "--leaks",
            "--limit", str(LIMIT),
            "--kernel", os.path.join(tree.root, "build", "kernel", "kernel.elf"),
            "--disk", os.path.join(tree.root, "build", "fs.img"), "--harts", str(harts),
            "--mem", memory, *more,
            "--append", f"design={design} panic=exit quiet trace=poweroff -- usertests -q"]


def build(tree):
    status, output = tree.process(["make", "--no-print-directory", f"-j{os.cpu_count() or 2}",
                                   "BUILD=build", "all", "sim"], 600)
    if status != 0:
        raise machine.Unusable("it does not build:\n" + output)


def kept_pages(output):
    """"page_new 92, slab_take 2": who took the pages that were there at the end, sorted."""
    counts = {}
    for m in re.finditer(r"^sim: kept: (\d+) pages taken at \S+ \((\w+)\) ", output, re.M):
        counts[m[2]] = counts.get(m[2], 0) + int(m[1])
    return ", ".join(f"{name} {counts[name]}" for name in sorted(counts))


def instructions(output):
    m = re.search(r"^sim: (\d+) instructions", output, re.M)
    return int(m[1]) if m else 0


def some(names):
    return " ".join(sorted(set(names))[:3])


def how_it_ended(status, output):
    """What the kernel or its tests say, in short."""
    panic = re.search(r"^.*(?:PANIC|panic):? .*", output, re.M)
    failed = re.findall(r"^test (\w+): FAILED", output, re.M)
    if status is None:
        return "it did not end"
    if instructions(output) >= LIMIT:
        return f"it did not end in {LIMIT_WORDS} instructions" + \
            (", and tests fail: " + some(failed) if failed else "")
    if panic:
        return panic[0].strip()
    if failed:
        return "tests fail: " + some(failed)
    return "all tests pass" if "ALL TESTS PASSED" in output else f"status {status}"


def run_one(tree, design, harts, memory, more=()):
    """(finding or None, how it ended, the pages kept or None)"""
    status, output = tree.process(sim_command(tree, design, harts, memory, more), DEADLINE)
    found = re.search(r"^sim: (?:finding: |(?=all harts wait))(.*)", output, re.M)
    came_to_its_end = "[trellis] poweroff" in output
    return found and found[1], how_it_ended(status, output), \
        kept_pages(output) if came_to_its_end else None


# ---- what was recorded ----
def read_rows(path=None):
    path = path or RECORDED
    if not os.path.exists(path):
        return {}
    with open(path, newline="", encoding="utf-8") as f:
        return {row["patch"]: row for row in csv.DictReader(f)}


def write_rows(rows):
    with open(RECORDED, "w", newline="", encoding="utf-8") as f:
        out = csv.DictWriter(f, COLUMNS, lineterminator="\n")
        out.writeheader()
        for name in sorted(rows):
            out.writerow(rows[name])


def more_kept(kept, undamaged):
    """"slab_take 3 (2 without the defect)" of what differs."""
    def counts(text):
        return dict(part.split() for part in text.split(", ") if part)
    now, then = counts(kept), counts(undamaged)
    return ", ".join(f"{name} has {now.get(name, 0)} pages instead of {then.get(name, 0)}"
                     for name in sorted({*now, *then}) if now.get(name, 0) != then.get(name, 0))


def processes(kept):
    """What tells how many there are: each thread has a page of its own."""
    return re.findall(r"thread_new (\d+)", kept)


def verdict(finding, how, kept, undamaged):
    """(verdict, told). A process that a failed test leaves has its pages by right."""
    if finding:
        return "reported", finding
    if kept is not None and kept != undamaged and processes(kept) == processes(undamaged):
        return "leaks", more_kept(kept, undamaged)
    return SILENT, how


# ---- all of them ----
class Runner:
    def __init__(self, tree, record):
        self.tree, self.record = tree, record
        self.rows, self.kept_by = read_rows(), {}

    def undamaged(self, design, harts, memory):
        """The pages that are taken at the end without a defect: of the tree as it is, so what was
        recorded does not count."""
        key = design, harts, memory
        if key not in self.kept_by:
            build(self.tree)
            finding, how, self.kept_by[key] = run_one(self.tree, design, harts, memory)
            if finding or how != "all tests pass":
                raise machine.Unusable("without a defect: " + (finding or how))
        return self.kept_by[key]

    def keep(self, patch, design, word, told, kept=""):
        if self.record:
            self.rows = read_rows()  # somebody may have written a reason since
        why = self.rows.get(patch.name, {}).get("why", "") if word in (SILENT, NOT_RUN) else ""
        self.rows[patch.name] = dict(zip(COLUMNS, (
            patch.name, design, harts_of(patch), word, told, kept, why)))
        if self.record:
            write_rows(self.rows)
        print(f"{word:8} {patch.name:38} {design:7} {told}", flush=True)

    def run_with(self, patch, design):
        """What run_one gives, with the defect."""
        self.tree.apply(patch)
        try:
            build(self.tree)
            return run_one(self.tree, design, harts_of(patch), memory_of(patch),
                           SIM_OPTIONS.get(patch.name, ()))
        finally:
            self.tree.restore()

    def run(self, patch, design):
        start = time.monotonic()
        try:
            finding, how, kept = self.run_with(patch, design)
            undamaged = None if finding or kept is None else \
                self.undamaged(design, harts_of(patch), memory_of(patch))
        except machine.Unusable as e:
            self.keep(patch, design, NOT_RUN, str(e).splitlines()[0].rstrip(":"))
            return False
        except BaseException:  # a signal, which ends this program
            self.keep(patch, design, NOT_RUN,
                      f"cut off after {time.monotonic() - start:.0f} seconds")
            raise
        word, told = verdict(finding, how, kept, undamaged)
        self.keep(patch, design, word, told, "" if finding else kept or "")
        return word != SILENT


def is_done(rows, patch):
    return rows.get(patch.name, {"verdict": NOT_RUN})["verdict"] != NOT_RUN


def run(patches, only, record, resume):
    """Each under one design: that one, or the first."""
    from defects import Tree
    start, reported = time.monotonic(), 0
    chosen = [(p, design_of(p, only)) for p in concerned(patches)]
    with tempfile.TemporaryDirectory(prefix="trellis-defects-") as root:
        runner = Runner(Tree(root), record)
        for patch, design in chosen:
            if design and not (resume and is_done(runner.rows, patch)):
                try:
                    reported += runner.run(patch, design)
                finally:
                    if record:
                        write_page(runner.rows, patches)
    print(f"{time.monotonic() - start:.0f} seconds\n{reported} reported by the machine",
          flush=True)
    return 0


# ---- the page ----
TOP = """# What the machine reports of known defects

`tests/defects` has a patch for each mistake of [pitfalls.md](pitfalls.md). Those about the kernel
and about pitfalls that break a rule of the hardware or of memory (1 to 17, 26, 27, 31, 33, 34) were
put into Trellis, one at a time, and it ran `usertests -q` on `./sim`. What the tests say does not
count here: a kernel of somebody else has none. *Reported* is what the machine itself says
([sim.md](sim.md)); *leaks* is what `--leaks` says at the end, compared with the kernel without the
defect. This page is made by `tools/defects.py --sim --record`, from `docs/sim-defects.csv`;
`--sim --table` makes it again.

"""


def short(row):
    """The rule and the places of a finding, as a cell."""
    if row["verdict"] == "leaks":
        return row["told"]
    rule = row["told"].split(":")[0]
    places = dict.fromkeys(re.findall(r"[\w.]+\.[chS]:\d+(?: \(\w+\))?", row["told"]))
    return without_lines(", ".join([rule, *list(places)[:2]]))


def without_lines(text):
    """Their numbers change with every change of the kernel."""
    return re.sub(r"(\.[chS]):\d+", r"\1", text)


def table(head, rows):
    return "\n".join([f"| {' | '.join(head)} |", "|" + "--|" * len(head),
                      *(f"| {' | '.join(r)} |" for r in rows)]) + "\n"


def page(rows, patches):
    known = {p.name: p for p in concerned(patches)}
    rows = [r for name, r in sorted(rows.items()) if name in known]
    told = [r for r in rows if r["verdict"] not in (SILENT, NOT_RUN)]
    quiet = [r for r in rows if r["verdict"] == SILENT]
    later = [r for r in rows if r["verdict"] == NOT_RUN]
    parts = [
        TOP + f"Of the {len(told) + len(quiet)} defects that were run to an end, to a finding or "
        f"for {LIMIT_WORDS} instructions, {len(told)} are reported.\n",
        table(("defect", "what it is", "design", "said"),
              [(f"`{r['patch']}`", known[r["patch"]].defect, r["design"], short(r))
               for r in told]),
        "Those of which the machine says nothing, how their run ended, and why:\n",
        table(("defect", "what it is", "how it ended", "why"),
              [(f"`{r['patch']}`", known[r["patch"]].defect,
                without_lines(r["told"]).replace("|", "/"), r["why"]) for r in quiet])]
    if later:
        parts += ["Those that have not been run to their end yet; `--record --resume` does it:\n",
                  table(("defect", "what it is", "so far", "why it is thought to be silent"),
                        [(f"`{r['patch']}`", known[r["patch"]].defect,
                          without_lines(r["told"]), r["why"]) for r in later])]
    return "\n".join(parts)


def write_page(rows, patches):
    with open(PAGE, "w", encoding="utf-8") as f:
        f.write(page(rows, patches))
