"""vmprint, vmwalk, vmmap, free and ps -l: what they print of processes, against each other
and against what the kernel prints."""
import re

import guest
import pytest

PAGE = 4096
LOW_HALF_END = 1 << 38
ADDRESS = r"0x([0-9a-f]{16})"
ENTRY = re.compile(rf"((?:\.\. )*)\.\.(\d+): pte {ADDRESS} pa {ADDRESS}")
LONG_ENTRY = re.compile(rf"((?:\.\. )*)\.\.(\d+)(?:-(\d+))?: pte {ADDRESS} pa {ADDRESS} "
                        rf"([VRWXUGAD-]{{8}}) va {ADDRESS}-{ADDRESS}")
PART = re.compile(rf"{ADDRESS}-{ADDRESS} frame {ADDRESS} ([VRWXUGAD-]{{8}}) (4 KiB|2 MiB|1 GiB)")
HOLE = re.compile(rf"{ADDRESS}-{ADDRESS} not mapped")
GONE = re.compile(rf"(?:\.\. )*\.\. \(gone meanwhile\)|{ADDRESS}-{ADDRESS} \(gone meanwhile\)")
REGION = re.compile(rf"{ADDRESS}-{ADDRESS} ([r-][w-][x-]) +(\d+) +(\d+|-) +(\d+|-) +(\d+|-) (.+)")


def hexadecimal(*texts):
    return [int(t, 16) for t in texts]


def views(text):
    """[(title, [line])] of what vmprint printed."""
    parts = re.split(r"(?m)^(.* view of .*):\n", text)
    assert parts[0] == ""
    return list(zip(parts[1::2], (p.splitlines() for p in parts[2::2])))


def flags(pte):
    return "".join(c if pte >> bit & 1 else "-" for bit, c in enumerate("VRWXUGAD"))


def unfolded(lines, levels=3):
    """The lines of vmprint from those of vmprint -v, whose other columns are checked."""
    half = 1 << 9 * levels + 11
    yield lines[0]
    above = []
    for line in lines[1:]:
        m = LONG_ENTRY.fullmatch(line)
        assert m, line
        first, last = int(m[2]), int(m[3] or m[2])
        pte, pa, start, end = hexadecimal(m[4], m[5], m[7], m[8])
        level = levels - 1 - len(m[1]) // 3
        size = PAGE << 9 * level
        assert m[6] == flags(pte)
        above = above[:levels - 1 - level]
        va = sum(index << 3 + 9 * (levels - depth) for depth, index in enumerate(above)) + \
            first * size
        assert start == va + ((1 << 64) - 2 * half if va >= half else 0)
        assert end == start + (last - first + 1) * size - 1
        assert last == first or (pte & 14 and last > first)
        above.append(first)
        for i in range(last - first + 1):
            yield (f"{m[1]}..{first + i}: pte 0x{pte + i * (size >> 2):016x} "
                   f"pa 0x{pa + i * size:016x}")


def leaves(lines):
    """{va: (pa, flags)} of every leaf that vmprint -v shows, 4 KiB each."""
    found = {}
    for line in lines[1:]:
        m = LONG_ENTRY.fullmatch(line)
        pa, start, end = hexadecimal(m[5], m[7], m[8])
        if re.search("[RX]", m[6]):
            found.update((va, (pa + va - start, m[6])) for va in range(start, end, PAGE))
    return found


@pytest.fixture
def shell(boot, design):
    return boot(design=design).prompt()


def outputs(design, *commands, options=()):
    """What each command prints, in one boot: for much text, which is slow to wait for."""
    done = guest.run(*options, "--design", design, "-c", "; echo ====; ".join(commands))
    texts = done.stdout.split("====\n")
    assert len(texts) == len(commands), done.stdout + done.stderr
    return texts


def titles(design, name):
    """Of user and kernel view, as one when they are one."""
    if design == "unify":
        return [f"user and kernel view of process {name}, unify"]
    kernel = "all processes" if design == "walk" else f"process {name}"
    return [f"user view of process {name}, {design}", f"kernel view of {kernel}, {design}"]


def test_vmprint(design):
    """The user's tree is what the kernel prints; -v folds nothing away."""
    kernels, *texts = outputs(design, "usertests --role vmprint 1", "vmprint 1", "vmprint -v 1",
                              "vmprint -u 1", "vmprint -k 1")
    plain, verbose, (user,), (kernel,) = map(views, texts)
    assert [title for title, _ in plain] == titles(design, "1 (init)")
    assert [title for title, _ in verbose] == titles(design, "1 (init)")
    assert user == (f"user view of process 1 (init), {design}", kernels.splitlines())
    assert kernel == plain[-1]
    assert design == "unify" or user == plain[0]
    for (_, lines), (_, long) in zip(plain, verbose):
        assert list(unfolded(long)) == lines
    assert any(LONG_ENTRY.fullmatch(line)[3] for line in verbose[-1][1][1:]), "nothing is folded"
    assert any(ENTRY.fullmatch(line)[2] == "258" for line in plain[-1][1][1:]), "no kernel half"


def test_vmprint_of_itself(shell, design):
    (title, lines), = views(shell.run("vmprint -u"))
    assert re.fullmatch(rf"user view of process \d+ \(vmprint\), {design}", title)
    assert lines[1].startswith("..0: ")
    assert shell.run("vmprint | head -n 1").count("\n") == 1


def test_vmwalk_steps(shell, design):
    """Each step's entry is where the table above says it is, and what vmprint shows."""
    shown = shell.run("vmprint -u 1")
    for view, name in (("", "user"), ("-k", "kernel")):
        text = shell.run(f"vmwalk 0x810010 1 {view}")
        first, *steps = text.splitlines()
        title = titles(design, "1 (init)")[0 if name == "user" else -1]
        if design == "unify" and name == "user":
            title = title.replace("user and kernel", "user")
        assert first == f"0x{0x810010:016x} = index 0, 4, 16, offset 0x010 ({title})"
        if design == "walk" and name == "kernel":
            assert steps[-1] == "not mapped: the one kernel page table maps nothing of any process"
            continue
        table = None
        for level, index, step in zip((2, 1, 0), (0, 4, 16), steps):
            m = re.fullmatch(rf"level {level}: entry {index} at {ADDRESS}: {ADDRESS} ([A-Z-]{{8}}) "
                             rf"(table at|frame) {ADDRESS}", step)
            assert m, step
            at, pte, below = hexadecimal(m[1], m[2], m[5])
            assert table in (None, at - 8 * index)
            assert m[3] == flags(pte) and below == pte >> 10 << 12
            assert m[4] == ("frame" if level == 0 else "table at")
            assert name == "kernel" or f"pte 0x{pte:016x}" in shown
            table = below
        assert steps[3:] == [f"physical address 0x{table + 0x10:016x}, a page of 4 KiB"]


def test_vmwalk_all_entries():
    """Each table on the way has its 512 entries; those that the walk uses have an arrow."""
    ways = {"0x813008 1": 3, "0x813008 1 -k": 3, "0x200000 1": 2, "0x2000000000 1": 1}
    tree, *texts = outputs("share", "vmprint 1", *(f"vmwalk {a}; vmwalk -a {a}" for a in ways))
    for tables, text in zip(ways.values(), texts):
        lines = text.splitlines()
        short, long = lines[:tables + 2], lines[tables + 2:]
        assert [line.removesuffix(" <--") for line in long
                if line.endswith(" <--") or not line.startswith("level")] == short
        assert len(long) == 2 + 512 * tables
        for depth in range(tables):
            found = [re.match(rf"level {2 - depth}: entry (\d+) at {ADDRESS}: {ADDRESS} (not|V)",
                              line) for line in long[1 + 512 * depth:][:512]]
            table = int(found[0][2], 16)
            for i, m in enumerate(found):
                assert (int(m[1]), int(m[2], 16)) == (i, table + 8 * i)
                assert m[4] == ("V" if int(m[3], 16) & 1 else "not")
                assert m[4] == "not" or f"..{i}: pte 0x{m[3]} " in tree


def test_vmwalk_range(design):
    """A range has each page and each hole of it once."""
    everything = f"vmwalk 0-0x{LOW_HALF_END - 1:x} 1"
    texts = outputs(design, "vmprint -v -u 1", everything, "vmprint -v -k 1", everything + " -k")
    for (title, lines), text in zip(views(texts[0]) + views(texts[2]), texts[1::2]):
        first, *walked = text.splitlines()
        assert first == title + ":"
        expected = {va: leaf for va, leaf in leaves(lines).items() if va < LOW_HALF_END}
        at = 0
        for line in walked:
            m = PART.fullmatch(line) or HOLE.fullmatch(line)
            assert m and int(m[1], 16) == at, line
            end = int(m[2], 16) + 1
            if m.re is PART:
                assert (int(m[3], 16), m[4]) == expected.pop(at), line
                assert end == at + PAGE and m[5] == "4 KiB"
            at = end
        assert at == LOW_HALF_END and not expected


def test_vmwalk_in_the_kernels_half(shell):
    text = shell.run("vmwalk 0xffffffc084000000-0xffffffc084000fff 1 -k").splitlines()
    assert text[1:] == ["0xffffffc084000000-0xffffffc084000fff frame 0x0000000084000000 "
                        "VRW--GAD 2 MiB"]
    text = shell.run("vmwalk 0xffffffc084001234 1 -k").splitlines()
    assert text[0].startswith("0xffffffc084001234 = index 258, 32, 1, offset 0x234 (")
    assert text[-1] == "physical address 0x0000000084001234, a page of 2 MiB"
    text = shell.run("vmwalk 0x3fffffffff-0xffffffc000000000 1").splitlines()
    assert "0x0000004000000000-0xffffffbfffffffff not canonical" in text
    assert shell.run("vmwalk 0x4000000000").startswith("0x0000004000000000 is not canonical: ")


def regions(text):
    """[(start, end, permissions, KiB, present, shared, copied, backing)] of vmmap's lines."""
    for line in text.splitlines()[2:-1]:
        m = REGION.fullmatch(line)
        assert m, line
        numbers = (None if n == "-" else int(n) for n in m.groups()[3:7])
        yield int(m[1], 16), int(m[2], 16) + 1, m[3], *numbers, m[8]


def process_numbers(shell, pid):
    """What ps -l says: present, promised, page tables."""
    line, = re.findall(rf"(?m)^ *{pid} .*$", shell.run("ps -l"))
    return [int(n) for n in line.split()[5:8]]


def test_vmmap(shell, design):
    """Regions and gaps in order, the counts those of ps -l and of the table."""
    text = shell.run("vmmap 1")
    assert text.startswith(f"process 1 (init), {design}:\n")
    found = list(regions(text))
    (_, lines), = views(shell.run("vmprint -v -u 1"))
    mapped = leaves(lines)
    at = 0
    for start, end, may, kib, present, shared, copied, backing in found:
        assert start == at and kib == (end - start) // 1024
        at = end
        there = [leaf for va, leaf in mapped.items() if start <= va < end]
        assert (present or 0) == len(there)
        if may == "---":
            assert present is None
        else:
            assert shared <= present and (copied is None) == (", from byte 0x" not in backing)
            assert all((may[2] == "x") == ("X" in f) for _, f in there)
    backings = [f[7] for f in found]
    guard = backings.index("the guard page below the stack")
    assert backings[guard + 1:guard + 4] == [
        "stack, not promised", "stack", "text, from byte 0x1000"]
    assert [f[2] for f in found[guard:guard + 4]] == ["---", "rw-", "rw-", "r-x"]
    assert found[guard][3] == 4 and found[guard + 1][3] + found[guard + 2][3] == 8192
    last = text.splitlines()[-1]
    present, promised, tables = process_numbers(shell, 1)
    assert re.fullmatch(rf"break 0x[0-9a-f]+, frames: {present} present, {promised} promised, "
                        rf"{tables} of page tables", last), last


def test_why_not_mapped(shell):
    _, guard, stack, *_ = regions(shell.run("vmmap 2"))
    for va, why in [
            (guard[0] - 1, "in no region"),
            (stack[0] - 1, "the guard page below the stack"),
            (0x9fffff, "the gap between the bss and the heap"),
            (0x3fbfffffff, "beyond the break"),
            (0x3fc0000000, "the end of the low half is for the kernel's own pages")]:
        text = shell.run(f"vmwalk 0x{va:x} 2").splitlines()
        assert text[-1] == f"not mapped: {why}"
        assert text[-2].endswith(": 0x0000000000000000 not valid")
    shells = [r for r in regions(shell.run("vmmap 2")) if r[7] == "heap"]
    assert shells and shells[0][4] < shells[0][3] // 4, "the shell has touched all of its heap"
    texts = [shell.run(f"vmwalk 0x{va:x} 2") for va in range(*shells[0][:2], PAGE)]
    untouched = [t for t in texts if t.endswith("not mapped: granted, and not touched so far\n")]
    assert len(untouched) == shells[0][3] // 4 - shells[0][4]


def test_free(shell):
    shell.run("free; ps")  # programs that are in the cache from now on
    names, frames = (line.split() for line in shell.run("free -f").splitlines())
    kib = shell.run("free").splitlines()[1].split()
    assert names == ["frames", "TOTAL", "FREE", "CACHED", "COMMITTED", "TABLES"]
    total, free, cached, committed, tables = map(int, frames[1:])
    assert int(kib[1]) == 4 * total and int(kib[5]) == 4 * tables
    assert total > free > cached > 0 and total - free <= committed < total
    lines = shell.run("ps -l").splitlines()
    assert lines[0].split() == ["PID", "PARENT", "STATE", "HART", "SIZE", "PRESENT", "COMMITTED",
                                "TABLES", "THREADS", "DESIGN", "TICKS", "NAME"]
    assert sum(int(line.split()[7]) for line in lines[1:]) == tables
    assert sum(int(line.split()[6]) for line in lines[1:]) <= committed


KINDS = {
    "entry": LONG_ENTRY, "page": PART, "hole": HOLE, "gone": GONE, "region": REGION,
    "title": re.compile(r"page table 0x.*|.* view of .*:|process \d+ \(.*|ADDRESSES .*"),
    "end": re.compile(r"break 0x.*|vm\w+: no process \d+|"
                      r"vm\w+: process \d+ (has ended|cannot be looked at: .*)"),
}


def test_running_processes(shell):
    """Of processes that run, fork, execute and end meanwhile, each line is one that can be,
    or says that something is gone."""
    seen, wanted = set(), {"entry", "page", "hole", "region"}
    for tried in range(40):  # a process may have ended before each of the programs looks
        if tried >= 4 and wanted <= seen:
            break
        shell.run("usertests --role churn ~ &")  # for 94 executions
        for pid in re.findall(r"(?m)^ *(\d+) .* usertests$", shell.run("ps"))[:3]:
            text = shell.run(f"vmprint -v -u {pid}; vmwalk 0-0xffffffff {pid}; vmmap {pid}")
            for line in text.splitlines():
                kinds = [kind for kind, pattern in KINDS.items() if pattern.fullmatch(line)]
                assert len(kinds) == 1, line
                seen.add(kinds[0])
    assert wanted <= seen
