#!/usr/bin/env python3
"""Runs other people's test suites inside Trellis, as programs of Linux, unchanged.

    tools/suites.py                    all suites, under the default design, with one hart
    tools/suites.py NAME...            some; NAME:PART,PART... some parts of one; --list shows them
    tools/suites.py --design NAME      under that one; `all`: one after the other
    tools/suites.py --harts N          with so many; 1,3: with one, then with three
    tools/suites.py --record           writes docs/suites.csv and the tables of docs/suites.md
    --log FILE                         also keeps all that the guest prints
    --no-build                         runs what was built before

Programs and suites are Debian's, downloaded as for ./run --linux (docs/linux.md); nothing is
installed. A suite is a boot: its parts run one after the other, each with a limit of time. What
fails is compared with docs/suites.csv, which says why: the status is 1 when something else does.
"""
import argparse
import csv
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import bench  # noqa: E402
import linuxroot  # noqa: E402
import machine  # noqa: E402
import packages  # noqa: E402
import suiteparts  # noqa: E402
from suite import Result  # noqa: E402

RECORDED = os.path.join(bench.DOCS, "suites.csv")
DOCUMENT = "suites.md"
COLUMNS = ("suite", "part", "passed", "skipped", "failed", "why")
PART = re.compile(r"^== part (\S+)$")
END = "== end"


# ---- the guest ----
def archive(suite, names):
    """The root with the suite's packages and files, and a script that runs these parts."""
    busybox = linuxroot.busybox()
    wanted = sorted({package for name in names for package in suite.packages_of(name)})
    debs = packages.get(wanted) if wanted else []
    tree = linuxroot.tree(busybox, linuxroot.commands(busybox), debs)
    suite.add(tree)
    lines = ["export HOME=/root", suite.prepare]
    for name in names:
        lines += [f"echo; echo '== part {name}'",
                  f"timeout -s KILL {suite.limit} sh -c {quoted(suite.command(name))} 2>&1 "
                  "</dev/null", "s=$?; echo; echo \"== status $s\""]
    tree.add_file("suite/all", "\n".join([*lines, f"echo '{END}'", ""]).encode())
    path = packages.folder(f"suite-{suite.name}.cpio")
    tree.write(path)
    return path


def quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def lines_of(command, deadline, log):
    """What the guest prints, as it comes. Unusable: it took too long."""
    until = time.monotonic() + deadline
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT) as guest:
        try:
            for line in guest.stdout:
                if log:
                    log.write(line)
                    log.flush()
                yield line.decode(errors="replace").replace("\r", "").rstrip("\n")
                if time.monotonic() > until:
                    raise machine.Unusable(f"the guest was not done after {deadline} seconds")
        finally:
            guest.kill()


def run(suite, names, design, harts, log):
    """{part: Result}. Unusable: the machine ended before the last part."""
    if not suite.alone:
        return boot(suite, names, design, harts, log)
    found = {}
    for name in names:
        try:
            found.update(boot(suite, [name], design, harts, log))
        except machine.Unusable as why:
            found[name] = Result(0, 0, [str(why).splitlines()[0]])
            tell(name, found[name])
    return found


def boot(suite, names, design, harts, log):
    path = archive(suite, names)
    mib = suite.mib + -(-3 * os.path.getsize(path) >> 20)
    command = machine.qemu_command(
        design, harts, mib, [], append="panic=exit quiet trace=poweroff -- . /etc/profile\n"
        "sh /suite/all", extra=("-initrd", path), console=bench.CONSOLE)
    said, part, found = [], None, {}
    for line in lines_of(command, 60 + suite.limit * len(names), log):
        begins = PART.match(line)
        if part and (begins or line == END):
            found[part] = suite.read(part, said)
            tell(part, found[part])
        if line == END:
            break
        if begins:
            part, said = begins[1], []
            print(f"  {part} ...", end="\r", file=sys.stderr, flush=True)
        else:
            said.append(line)
    os.remove(path)
    if set(names) - set(found):
        raise machine.Unusable(f"the guest ended in {part}:\n" + "\n".join(said[-20:]))
    return found


def tell(part, result):
    print(f"  {part}: {result.passed} passed, {result.skipped} skipped, "
          f"{len(result.failed)} failed{': ' * bool(result.failed)}{'; '.join(result.failed)}",
          flush=True)


# ---- the record ----
def recorded():
    """{(suite, part): (passed, skipped, {name of a test that fails: why})}"""
    found = {}
    if os.path.exists(RECORDED):
        with open(RECORDED, encoding="utf-8") as f:
            for row in csv.DictReader(f):
                key = row["suite"], row["part"]
                known = found.setdefault(key, (int(row["passed"]), int(row["skipped"]), {}))
                if row["failed"]:
                    known[2][row["failed"]] = row["why"]
    return found


def differences(suite, results, known):
    """Lines: what fails that is not known to, and what no longer does."""
    for part, result in results.items():
        expected = known.get((suite.name, part), (0, 0, {}))[2]
        sometimes = {name for name, why in expected.items() if why.startswith("sometimes:")}
        for name in result.failed:
            if name not in expected:
                yield f"{suite.name}:{part}: {name}: fails, and did not"
        for name in expected:
            if name not in result.failed and name not in sometimes:
                yield f"{suite.name}:{part}: {name}: failed, and passes"


def record(found, known):
    """found: {(suite, part): Result}. Reasons stay; parts that did not run, too."""
    rows = {}
    for key, (passed, skipped, failed) in known.items():
        rows[key] = (passed, skipped, failed)
    for key, result in found.items():
        reasons = known.get(key, (0, 0, {}))[2]
        rows[key] = (result.passed, result.skipped,
                     {name: reasons.get(name, "") for name in result.failed})
    with open(RECORDED, "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(COLUMNS)
        for (suite, part), (passed, skipped, failed) in sorted(rows.items()):
            for name, why in failed.items() or [("", "")]:
                out.writerow([suite, part, passed, skipped, name, why])
    bench.fill_document(tables(rows), DOCUMENT)


def tables(rows):
    sums, why = [], []
    for name, suite in suiteparts.SUITES.items():
        own = {key: row for key, row in rows.items() if key[0] == name}
        if not own:
            continue
        sums.append([suite.title, str(len(own)), str(sum(row[0] for row in own.values())),
                     str(sum(row[1] for row in own.values())),
                     str(sum(len(row[2]) for row in own.values()))])
        why += [[name, part, test, reason] for (_, part), row in sorted(own.items())
                for test, reason in row[2].items()]
    return {"suites": (["suite", "parts", "passed", "skipped", "failed"], sums),
            "why": (["suite", "part", "what fails", "why"], why)}


# ---- all together ----
def chosen(words):
    """[(suite, names of parts)]"""
    found = []
    for word in words or list(suiteparts.SUITES):
        name, _, parts = word.partition(":")
        suite = suiteparts.SUITES.get(name)
        if not suite:
            raise machine.Unusable(f"no such suite: {name}; --list shows them")
        names = suite.parts()
        unknown = set(parts.split(",")) - set(names) if parts else ()
        if unknown:
            raise machine.Unusable(f"{name} has no part {sorted(unknown)[0]}")
        found.append((suite, parts.split(",") if parts else names))
    return found


def options():
    parser = argparse.ArgumentParser(usage=__doc__, add_help=False)
    for name in ("--help", "--list", "--record", "--no-build"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--design", default=machine.default_design())
    parser.add_argument("--harts", default="1")
    parser.add_argument("--log")
    parser.add_argument("names", nargs="*")
    return parser.parse_args()


def main():
    given = options()
    if given.help or given.list:
        print(__doc__.strip() if given.help else
              "\n".join(f"{name:9} {suite.title}: {' '.join(suite.parts())}"
                        for name, suite in suiteparts.SUITES.items()))
        return 0
    suites = chosen(given.names)
    designs = machine.designs() if given.design == "all" else [given.design]
    counts = [machine.parse_harts(n) for n in given.harts.split(",")]
    if not given.no_build:
        bench.build()
    known, found, news = recorded(), {}, []
    with open(given.log or os.devnull, "wb") as log:
        for design in designs:
            for harts in counts:
                for suite, names in suites:
                    print(f"{suite.name} under {design}, {harts} hart{'s' * (harts > 1)}",
                          flush=True)
                    results = run(suite, names, design, harts, log)
                    news += [f"{design}, {harts}: {line}"
                             for line in differences(suite, results, known)]
                    for part, result in results.items():
                        found.setdefault((suite.name, part), result)
    if given.record:
        record(found, known)
        print(f"written: {os.path.relpath(RECORDED)}")
    print("\n".join(news) if news else "as recorded")
    return bool(news) and not given.record


if __name__ == "__main__":
    machine.die_by_signals()
    try:
        sys.exit(main())
    except machine.Unusable as error:
        print(f"suites: {error}", file=sys.stderr)
        sys.exit(2)
