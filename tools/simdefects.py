"""Which defects the machine itself reports: tools/defects.py --sim.

Each patch of tests/defects that changes the kernel and is about one of the pitfalls that break a
rule of the hardware or of memory is built and run on ./sim with `usertests -q`, until the first
finding. The tests do not count here: only what the machine says."""
import os
import re
import tempfile
import time

import machine

# Of docs/pitfalls.md.
PITFALLS = [*range(1, 18), 26, 27, 31, 33, 34]
HARTS = 3
DEADLINE = 900


def concerned(patches):
    return [p for p in patches if int(re.match(r"\d+", p.pitfall)[0]) in PITFALLS and
            all(c.file.startswith("kernel/") for c in p.changes)]


def sim_command(tree, design, debug):
    folder = "kernel-debug" if debug else "kernel"
    return [os.path.join(tree.root, "build", "machine", "sim"), "--until-finding", "--quiet",
            "--kernel", os.path.join(tree.root, "build", folder, "kernel.elf"),
            "--disk", os.path.join(tree.root, "build", "fs.img"), "--harts", str(HARTS),
            "--append", f"design={design} panic=exit quiet trace=poweroff -- usertests -q"]


def build(tree):
    status, output = tree.process(["make", "--no-print-directory", f"-j{os.cpu_count() or 2}",
                                   "BUILD=build", "all", "sim"], 600)
    if status != 0:
        raise machine.Unusable("it does not build:\n" + output)


def look(tree, design):
    """(the first finding or None, how it ended)"""
    status, output = tree.process(sim_command(tree, design, False), DEADLINE)
    found = re.search(r"^sim: finding: (.*)", output, re.M)
    panic = re.search(r"^.*(?:PANIC|panic):? .*", output, re.M)
    how = "no end" if status is None else panic[0].strip() if panic else f"status {status}"
    return found and found[1], how


def run(patches, only):
    """Under the designs of each patch, or under one alone."""
    patches = concerned(patches)
    found = 0
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trellis-defects-") as root:
        from defects import Tree
        tree = Tree(root)
        for patch in patches:
            tree.apply(patch)
            try:
                build(tree)
                for design in [d for d in patch.designs if only in (None, d)]:
                    finding, how = look(tree, design)
                    found += finding is not None
                    print(f"{'reported' if finding else 'silent':8} {patch.name:38} {design:7} "
                          f"{finding or how}", flush=True)
            finally:
                tree.restore()
    print(f"{time.monotonic() - start:.0f} seconds\n{found} reported by the machine", flush=True)
    return 0
