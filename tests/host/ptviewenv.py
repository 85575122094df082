"""ptview's JavaScript in a real headless Chromium, and page tables to show it."""
import importlib.machinery
import importlib.util
import os
import re
import shutil

import machine
import pytest

FOLDER = os.path.join(machine.ROOT, "tests", "ptview")
COMMAND = os.path.join(machine.ROOT, "tools", "ptview")
V, R, W, X, U, G, A, D = (1 << i for i in range(8))
TRAMPOLINE, TRAPFRAME, USER_MAX = 0x3ffffff, 0x3fffffe, 0x3fc0000  # page numbers
TEXT, RODATA, DATA = V | R | X | U | A, V | R | U | A, V | R | W | U | A | D
KERNEL_TEXT, KERNEL_DATA = V | R | X | A, V | R | W | A | D


def why_not():
    """Why the browser tests cannot be run, or None."""
    for name, package in (("chromium", "chromium"), ("chromedriver", "chromium-driver")):
        if not shutil.which(name):
            return f"{package} is not installed"
    if not importlib.util.find_spec("selenium"):
        return "python3-selenium is not installed"
    return None


needs_browser = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


def ptview():
    """tools/ptview as a module."""
    loader = importlib.machinery.SourceFileLoader("ptview", COMMAND)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("ptview", loader))
    loader.exec_module(module)
    return module


def start_browser(width=1400, height=900):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en-US",
                     "--disable-lcd-text", "--no-first-run", f"--window-size={width},{height}"):
        options.add_argument(argument)
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    driver.set_script_timeout(60)
    return driver


def log(name):
    with open(os.path.join(FOLDER, name + ".log"), encoding="utf-8") as f:
        return f.read()


LOGS = sorted(name[:-4] for name in os.listdir(FOLDER) if name.endswith(".log"))


# ---- page tables ----
class Tree:
    """A page table to print. leaves: {page number: (frame number, flags)}; a key
    (page number, level) is a large leaf."""

    def __init__(self, leaves, root=0x87f00, levels=3, table_flags=V):
        self.root = root
        self.levels = levels
        self.next = root + 1
        self.kids = {}
        self.table_flags = table_flags
        for key, (ppn, flags) in leaves.items():
            vpn, level = key if isinstance(key, tuple) else (key, 0)
            self.add(vpn, level, ppn << 10 | flags)

    def add(self, vpn, level, pte):
        kids = self.kids
        for at in range(self.levels - 1, level, -1):
            index = vpn >> 9 * at & 511
            if index not in kids:
                kids[index] = (self.next << 10 | self.table_flags, {})
                self.next += 1
            kids = kids[index][1]
        kids[vpn >> 9 * level & 511] = (pte, None)

    def entries(self, kids=None, depth=1, vpn=0):
        """(depth, index, page number, entry) of each, in vmprint's order."""
        kids = self.kids if kids is None else kids
        for index, (pte, below) in sorted(kids.items()):
            at = vpn | index << 9 * (self.levels - depth)
            yield depth, index, at, pte
            if below is not None:
                yield from self.entries(below, depth + 1, at)

    def text(self, entry=None, title=None):
        """As the lab prints it; entry(depth, index, vpn, pte) may print otherwise."""
        lines = [title] if title else []
        lines.append(f"page table 0x{self.root << 12:016x}")
        lines += [(entry or lab_line)(*each) for each in self.entries()]
        return "\n".join(lines) + "\n"


def lab_line(depth, index, vpn, pte):
    return f"{' '.join(['..'] * depth)}{index}: pte 0x{pte:016x} pa 0x{pte >> 10 << 12:016x}"


def by_int_address(depth, index, vpn, pte):
    """As a vmprint that computes addresses in an int, which the lab's own example does."""
    va = vpn << 12 & 0xffffffff
    va |= 0xffffffff00000000 if va >> 31 else 0
    return re.sub(r"\.\.\d+:", f"..0x{va:016x}:", " " + lab_line(depth, index, vpn, pte))


def page_list(leaves, bits=64):
    """As the course's print_pgtbl prints the first and the last ten pages, since 2024; its printf
    kept 32 bits of a number at first."""
    lines = ["print_pgtbl starting"]
    for vpn in [*range(10), *range(TRAMPOLINE - 9, TRAMPOLINE + 1)]:
        ppn, flags = leaves.get(vpn, (0, 0))
        va = (vpn << 12) % (1 << bits)
        lines.append(f"va 0x{va:X} pte 0x{ppn << 10 | flags:X} pa 0x{ppn << 12:X} perm 0x{flags:X}")
    return "\n".join([*lines, "print_pgtbl: OK\n"])


def user_leaves():
    """A healthy process: program, guard page, stack, heap, trapframe, trampoline."""
    return {0: (0x87e00, TEXT), 1: (0x87e10, TEXT), 2: (0x87e11, DATA), 4: (0x87e20, DATA),
            5: (0x87e21, DATA), TRAPFRAME: (0x87e30, KERNEL_DATA),
            TRAMPOLINE: (0x80215, KERNEL_TEXT)}


def kernel_leaves():
    """A healthy kernel in xv6's manner: devices and RAM where they are, stacks at the top."""
    leaves = {vpn: (vpn, KERNEL_DATA) for vpn in (0x10000, 0x10001)}
    leaves |= {0x80000 + i: (0x80000 + i, KERNEL_TEXT if i < 8 else KERNEL_DATA)
               for i in range(1500)}
    leaves |= {TRAMPOLINE - 2 * i: (0x87000 + i, KERNEL_DATA) for i in range(1, 65)}
    return leaves | {TRAMPOLINE: (0x80007, KERNEL_TEXT)}


# ---- the page's code, for tests that look at its values: fixtures, which they import ----
# What a test can see of the page's objects, which have cycles.
HELPERS = """
const plain = e => ({level: e.level, index: e.index, vpn: e.vpn, ppn: e.ppn, flags: e.flags,
                     high: e.high, line: e.line});
const plainDump = d => ({...d, kids: 0, leaves: d.leaves.map(plain)});
const t = PT.translator("en");
"""


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    page = tmp_path_factory.mktemp("page") / "page.html"
    page.write_text(ptview().page_html(), encoding="utf-8")
    driver = start_browser()
    driver.get(page.as_uri())
    yield driver
    driver.quit()


@pytest.fixture
def js(driver):
    """js(code, arguments...) runs a function's body in the page."""
    return lambda code, *args: driver.execute_script(HELPERS + code, *args)


@pytest.fixture
def parse(js):
    return lambda text: js("return PT.parse(arguments[0]).map(plainDump)", text)


@pytest.fixture
def parse_one(parse):
    def one(text):
        dump, = parse(text)
        return dump
    return one


@pytest.fixture
def check(js):
    """{check: pages concerned} of a log's last dump."""
    return lambda text, ram=None: js("""
        const dumps = PT.parse(arguments[0]), findings = PT.check(dumps, dumps.at(-1),
                                                                  arguments[1]);
        return Object.fromEntries(findings.map(f => [f.key, f.entries.map(e => e.vpn)]));
    """, text, ram)


def leaves(dump):
    return [(e["level"], e["vpn"], e["ppn"], e["flags"]) for e in dump["leaves"]]


def expected(tree_leaves):
    return [(0, vpn, ppn, flags) for vpn, (ppn, flags) in sorted(tree_leaves.items())]


def problems(dump):
    return [p["key"] for p in dump["problems"]]


def with_(changes, base=user_leaves):
    """The text of a healthy table with some leaves changed."""
    return lambda: Tree({**base(), **changes}).text()
