"""ptview's checks and its comparison: each mistake is found, and nothing that is none."""
import pytest
from ptviewenv import (A, D, DATA, G, KERNEL_DATA, KERNEL_TEXT, LOGS, R, TEXT, TRAMPOLINE,
                       TRAPFRAME, Tree, U, USER_MAX, V, W, X, by_int_address, check, driver, js,
                       kernel_leaves, log, needs_browser, page_list, user_leaves, with_)

pytestmark = needs_browser


# ---- checks ----
@pytest.mark.parametrize("name", [n for n in LOGS if n != "lab"])
def test_no_false_alarm_on_trellis(js, name):
    found = js("""const dumps = PT.parse(arguments[0]);
                  return dumps.map(d => PT.check(dumps, d, d.ram).map(f => f.key));""", log(name))
    assert found and all(keys == [] for keys in found)


def test_no_false_alarm_on_healthy_tables(check):
    assert check(Tree(user_leaves()).text()) == {}
    assert check(Tree(kernel_leaves()).text(), 32768) == {}
    high = {(1 << 26) + 0x80000 + i: (0x80000 + i, KERNEL_TEXT) for i in range(4)}
    assert check(Tree(user_leaves() | high | {(1 << 26) + 0x10000: (0x10000, KERNEL_DATA)}).text(),
                 32768) == {}


def test_the_lab_of_its_time(check):
    """xv6 then: everything RWX, A and D left to the hardware, a guard page without U."""
    found = check(log("lab"))
    assert found == {"allWriteExecute": [0, 1, 2], "noDirty": [0, 1, 2, TRAPFRAME],
                     "noAccessed": [0, 1, 2, TRAPFRAME, TRAMPOLINE]}


def without_pages(*pages, base=user_leaves):
    return lambda: Tree({k: v for k, v in base().items() if k not in pages}).text()


def without_children():
    text = Tree(user_leaves() | {(3 << 9): (0x87e70, DATA)}).text()
    return "\n".join(line for line in text.split("\n") if "87e70" not in line)


def complained(text):
    """A line says one thing twice, and not the same: a complaint, and no entry is missing."""
    return lambda: text().replace("pa 0x0000000087e20000", "pa 0x0000000087e22000")


def kernel_with_user(change):
    """A table that the kernel runs on, with a process's pages, in the manner of the lab of 2020."""
    user = {vpn: (ppn, flags & ~U) for vpn, (ppn, flags) in user_leaves().items() if vpn < 9}
    return with_(user | change, kernel_leaves)


def filled(byte):
    """What a vmprint makes of a table that xv6 has filled: its pa has all bits of the entry."""
    pte = byte * 0x0101010101010101
    lines = [f"..{i}: pte 0x{pte:016x} pa 0x{pte >> 10 << 12:016x}" for i in range(512)]
    return lambda: "\n".join(["page table 0x0000000087f6e000", *lines])


def panicked(text):
    return lambda: text() + "panic: freewalk: leaf\n"


def trellis(text):
    return lambda: "Trellis share: 3 harts, 128 MiB of RAM, 16 bits of ASID\n" + text()


RAM_128M = 32768
MISTAKES = [
    ("writeExecute", with_({2: (0x87e11, DATA | X)}), [2]),
    ("writeOnly", with_({2: (0x87e11, V | W | U | A | D)}), [2]),
    ("misaligned", with_({(1024, 1): (0x87001, DATA)}), [1024]),
    ("misaligned", with_({(1 << 18, 2): (0x80200, DATA)}), [1 << 18]),
    ("notRam", with_({2: (0x10000, DATA)}), [2]),
    ("notRam", with_({2: (0x88000, DATA)}), [2]),
    ("notRam", with_({(1024, 1): (0x87ff0, DATA)}), [1024]),
    ("notRam", with_({0x10000: (0x10000, DATA)}), [0x10000]),
    ("trampolineUser", with_({TRAMPOLINE: (0x80215, TEXT)}), [TRAMPOLINE]),
    ("trampolineUser", with_({TRAPFRAME: (0x87e30, DATA)}), [TRAPFRAME]),
    ("allWriteExecute", lambda: Tree({0: (0x87e00, DATA | X)}).text(), [0]),
    ("noAccessed", with_({2: (0x87e11, DATA & ~A)}), [2]),
    ("noDirty", with_({2: (0x87e11, DATA & ~D)}), [2]),
    ("tableBits", lambda: Tree(user_leaves(), table_flags=V | U).text(),
     [0, 0, 255 << 18, (255 << 18) + (511 << 9)]),
    ("tableBits", lambda: Tree({0: (0x87e00, TEXT)}, table_flags=V | D).text(), [0, 0]),
    ("tableAtBottom", with_({2: (0x87e11, V)}), [2]),
    ("tableAtBottom", trellis(with_({2: (0x87e11, V | U)})), [2]),
    ("kept", trellis(with_({2: (0x87e11, V)})), [2]),
    ("tableNotRam", lambda: Tree(user_leaves(), root=0x87fff).text(),
     [0, 0, 255 << 18, (255 << 18) + (511 << 9)]),
    ("emptyTable", without_children, [1536]),
    ("twoPages", with_({5: (0x87e20, DATA)}), [4, 5]),
    ("twoPages", with_({(1024, 1): (0x87e00, DATA)}), None),
    ("kernelText", with_({TRAMPOLINE: (0x80215, KERNEL_TEXT | W | D)}), [TRAMPOLINE]),
    ("kernelText", with_({0x80003: (0x80003, KERNEL_TEXT | W | D)}, kernel_leaves), [0x80003]),
    ("kernelText", with_({9: (0x80003, DATA)}, kernel_leaves), [9]),
    ("kernelText", with_({9: (0x80007, DATA), (1 << 26) + 5: (0x80007, KERNEL_TEXT)}), [9]),
    ("userMapsTable", with_({5: (0x87f01, DATA)}), [5]),
    ("userMapsTable", with_({5: (0x87f00, DATA)}), [5]),
    ("noGuard", with_({3: (0x87e40, DATA)}), [0, 1, 2, 3, 4, 5]),
    ("noGuard", complained(with_({3: (0x87e40, DATA)})), [0, 1, 2, 3, 4, 5]),
    ("noGuard", lambda: page_list(user_leaves() | {3: (0x87e40, DATA)}), [0, 1, 2, 3, 4, 5]),
    ("emptyTable", complained(without_children), [1536]),
    ("noTrampoline", without_pages(TRAMPOLINE), [TRAMPOLINE]),
    ("noTrampoline", without_pages(TRAMPOLINE, base=kernel_leaves), [TRAMPOLINE]),
    ("noTrampoline", lambda: page_list({0: (0x87e00, TEXT)}, bits=32), [TRAMPOLINE]),
    ("keptUser", kernel_with_user({2: (0x87e11, DATA)}), [2]),
    ("freewalk", panicked(with_({TRAPFRAME - 1: (0x87e50, V | R | U)})), [TRAPFRAME - 1]),
    ("freewalk", panicked(lambda: Tree({8: (0x87e50, DATA), TRAMPOLINE: (0x80215, KERNEL_TEXT)})
                          .text()), [8]),
    ("freewalk", panicked(with_({6: (0x87e50, DATA)})), [4, 5, 6]),
    ("fill", filled(1), [i << 18 for i in range(512)]),
    ("fill", filled(5), [i << 18 for i in range(512)]),
    ("fill", lambda: page_list(user_leaves() | {9: (0x4040, 0x101)}), [9]),
    ("noStackGuard", with_({TRAMPOLINE - 3: (0x86000, KERNEL_DATA)}, kernel_leaves),
     [TRAMPOLINE - 4, TRAMPOLINE - 3, TRAMPOLINE - 2]),
    ("wrapped", lambda: Tree(user_leaves()).text(by_int_address), [255 << 18]),
    ("reserved", lambda: Tree(user_leaves()).text().replace("pte 0x00", "pte 0x01", 1), [0]),
    ("reserved", with_({2: (0x87e11 | 1 << 44, DATA)}), [2]),
    ("reserved", lambda: Tree(user_leaves()).text().replace("pte 0x00", "pte 0x80", 1), [0]),
]


@pytest.mark.parametrize("key, text, pages", MISTAKES,
                         ids=[f"{i}-{m[0]}" for i, m in enumerate(MISTAKES)])
def test_mistakes_are_found(check, key, text, pages):
    found = check(text(), RAM_128M)
    assert key in found
    if pages is not None:
        assert found[key] == pages


@pytest.mark.parametrize("key, text", [
    ("notRam", with_({(1024, 1): (0x87e00, DATA)})),           # ends where RAM ends
    ("noDirty", with_({2: (0x87e11, DATA & ~(W | D))})),       # copied on write
    ("tableBits", lambda: Tree(user_leaves(), table_flags=V | G).text()),
    ("tableAtBottom", trellis(with_({2: (0x87e11, V)}))),      # kept
    ("kept", with_({2: (0x87e11, V)})), ("kept", trellis(without_children)),
    ("noGuard", with_({3: (0x87e40, DATA & ~U)})),             # xv6's kind of guard
    ("noGuard", lambda: Tree({0: (0x87e00, DATA)}).text()),    # xv6's first process
    ("noGuard", without_pages(0, 1, 2)),                       # a stack below the program
    ("noGuard", lambda: page_list({i: (0x87e00 + i, DATA) for i in range(10)})),  # and beyond?
    ("noTrampoline", lambda: page_list(user_leaves()).split("va 0x3")[0]),
    ("keptUser", kernel_with_user({})), ("writeExecute", kernel_with_user(
        {vpn: (0x87e00 + vpn, DATA & ~U | X) for vpn in range(6)})),
    ("keptUser", trellis(kernel_with_user({2: (0x87e11, DATA)}))),
    ("freewalk", with_({TRAPFRAME - 1: (0x87e50, V | R | U)})),
    *[(key, filled(byte)) for byte in (1, 5) for key in (
        "tableNotRam", "reserved", "writeOnly", "notRam", "twoPages", "emptyTable")],
    ("noStackGuard", with_({TRAMPOLINE - 2 - i: (0x86000 + i, KERNEL_DATA) for i in (2, 3)})),
    ("twoPages", with_({0x100: (0x80000 + 1499, KERNEL_DATA)}, kernel_leaves)),
    ("reserved", with_({2: (0x87e11 | 3 << 51, DATA)}))])      # a memory type, on a leaf
def test_what_is_no_mistake(check, key, text):
    assert key not in check(text(), RAM_128M)


def test_nobody_knows_where_ram_ends(check):
    text = with_({2: (0x2000000, DATA)})()
    assert "notRam" not in check(text) and "notRam" in check(text, RAM_128M)


def test_every_check_has_a_mistake(js):
    assert {m[0] for m in MISTAKES} | {"views"} == set(js("return PT.CHECKS"))


# ---- the two views of a process ----
def kernel_view(design):
    """The healthy kernel's view of user_leaves(); its stack, and the trampoline."""
    own = {TRAMPOLINE - 5: (0x86000, KERNEL_DATA), TRAMPOLINE - 4: (0x86001, KERNEL_DATA),
           TRAMPOLINE: (0x80215, KERNEL_TEXT)}
    user = {vpn: leaf for vpn, leaf in user_leaves().items() if vpn < TRAPFRAME}
    if design == "walk":
        return own
    if design == "mirror":
        user = {vpn: (ppn, flags & ~(U | X)) for vpn, (ppn, flags) in user.items()}
    return user | own


def views(design, user, kernel):
    """As two views are printed under this design; what it is called must not matter."""
    tree = Tree(kernel, root=0x87f00 if design == "unify" else 0x87d00)
    if design == "share":
        users = Tree({vpn: leaf for vpn, leaf in kernel.items() if vpn < USER_MAX})
        tree.kids |= users.kids
    whose = "all processes" if design == "walk" else "process 7 (sh)"
    return Tree(user).text(title="user view of process 7 (sh), fifth:") + \
        tree.text(title=f"kernel view of {whose}, fifth:")


@pytest.mark.parametrize("design", ["mirror", "share", "walk", "unify"])
def test_views_that_agree(check, design):
    assert check(views(design, user_leaves(), kernel_view(design))) == {}


@pytest.mark.parametrize("design", ["mirror", "share", "walk"])
def test_a_page_too_many_in_the_kernels_view(check, design):
    kernel = kernel_view(design) | {9: (0x87e50, KERNEL_DATA)}
    assert check(views(design, user_leaves(), kernel))["views"] == [9]


@pytest.mark.parametrize("design, change", [
    ("mirror", {2: (0x87e60, KERNEL_DATA)}), ("mirror", {2: (0x87e11, DATA)}),
    ("mirror", {2: (0x87e11, V | R | A)}), ("mirror", {2: (0x87e11, KERNEL_DATA | X)}),
    ("share", {2: (0x87e11, KERNEL_DATA)}), ("share", {2: (0x87e60, DATA)})])
def test_a_page_that_differs(check, design, change):
    assert check(views(design, user_leaves(), kernel_view(design) | change))["views"] == [2]


@pytest.mark.parametrize("design", ["mirror", "share"])
def test_a_page_that_the_kernel_lacks(check, design):
    kernel = {vpn: leaf for vpn, leaf in kernel_view(design).items() if vpn != 4}
    assert check(views(design, user_leaves(), kernel))["views"] == [4]


def test_the_guard_page_is_not_the_kernels_either(check):
    """A guard page that only lost U is no page of the user's: the mirror must not have it."""
    guard = {3: (0x87e40, KERNEL_DATA)}
    healthy = views("mirror", user_leaves() | guard, kernel_view("mirror"))
    assert "views" not in check(healthy)
    broken = views("mirror", user_leaves() | guard, kernel_view("mirror") | guard)
    assert check(broken)["views"] == [3]


def test_a_copy_that_kept_user(check):
    """Where the user's tables are shared it must; in copies it is the mistake, be it in all."""
    user = {vpn: leaf for vpn, leaf in user_leaves().items() if vpn < USER_MAX}
    assert check(views("mirror", user_leaves(), kernel_view("mirror") | user))["keptUser"] == \
        sorted(user)
    for design in ("share", "unify"):
        assert "keptUser" not in check(views(design, user_leaves(), kernel_view(design)))


def test_views_of_other_processes_are_not_compared(check):
    text = views("share", user_leaves(), kernel_view("share") | {9: (0x87e50, DATA)})
    other = text.replace("kernel view of process 7", "kernel view of process 8")
    assert "views" in check(text) and "views" not in check(other)


# ---- comparison ----
def test_compare(js):
    before = user_leaves() | {8: (0x87e60, DATA), 9: (0x87e61, DATA)}
    after = user_leaves() | {2: (0x87e11, DATA & ~(W | D)), 5: (0x87e70, DATA),
                             16: (0x87e71, DATA), 17: (0x87e72, DATA), 18: (0x87e73, TEXT)}
    ranges = js("""return PT.compare(...PT.parse(arguments[0])).map(r =>
                   [r.kind, r.vpn, r.pages, r.was, r.is, r.moved])""",
                Tree(before).text() + Tree(after).text())
    assert ranges == [
        ["changed", 2, 1, "VRW-U-AD", "VR--U-A-", False],
        ["changed", 5, 1, "VRW-U-AD", "VRW-U-AD", True],
        ["went", 8, 2, "VRW-U-AD", None, False],
        ["came", 16, 2, None, "VRW-U-AD", False],
        ["came", 18, 1, None, "VR-XU-A-", False]]


def test_a_split_superpage_went_and_came(js):
    before, after = {(512, 1): (0x90000, DATA)}, {512 + i: (0x90000 + i, DATA) for i in range(512)}
    ranges = js("return PT.compare(...PT.parse(arguments[0])).map(r => [r.kind, r.vpn, r.pages])",
                Tree(before).text() + Tree(after).text())
    assert ranges == [["went", 512, 512], ["came", 512, 512]]
