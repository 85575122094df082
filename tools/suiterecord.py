"""What tools/suites.py keeps: docs/suites.csv, of each part what it did and why what fails does;
docs/suites-designs.csv, of each part under each design and number of harts how many tests passed
and failed; and the tables of docs/suites.md, made of both.
"""
import csv
import os

import bench
import suiteparts

RECORDED = os.path.join(bench.DOCS, "suites.csv")
DESIGNS = os.path.join(bench.DOCS, "suites-designs.csv")
DOCUMENT = "suites.md"
COLUMNS = ("suite", "part", "passed", "skipped", "failed", "why")
HARTS = (1, 3)
SOMETIMES = "sometimes:"


# ---- what fails, and why ----
def recorded():
    """{(suite, part): (passed, skipped, {name of a test that fails: why})}"""
    found = {}
    for row in rows_of(RECORDED):
        key = row["suite"], row["part"]
        known = found.setdefault(key, (int(row["passed"]), int(row["skipped"]), {}))
        if row["failed"]:
            known[2][row["failed"]] = row["why"]
    return found


def rows_of(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return list(csv.DictReader(f))


def write_rows(path, columns, rows):
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, lineterminator="\n")
        out.writerow(columns)
        out.writerows(rows)


def differences(results, known):
    """Lines, of {(suite, part): Result}: what fails that is not known to, and what no longer
    does."""
    for key, result in results.items():
        expected = known.get(key, (0, 0, {}))[2]
        name_of_part = ":".join(key)
        for name in result.failed:
            if name not in expected:
                yield f"{name_of_part}: {name}: fails, and did not"
        for name, why in expected.items():
            if name not in result.failed and not why.startswith(SOMETIMES):
                yield f"{name_of_part}: {name}: failed, and passes"


def merged(found, known):
    """The record after runs: found is {(design, harts): {(suite, part): Result}}. Reasons stay, and
    so do parts that did not run and what fails sometimes; what failed in some of these runs only
    says in which."""
    rows = dict(known)
    for key in {key: None for results in found.values() for key in results}:
        runs = {where: results[key] for where, results in found.items() if key in results}
        reasons = known.get(key, (0, 0, {}))[2]
        failed = {name: why for name, why in reasons.items() if why.startswith(SOMETIMES)}
        for result in runs.values():
            for name in result.failed:
                where = [w for w, other in runs.items() if name in other.failed]
                failed[name] = reasons.get(name) or ("" if len(where) == len(runs) else
                    f"{SOMETIMES} " + ", ".join(f"{design} {harts}" for design, harts in where))
        first = next(iter(runs.values()))
        rows[key] = (first.passed, first.skipped, failed)
    return rows


# ---- by design and harts ----
def configurations():
    """[(design, harts)], as in the tables."""
    return [(design, harts) for design in bench.all_designs() for harts in HARTS]


def column(where):
    return f"{where[0]} {where[1]}"


def recorded_by_design():
    """{(suite, part): {(design, harts): (passed, failed)}}"""
    found = {}
    for row in rows_of(DESIGNS):
        cells = {where: tuple(map(int, row[column(where)].split("/")))
                 for where in configurations() if row.get(column(where))}
        found[row["suite"], row["part"]] = cells
    return found


def merged_by_design(found, known):
    """The same, with found as in merged."""
    rows = {key: dict(cells) for key, cells in known.items()}
    for where, results in found.items():
        for key, result in results.items():
            rows.setdefault(key, {})[where] = (result.passed, len(result.failed))
    return rows


def by_design_table(rows):
    """Of the parts of each suite that were run everywhere: a column is the same tests as its
    neighbours."""
    table = []
    for name, suite in suiteparts.SUITES.items():
        own = [cells for key, cells in rows.items()
               if key[0] == name and not set(configurations()) - set(cells)]
        if own:
            table.append([suite.title, f"{len(own)} of {len(suite.parts())}",
                          *("/".join(str(sum(cells[where][i] for cells in own)) for i in (0, 1))
                            for where in configurations())])
    return ["suite", "parts", *map(column, configurations())], table


# ---- both ----
def record(found, known):
    """found as in merged; known: what recorded() says, and others may have written meanwhile."""
    rows = merged(found, known)
    write_rows(RECORDED, COLUMNS, (
        [*key, passed, skipped, name, why]
        for key, (passed, skipped, failed) in sorted(rows.items())
        for name, why in failed.items() or [("", "")]))
    cells = merged_by_design(found, recorded_by_design())
    write_rows(DESIGNS, ["suite", "part", *map(column, configurations())], (
        [*key, *("/".join(map(str, row[where])) if where in row else ""
                 for where in configurations())] for key, row in sorted(cells.items())))
    bench.fill_document({**tables(rows), "designs": by_design_table(cells)}, DOCUMENT)


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
    trials = suiteparts.SUITES["packages"].trials
    tried = [[f"`{trials[part][0]}`", "no" if row[2] else "yes"]
             for (name, part), row in sorted(rows.items()) if name == "packages" and part in trials]
    return {"suites": (["suite", "parts", "passed", "skipped", "failed"], sums),
            "packages": (["packages", "did what they were to do"], tried),
            "why": (["suite", "part", "what fails", "why"], why)}
