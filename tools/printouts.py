#!/usr/bin/env python3
"""Records the printouts in the documentation anew, in place.

    tools/printouts.py             all pages below; make printouts builds first
    tools/printouts.py PAGE...     these

README.md and README.zh-CN.md show one session in the guest. docs/failures.md shows what commands
print, docs/doctor.md and its twin what the doctor says, without the empty lines. docs/tour.md and
docs/mmap.md show parts of logs; the tour's is left in the build folder, since its pictures are
drawn from it (make pictures). In these pages `    $ COMMAND` is a command, and what stands below it
is what was printed. docs/page-tables.md and its twin show one walk, with its numbers in the
paragraph below. tests/system compares all of it with a new boot, without what differs from boot to
boot.
"""
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine  # noqa: E402

SESSIONS = ("README.md", "README.zh-CN.md")
FAILURES, TOUR, PAGE_TABLES = "docs/failures.md", "docs/tour.md", "docs/page-tables.md"
WALKS = (PAGE_TABLES, "docs/page-tables.zh-CN.md")
DOCTOR = ("docs/doctor.md", "docs/doctor.zh-CN.md")
MMAP, DESIGNS = "docs/mmap.md", "docs/designs.md"
COMPILER = "12"  # gcc's version that the lines of backtraces are recorded with
BLOCK = re.compile(r"^    \$ .*\n(?:    .*\n)*", re.M)
WALK = re.compile(r"^    0x\w{16} = index .*\n(?:    .*\n)+", re.M)  # of vmwalk
DEADLINE = 600  # seconds; only what hangs takes so long


def read(page):
    with open(os.path.join(machine.ROOT, page), encoding="utf-8") as f:
        return f.read()


def entries(text):
    """[(command, [line that it prints])] of each `    $ COMMAND`."""
    found = []
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            if line.startswith("    $ "):
                found.append((line[6:], []))
            else:
                found[-1][1].append(line[4:])
    return found


# ---- how each kind of page is printed again ----
def run(words, folder=machine.ROOT):
    done = subprocess.run(words, cwd=folder, check=False, capture_output=True, encoding="utf-8",
                          errors="replace", stdin=subprocess.DEVNULL, timeout=DEADLINE)
    return done.stdout.splitlines(), done


def print_failure(command):
    lines, _ = run([*shlex.split(command), "--no-build"])
    return lines[1:] if lines[0] == "" else lines  # a panic begins a new line


def print_report(command):
    lines, _ = run(shlex.split(command))
    return [line for line in lines if line]


def wait_for_sleep(child):
    """Until the process called sleep does so; the kernel lists processes at Ctrl-P."""
    import pexpect
    for _ in range(10 * DEADLINE):
        child.send("\x10")
        if child.expect([r"sleeping[^\n]* sleep\r?\n", pexpect.TIMEOUT], timeout=0.1) == 0:
            return
    raise TimeoutError("sleep does not sleep")


def print_session(commands):
    """The first one boots, the others are typed. A sleep gets more time than it says, so that a
    slow machine sees it sleep, too."""
    import pexpect
    boot, *typed = commands
    words = [*shlex.split(boot), "--no-build"]
    child = pexpect.spawn(words[0], words[1:], cwd=machine.ROOT, encoding="utf-8", echo=False,
                          timeout=DEADLINE)
    try:
        child.expect(r"\n\$ $")
        text = child.before.replace("\r\n", "\n")
        printed = [text[text.index("\nTrellis ") + 1:].splitlines()]
        for command in typed:
            slow = re.sub(r"^sleep \d+ &", "sleep 1000 &", command)
            child.send(slow + "\n")
            child.expect(re.escape(slow) + r"\r?\n")
            child.expect(r"(?<![^\n])\$ $")
            printed.append(child.before.replace("\r\n", "\n").splitlines())
            if slow != command:
                wait_for_sleep(child)
        return printed
    finally:
        child.close(force=True)


def draws(command):
    """Whether it needs Chromium."""
    return re.match(r"tools/ptview .*(\.svg|--check|--compare)", command) is not None


def follow(folder, commands):
    """Runs them as typed, but in another folder, which has ./run and tools/ as this one has.
    What each one prints."""
    for name in ("tools", "run"):
        os.symlink(os.path.join(machine.ROOT, name), os.path.join(folder, name))
    printed = {}
    for command in commands:
        lines, done = run(["sh", "-c", command], folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        printed[command] = lines
    return printed


def shortened(shown, printed):
    """As the page has it: a line may be cut off at `-...`, and `...` stands for the rest."""
    lines = []
    for i, line in enumerate(printed):
        old = shown[i] if i < len(shown) else line
        if old == "...":
            return lines + ["..."]
        lines.append(line[:len(old) - 3] + "..." if old.endswith("-...") else line)
    return lines


# ---- what differs from boot to boot ----
def recorded_compiler():
    with open(os.path.join(machine.kernel_folder(), "flags"),
              encoding="utf-8") as f:
        compiler = f.read().split()[0]
    said = subprocess.run([compiler, "-dumpversion"], check=True, capture_output=True,
                          encoding="utf-8").stdout
    return "gcc" in compiler and said.split(".")[0].strip() == COMPILER


def general(line, keep=1 << 24, lines=True):
    """A line without what differs: frames and the kernel's addresses, which page of the kernel it
    is, places in a function, times, processes, harts. An entry keeps its flags, and an address
    below keep is kept. Without lines: without those of the source, which another compiler may see
    otherwise."""
    line = re.sub(r"(level 0, entry) +\d+( .* V...-..)", r"\1 #\2", line)  # the user may not
    line = re.sub(r"(pte 0x|: 0x)[0-9a-f]{14}([0-9a-f]{2})\b", r"\1N\2", line)
    line = re.sub(r"\b0x[0-9a-f]+", lambda m: m[0] if int(m[0], 16) < keep else "0xN", line)
    line = re.sub(r"\+0x[0-9a-f]+", "+0xN", line)
    line = re.sub(r"\b(hart|process) \d+|\b\d+ ms\b", r"\1 #", line)
    line = re.sub(r"^( +\d+ +\d+ \w+ +)\d+( .*) \d+( \w+)$", r"\1#\2 #\3", line)  # ps -l
    line = re.sub(r"^( +\d+ +\d+ )\w+ +(#.* sh)$", r"\1#\2", line)  # on its way to wait for it
    return line if lines else re.sub(r":\d+$", ":#", line)


def generally(shown, **how):
    return [general(line, **how) for line in shown]


def agree(shown, printed):
    """Whether each line of a page is the printed one; its end may be left out."""
    return generally(shown) == generally(shortened(shown, printed))


# ---- recording ----
def replaced(text, printed):
    """The page with what each command has printed now; printed: by command."""
    def renew(block):
        out = []
        for command, shown in entries(block[0]):
            out += [f"    $ {command}", *(f"    {line}" for line in printed(command, shown))]
        return "\n".join(out) + "\n"
    return BLOCK.sub(renew, text)


def record_session(text):
    commands = [command for command, _ in entries(text)]
    printed = dict(zip(commands, print_session(commands)))
    return replaced(text, lambda command, shown: printed[command])


def record_tour(text):
    with tempfile.TemporaryDirectory() as folder:
        printed = follow(folder, [c for c, _ in entries(text) if not draws(c)])
        if os.path.exists(os.path.join(folder, "fork.log")):
            shutil.copy(os.path.join(folder, "fork.log"), machine.build_path("fork.log"))
    return replaced(text, lambda c, shown: shortened(shown, printed[c]) if shown else [])


def record_walk(text, printed):
    """The paragraph below has the numbers of the walk."""
    shown = WALK.search(text)
    walk = "".join(f"    {line}\n" for line in printed)
    old, new = ([int(n, 16) for n in re.findall("0x[0-9a-f]+", w)] for w in (shown[0], walk))
    now = dict(reversed([*zip(old, new, strict=True)]))  # a table before its first entry
    end = text.index("\n\n", shown.end() + 1)
    said = re.sub("0x[0-9a-f]+", lambda n: f"0x{now[int(n[0], 16)]:x}", text[shown.end():end])
    return text[:shown.start()] + walk + said + text[end:]


def record(page, sessions):
    text = read(page)
    if page in SESSIONS:  # the languages show one session
        sessions.setdefault("text", record_session(text))
        blocks = iter(BLOCK.findall(sessions["text"]))
        new = BLOCK.sub(lambda block: next(blocks), text)
    elif page in WALKS:
        if "walk" not in sessions:
            address, pid = re.search(r"vmwalk (\w+) (\d+)", text).groups()
            sessions["walk"] = print_failure(f"./run -c 'vmwalk {address} {pid}'")
        new = record_walk(text, sessions["walk"])
    elif page in DOCTOR:
        new = replaced(text, lambda command, shown: print_report(command))
    elif page == FAILURES:
        new = replaced(text, lambda command, shown: print_failure(command))
    else:
        new = record_tour(text)
    with open(os.path.join(machine.ROOT, page), "w", encoding="utf-8") as f:
        f.write(new)


def with_pexpect():
    """Goes on in the system's Python when this one has no pexpect."""
    system = "/usr/bin/python3"
    if importlib.util.find_spec("pexpect") is None and os.path.realpath(sys.executable) != \
            os.path.realpath(system):
        os.execv(system, [system, *sys.argv])


def main(args):
    with_pexpect()
    pages = [*SESSIONS, FAILURES, TOUR, MMAP, *WALKS, *DOCTOR]
    if set(args) - set(pages):
        print(__doc__.strip())
        return 0 if set(args) & {"-h", "--help"} else 2
    sessions = {}
    for page in args or pages:
        print(f"  PRINT {page}")
        record(page, sessions)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
