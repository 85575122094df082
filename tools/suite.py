"""What a test suite is to tools/suites.py, and how what it prints is counted."""
import collections
import re

# Of one part: how many tests passed and were skipped, and the names of those that failed.
Result = collections.namedtuple("Result", "passed skipped failed")
DONE = re.compile(r"^== status (\d+)$")


def status_of(said):
    """What the shell says at the end; 137: it took too long. Else what is unknown."""
    found = [m[1] for m in map(DONE.match, said) if m]
    return int(found[-1]) if found else -1


def counted(said, passed, failed, skipped, ends=False):
    """By patterns of lines, of which the first group of `failed` names the test. A part that did
    not get to its end has failed as a whole, too. ends: so has one whose status is not 0 though
    no test of it has failed, such as a program that was killed."""
    names = collections.Counter(m[1] for m in map(re.compile(failed).match, said) if m)
    bad = [name if n == 1 else f"{name} ({n} times)" for name, n in names.items()]
    status = status_of(said)
    if status == 137:
        bad.append("(took too long)")
    elif ends and status != 0 and not bad:
        bad.append(f"(status {status})")
    return Result(sum(bool(re.match(passed, line)) for line in said),
                  sum(bool(re.match(skipped, line)) for line in said), bad)


def whole(said):
    """A part that is one test, by its status."""
    status = status_of(said)
    bad = [] if status == 0 else ["(took too long)" if status == 137 else f"(status {status})"]
    return Result(int(not bad), 0, bad)


class Suite:
    """name, title; packages; alone: it shares no boot with other suites, and its parts only by
    their size; limit: seconds for a part; mib: memory beside the archive's; prepare: what the
    guest's shell does before the first part."""
    packages = ()
    alone = False
    limit = 120
    mib = 256
    prepare = ""

    def parts(self):
        raise NotImplementedError

    def packages_of(self, part):
        return list(self.packages)

    def add(self, tree):
        """Its files, into the root; under suite/."""
        raise NotImplementedError

    def command(self, part):
        raise NotImplementedError

    def read(self, part, said):
        """Result, of the lines that the part has printed."""
        return whole(said)
