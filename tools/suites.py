#!/usr/bin/env python3
"""Runs other people's test suites inside Trellis, as programs of Linux, unchanged.

    tools/suites.py                    all suites, under the default design, with one hart
    tools/suites.py NAME...            some; NAME:PART,PART... some parts of one; --list shows them
    tools/suites.py --design NAME      under that one; `all`: one after the other
    tools/suites.py --harts N          with so many; 1,3: with one, then with three
    tools/suites.py --record           writes suites.csv, suites-designs.csv and the tables of
                                       suites.md, in docs
    --log FILE                         also keeps all that the guest prints
    --no-build                         runs what was built before

Programs and suites are Debian's, downloaded as for ./run --linux (docs/linux.md); nothing is
installed. Suites share a boot, but for those of large packages: the parts run one after the other,
each with a limit of time. What fails is compared with docs/suites.csv, which says why: the status
is 1 when something else does.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import bench  # noqa: E402
import machine  # noqa: E402
import suiteguest  # noqa: E402
import suiteparts  # noqa: E402
import suiterecord  # noqa: E402


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
    known, found, news = suiterecord.recorded(), {}, []
    with open(given.log or os.devnull, "wb") as log:
        for design in designs:
            for harts in counts:
                print(f"under {design}, {harts} hart{'s' * (harts > 1)}", flush=True)
                results = suiteguest.run(suites, design, harts, log)
                found[design, harts] = results
                news += [f"{design}, {harts}: {line}"
                         for line in suiterecord.differences(results, known)]
                if given.record:  # each time: the rest may not come to its end
                    suiterecord.record(found, suiterecord.recorded())
    print("\n".join(news) if news else "as recorded")
    return bool(news) and not given.record


if __name__ == "__main__":
    machine.die_by_signals()
    try:
        sys.exit(main())
    except machine.Unusable as error:
        print(f"suites: {error}", file=sys.stderr)
        sys.exit(2)
