"""ptview's parser and pictures, run in the browser that they are for."""
import os
import random
import re
import xml.etree.ElementTree as ElementTree

import pytest
from ptviewenv import (A, COMMAND, DATA, KERNEL_DATA, KERNEL_TEXT, LOGS, R, TEXT, TRAMPOLINE,
                       TRAPFRAME, Tree, U, V, W, X, by_int_address, driver, expected, js,
                       kernel_leaves, lab_line, leaves, log, needs_browser, page_list, parse,
                       parse_one, problems, ptview, user_leaves, with_)

pytestmark = needs_browser


# ---- numbers ----
def test_addresses(js):
    assert js("return [PT.vaText(0x3ffffff, 3), PT.vaText(0x4000000, 3), PT.vaShort(6, 3)]") == [
        "0x0000003ffffff000", "0xffffffc000000000", "0x6000"]
    assert js("return PT.readAddress('0xffffffc000001234', 3)") == {"vpn": 0x4000001,
                                                                    "offset": 0x234}
    assert js("return PT.readAddress('3f_ffff_e010', 3)") == {"vpn": TRAPFRAME, "offset": 0x10}
    for bad in ("", "0x", "xyz", "0x4000000000", "0x1ffffffffffffffff"):
        assert js("return PT.readAddress(arguments[0], 3)", bad) is None


def test_sizes(js):
    sizes = js("return ['128M', '2 GiB', '4K', '1K', 'x', ''].map(PT.readSize)")
    assert sizes == [32768, 524288, 1, None, None, None]
    assert js("return [1, 512, 640, 2 ** 26 - 9].map(PT.sizeText)") == [
        "4 KiB", "2 MiB", "2.5 MiB", "\u2248256 GiB"]


def test_an_entry_is_its_64_bits(js):
    rng = random.Random(1)
    for _ in range(50):
        pte = rng.getrandbits(64)
        assert int(js("return PT.pteText(PT.split(BigInt(arguments[0])))", hex(pte)), 16) == pte


# ---- formats ----
def without(text):
    return lambda *e: text(lab_line(*e))


def bars(line):
    return line.replace("..", "||")


def by_address(depth, index, vpn, pte):
    return f" {' '.join(['..'] * depth)}0x{vpn << 12:016x}: pte 0x{pte:016x} " \
           f"pa 0x{pte >> 10 << 12:016x}"


def verbose(depth, index, vpn, pte):
    letters = "".join(c if pte >> i & 1 else "-" for i, c in enumerate("VRWXUGAD"))
    end = (vpn << 12) + (1 << 12 + 9 * (3 - depth)) - 1
    return f"{lab_line(depth, index, vpn, pte)} {letters} va 0x{vpn << 12:016x}-0x{end:016x}"


FORMATS = {
    "lab": None,
    "leading blank": without(lambda line: " " + line),
    "no blanks": without(lambda line: line.replace(".. ", "..")),
    "blank before the index": without(lambda line: re.sub(r"\.\.(\d)", r".. \1", line)),
    "bars": without(bars),
    "no zeros": without(lambda line: re.sub("0x0+(?=.)", "0x", line)),
    "by address": by_address,
    "by address, in an int": by_int_address,
    "verbose": verbose,
    "0x twice": without(lambda line: line.replace("0x", "0x0x")),
    "flags of one's own": without(lambda line: line + " DAGUXWRV"),
    "rights in words": without(lambda line: line + " rwxu [R|W|X|U] va=0x0"),
    "equals signs": without(lambda line: re.sub("(pte|pa) ", r"\1=", line).replace(" pa", ", pa")),
    "a prefix": without(lambda line: "[  1.204] " + line),
    "carriage returns": without(lambda line: line + "\r"),
    "colours": without(lambda line: "\x1b[32m" + line + "\x1b[0m"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_formats(parse_one, name):
    dump = parse_one("$ vmprint\n" + Tree(user_leaves()).text(FORMATS[name]) + "$ ")
    assert leaves(dump) == expected(user_leaves())
    assert dump["root"] == 0x87f00 and dump["problems"] == []


def test_a_header_with_more_words(parse_one):
    text = Tree(user_leaves()).text().replace("page table", "sh: page table at").replace(
        "00\n..0: pte", "00 of pid 3 (sh)\n..0: pte", 1)
    dump = parse_one(text)
    assert (dump["root"], len(dump["leaves"])) == (0x87f00, 7)


def test_addresses_in_an_int(parse_one):
    """Of a kernel's table too. A high half, whose addresses need 39 bits, is not taken for one
    of these, and a table without a trampoline neither."""
    dump = parse_one(Tree(kernel_leaves()).text(by_int_address))
    assert leaves(dump) == expected(kernel_leaves()) and dump["problems"] == []
    high = {(1 << 26) + 5: (0x80005, KERNEL_DATA), (1 << 27) - 1: (0x80007, KERNEL_TEXT)}
    for tree in (user_leaves() | high, high):
        dump = parse_one(Tree(tree).text(lambda depth, index, vpn, pte: by_address(
            depth, index, vpn | (0xffffff8 << 24 if vpn >> 26 else 0), pte)))
        assert leaves(dump) == expected(tree) and dump["problems"] == []
    dump = parse_one(Tree({(1 << 27) - 1: (0x80007, KERNEL_DATA)}).text(by_int_address))
    assert [e["vpn"] for e in dump["leaves"]] == [(1 << 27) - 1]


def test_large_leaves_are_leaves_at_their_level(parse_one):
    dump = parse_one(Tree({(512, 1): (0x90000, DATA), (1 << 18, 2): (0xc0000, DATA)}).text())
    assert [(e["level"], e["vpn"]) for e in dump["leaves"]] == [(1, 512), (2, 1 << 18)]


@pytest.mark.parametrize("levels", [4, 5])
def test_more_levels(parse_one, js, levels):
    text = Tree({0: (0x87e00, TEXT), (1 << 9 * levels) - 1: (0x80215, KERNEL_TEXT)},
                levels=levels).text()
    dump = parse_one(text)
    assert dump["levels"] == levels and dump["leaves"][1]["vpn"] == (1 << 9 * levels) - 1
    assert js("return PT.vaText(2 ** (9 * arguments[0]) - 1, arguments[0])",
              levels) == "0xfffffffffffff000"


def test_runs_are_expanded(parse_one):
    text = Tree({}).text() + """\
..0: pte 0x0000000021f89001 pa 0x0000000087e24000 V------- va 0x0-0x3fffffff
.. ..0: pte 0x0000000021f85001 pa 0x0000000087e14000 V------- va 0x0-0x1fffff
.. .. ..6-130: pte 0x0000000021f850d7 pa 0x0000000087e14000 VRW-U-AD va 0x6000-0x82fff
.. ..8-9: pte 0x00000000240000d7 pa 0x0000000090000000 VRW-U-AD va 0x1000000-0x13fffff
"""
    dump = parse_one(text)
    assert dump["problems"] == []
    assert leaves(dump) == [(0, 6 + i, 0x87e14 + i, DATA) for i in range(125)] + [
        (1, 8 * 512, 0x90000, DATA), (1, 9 * 512, 0x90200, DATA)]


# ---- single pages ----
def negative(m):
    return f"0x{(1 << 64) - (1 << 32) + int(m[1], 16):X}"


SINGLE = {
    "2025": lambda leaves: page_list(leaves),
    "2024": lambda leaves: page_list(leaves, bits=32),
    "the hand-out": lambda leaves: re.sub(r"va 0x(\w{1,5}) ", r"va \1 ", page_list(leaves, 32)),
    "with a sign": lambda leaves: re.sub(r"(?<=va )0x(F\w{7})\b", negative, page_list(leaves, 32)),
    "small, filled up": lambda leaves: re.sub(r"0x(\w+)", lambda m: f"0x{m[1]:>016}".lower(),
                                              page_list(leaves)),
    "other marks": lambda leaves: re.sub(" (?=pte|pa|perm)", ", ", page_list(leaves)).replace(
        "pte ", "pte: ").replace("pa ", "pa: "),
    "no perm": lambda leaves: re.sub(" perm.*", "", page_list(leaves)),
    "own words": lambda leaves: page_list(leaves).replace("\n", " user rwx\n"),
}


@pytest.mark.parametrize("name", SINGLE)
def test_single_pages(parse, name):
    """Without a tree; what is printed as not valid is known to be so."""
    text = "$ pgtbltest\n" + SINGLE[name](user_leaves()) + "ugetpid_test starting\n"
    dump, second, tree = parse(text + text.replace("0xF", "...\nva 0xF", 1) +
                               Tree(user_leaves()).text())
    assert dump["flat"] and dump["problems"] == [] == second["problems"]
    assert leaves(dump) == leaves(second) == leaves(tree) == expected(user_leaves())
    assert dump["invalid"] == [3, 6, 7, 8, 9, *range(TRAMPOLINE - 9, TRAPFRAME)]
    assert not tree["flat"]


def test_single_pages_of_a_large_leaf(parse_one):
    """Pages that have one entry are one leaf; what is no address of the last GiB stays."""
    leaves_ = {i: (0x86000, DATA) for i in range(3, 8)} | {9: (0x86001, DATA)}
    dump = parse_one(page_list(leaves_).replace("va 0x9000", "va 0xBFFFF000"))
    assert leaves(dump) == [(1, 0, 0x86000, DATA), (0, 0xbffff, 0x86001, DATA)]


@pytest.mark.parametrize("change, key, arguments", [
    (("perm 0x57", "perm 0x47"), "wrongLetters", []),
    (("0x21F88", "0x21G88"), "badWord", ["0x21G88"]),
    (("pa 0x87E2", "pa 0x87E3"), "wrongFrame", []), (("va 0x4000", "va 0x4010"), "badEntry", []),
    (("va 0x0 pte", "va zero pte"), "badWord", ["zero"]),
    (("(?s)0x21F88.*", "0x21F"), "cutLine", []), (("(?s)pa 0x87E2.*", "pa 0x87E"), "cutLine", [])])
def test_a_single_page_that_makes_no_sense(parse_one, change, key, arguments):
    text = page_list({0: (0x87e10, TEXT), 4: (0x87e22, V | R | W | U | A)})
    changed = re.sub(*change, text, count=1)
    problem, = parse_one(changed)["problems"]
    assert changed != text and problem["key"] == key
    assert not arguments or problem["args"][0].startswith(arguments[0])


def test_titles_and_the_boot_line(parse):
    boot = "Trellis mirror: 3 harts, 64 MiB of RAM, 16 bits of ASID\n"
    first, user, kernel = parse(
        boot + Tree(user_leaves()).text() +
        Tree(user_leaves()).text(title="user view of process 7 (sh), share:") +
        Tree(user_leaves()).text(title="kernel view of process 12 (cat x), walk:"))
    assert (first["view"], first["pid"], first["design"], first["ram"]) == (
        None, None, "mirror", 16384)
    assert (user["view"], user["pid"], user["name"], user["design"]) == ("user", 7, "sh", "share")
    assert (kernel["view"], kernel["pid"], kernel["name"], kernel["design"]) == (
        "kernel", 12, "cat x", "walk")


@pytest.mark.parametrize("end", ["vmprint: process 7 has ended", "vmprint: no process 7",
                                 "Trellis share: 3 harts, 64 MiB of RAM, 16 bits of ASID"])
def test_a_title_without_a_dump_is_not_the_next_ones(parse_one, end):
    text = Tree(user_leaves()).text()
    assert parse_one(f"user view of process 7 (sh), share:\n{end}\n{text}")["view"] is None
    assert parse_one(f"user view of process 7 (sh), share:\n3 sh: noise\n{text}")["pid"] == 7


def test_a_dump_without_an_entry_is_said(parse):
    """The log ends there, or has a format that we do not know."""
    header = "page table 0x0000000087f6e000\n"
    other = "||idx: 0: pa: 0x0000000087f6a000, flags: ----\n"
    for rest in ("", "$ ls\n", other):
        assert [problems(d) for d in parse("ok\n" + header + rest)] == [["noEntries"]]
    both = parse(header + other + Tree(user_leaves()).text())
    assert [problems(d) for d in both] == [["noEntries"], []]


def test_other_output_in_between(parse):
    lines = Tree(user_leaves()).text().splitlines()
    noise = [".              1 1 1024", "..             1 1 1024", "$ ls ..", "", "...",
             "panic: no page table", "a 0: pte in prose", "usertrap(): pid=3 0x1 pa 0x2"]
    mixed = [line for i, entry in enumerate(lines) for line in (entry, noise[i % len(noise)])]
    one, two = parse("\n".join(noise + mixed + mixed))
    for dump in (one, two):
        assert leaves(dump) == expected(user_leaves()) and dump["problems"] == []


@pytest.mark.parametrize("name, pids", [("share", 7), ("walk", 7), ("unify", 5), ("lab", 1)])
def test_real_logs(parse, name, pids):
    dumps = parse(log(name))
    assert len(dumps) == pids
    for dump in dumps:
        assert dump["problems"] == []
        assert TRAMPOLINE in [leaf["vpn"] for leaf in dump["leaves"]]


def test_verbose_and_plain_are_the_same_table(parse):
    """The first process sleeps, and was printed both ways."""
    plain, verbose_one = parse(log("mirror"))[1:3]
    assert all((dump["view"], dump["pid"], dump["name"], dump["design"]) == (
        "user", 1, "init", "mirror") for dump in (plain, verbose_one))
    assert leaves(plain) == leaves(verbose_one)


def test_titles_of_other_designs(parse):
    walk = parse(log("walk"))[4]
    assert (walk["view"], walk["pid"], walk["design"]) == ("kernel", None, "walk")
    unify = parse(log("unify"))[3]
    assert (unify["view"], unify["name"], unify["design"]) == ("both", "vmprint", "unify")
    assert unify["leaves"][-1]["vpn"] >= 1 << 26


# ---- what cannot be read is said ----
def test_every_cut_line_is_said(parse):
    """A log may end anywhere: the line where it does is read whole, or is said to be cut."""
    text = Tree(user_leaves()).text().rstrip("\n")
    last = text.rindex("\n") + 1
    for at in range(last + 1, len(text)):
        assert parse(text[:at])[0]["problems"], text[last:at]
    assert parse(text)[0]["problems"] == parse(text[:last])[0]["problems"] == []


def test_a_cut_header_is_said(parse):
    header = Tree(user_leaves()).text().split("\n")[0]
    for at in range(len("page table"), len(header)):
        assert parse("ok\n" + header[:at])[0]["problems"], header[:at]


def test_what_lost_its_table_is_no_child_of_another(parse_one):
    lines = Tree(user_leaves()).text().splitlines()
    second = [i for i, line in enumerate(lines) if line.startswith(".. ..511")][0]
    lines[second] = ".. ..511: pte 0x00"
    dump = parse_one("\n".join(lines))
    assert problems(dump) == ["cutLine", "lostParent", "lostParent"]
    assert [e["vpn"] for e in dump["leaves"]] == [0, 1, 2, 4, 5]


@pytest.mark.parametrize("rest", ["pte 0x00", "pte 0x0000000000000000 pa 0x0000000000000000"])
def test_nor_of_the_table_before(parse_one, rest):
    """Two tables side by side; the line of the second is cut, or says that it is not valid."""
    text = Tree(user_leaves() | {512 + 9: (0x87e50, DATA)}).text()
    dump = parse_one(re.sub(r"(?m)^\.\. \.\.1: .*", ".. ..1: " + rest, text))
    assert problems(dump)[1:] == ["lostParent"]
    assert leaves(dump) == expected(user_leaves())


@pytest.mark.parametrize("change, key", [
    ((r"(?s)^.*?\n", ""), "lostRoot"),
    (("pa 0x0000000087e21000", "pa 0x0000000087e22000"), "wrongFrame"),
    (("pa 0x0000000087e21000", "pa 0x0000000087e2"), "cutLine"),
    ((r"\.\.5: pte", "..600: pte"), "badEntry"),
    ((r"\.\.5: pte", "..3: pte"), "outOfOrder"),
    ((r"21f884d7", "21g884d7"), "badWord"), ((r"pa 0x0+87e21", "pa 0x0000000087l21"), "badWord"),
    ((r"\.\.5: pte", "..S: pte"), "badWord"), ((r"5: pte 0x\w+", "5: pte %p"), "badWord"),
    ((r"(5: pte) 0x(\w+)", r"\1 0x\2, flags 0x1,"), "badWord"),
    ((r"\.\.5: pte 0x0", "..5: pte 0x12340"), "badEntry"),
    ((r"(?m)^\.\. (.*5: pte)", r".. .. .. .. .. \1"), "lostParent"),
    ((r"\.\.4: pte.*", ".. (gone meanwhile)"), "gone"),
    (("0000000021f884d7", "0000000021f884d6"), "notValid")])
def test_what_makes_no_sense_is_said(parse_one, change, key):
    text = Tree(user_leaves()).text()
    changed = re.sub(*change, text, count=1)
    assert changed != text and key in problems(parse_one(changed))


@pytest.mark.parametrize("form, change, key", [
    (verbose, ("VRW-U-AD", "VRW---AD"), "wrongLetters"),
    (verbose, ("va 0x0000000000005000", "va 0x0000000000006000"), "wrongAddress"),
    (by_address, (r"0x0000000000005000:", "0x0000000000205000:"), "wrongAddress")])
def test_what_is_printed_twice_has_to_agree(parse_one, form, change, key):
    text = Tree(user_leaves()).text(form)
    changed = re.sub(*change, text, count=1)
    assert changed != text and problems(parse_one(changed)) == [key]


def test_garbage_never_breaks_it(js):
    """Whatever the log says: dumps, findings and pictures, or none, but no exception."""
    rng = random.Random(4)
    lines = "".join([page_list(user_leaves()), *map(log, LOGS)]).splitlines()
    for _ in range(40):
        text = "\n".join(rng.choice(lines) for _ in range(60))
        broken = list(text)
        for _ in range(rng.randrange(80)):
            broken[rng.randrange(len(broken))] = rng.choice(".|:0159afx- \n\0\x1b[pte")
        js("""const dumps = PT.parse(arguments[0]);
              for (const dump of dumps) {
                  const findings = PT.check(dumps, dump, 32768);
                  PT.pictureSvg(dump, findings, t);
                  PT.compare(dumps[0], dump);
                  PT.mapSvg({dumps: [dumps[0], dump], mode: "gaps", view: {from: 0, to: 1},
                             width: 800, selected: null, changes: [], t});
              }""", "page table 0x87f00000\n" + "".join(broken))


# ---- pictures ----
def texts_of(svg):
    return [e.text for e in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


PICTURE = """const dumps = PT.parse(arguments[0]), dump = dumps.at(-1);
             return PT.pictureSvg(dump, PT.check(dumps, dump, null), PT.translator(arguments[1]))"""


@pytest.mark.parametrize("language, trapframe", [("en", "trapframe"), ("zh", "陷阱帧")])
def test_picture(js, language, trapframe):
    texts = texts_of(js(PICTURE, Tree(user_leaves()).text(title="user view of process 3 (a<b), "
                                                                "share:"), language))
    view = {"en": "user view of process 3 (a<b)", "zh": "用户视图：进程 3 (a<b)"}[language]
    assert any(text.startswith(view) for text in texts)
    for text in ("0x0\u20130x1fff", "R-XU", "RW-U", "0x87f00000", trapframe, "8 KiB", "0\u20131",
                 "0x3ffffff000\u20130x3fffffffff"):
        assert text in texts, texts
    assert "\u26a0" not in texts


def test_nothing_in_the_picture_overlaps(js):
    """Texts on one line, as wide as the browser draws them: the long addresses of the high
    half too."""
    for name in ("lab", "mirror", "walk"):
        overlaps = js("""const dumps = PT.parse(arguments[0]);
            return dumps.flatMap(dump => {
                const box = document.createElement("div");
                box.innerHTML = PT.pictureSvg(dump, PT.check(dumps, dump, null), t);
                document.body.append(box);
                const texts = [...box.querySelectorAll("text")].map(e => [e, e.getBBox()]);
                const svg = box.firstChild.viewBox.baseVal;
                const bad = texts.filter(([e, a], i) => a.x + a.width > svg.width ||
                    a.y + a.height > svg.height || texts.some(([f, b], j) => i < j &&
                    a.x < b.x + b.width && b.x < a.x + a.width &&
                    a.y + 3 < b.y + b.height && b.y + 3 < a.y + a.height));
                box.remove();
                return bad.map(([e]) => e.textContent);
            });""", log(name))
        assert overlaps == []


def test_picture_marks_mistakes(js):
    assert "\u26a0" in texts_of(js(PICTURE, with_({2: (0x87e11, DATA | X)})(), "en"))


def test_picture_of_much_memory_is_small(js):
    """64 tables full of the same pages are one row, not 64 boxes."""
    ram = {0x80000 + i: (0x80000 + i, KERNEL_DATA) for i in range(64 * 512)}
    texts = texts_of(js(PICTURE, Tree(ram).text(), "en"))
    assert "0\u201363" in texts and "0x80000000\u20130x87ffffff" in texts and len(texts) < 30


def test_picture_of_many_regions_says_what_it_leaves_out(js):
    many = {2 * i: (0x87000 + i, DATA) for i in range(200)}
    assert "and 141 more" in texts_of(js(PICTURE, Tree(many).text(), "en"))


@pytest.mark.parametrize("mode", ["gaps", "scale"])
def test_map_places(js, mode):
    """A page's place leads back to the page, and places ascend."""
    pages = sorted({**user_leaves(), **kernel_leaves()})
    got = js("""const layout = PT.mapLayout(PT.parse(arguments[0]), arguments[1]);
                return arguments[2].map(vpn => {
                    const u = PT.mapPlace(layout, vpn), next = PT.mapPlace(layout, vpn + 1);
                    return [u, PT.mapPage(layout, (u + Math.min(next, 1)) / 2)];
                });""", Tree({**user_leaves(), **kernel_leaves()}).text(), mode, pages)
    assert [vpn for _, vpn in got] == pages
    assert [u for u, _ in got] == sorted(u for u, _ in got)
    assert 0 <= got[0][0] and got[-1][0] < 1


def test_map_shows_the_small_beside_the_large(js):
    width = "(l => v => PT.mapPlace(l, v + 1) - PT.mapPlace(l, v))(PT.mapLayout(d, m))"
    code = f"""const d = PT.parse(arguments[0]), m = arguments[1], w = {width};
               return [w(0), w({TRAMPOLINE})]"""
    text = Tree(user_leaves()).text()
    assert min(js(code, text, "gaps")) > 0.02
    assert max(js(code, text, "scale")) < 1e-7


def test_zoom_stays_inside(js):
    assert js("return PT.mapZoom({from: 0, to: 1}, 0.5, 0.9)") == {"from": 0.45, "to": 0.95}
    assert js("return PT.mapZoom({from: 0.4, to: 0.9}, 4, 0.9)") == {"from": 0, "to": 1}
    tiny = js("let v = {from: 0, to: 1}; for (let i = 0; i < 99; i++) v = PT.mapZoom(v, .5, 1); "
              "return v")
    assert 0 < tiny["to"] - tiny["from"] < 1e-7 and tiny["to"] <= 1


# ---- texts ----
def test_both_languages_have_every_text(js):
    strings = js("return PT.strings")
    assert set(strings["en"]) == set(strings["zh"]) and len(strings["en"]) > 100
    for key, text in strings["en"].items():
        assert text.strip() and strings["zh"][key].strip(), key
        assert set(re.findall(r"\{\d\}", text)) == set(re.findall(r"\{\d\}", strings["zh"][key])), \
            key


def test_no_text_is_missing_and_none_is_left_over(js):
    module = ptview()
    sources = "".join(module.part(name + ".js") for name in module.SCRIPTS
                      if not name.startswith("strings")) + module.part("page.html")
    named = set(re.findall(r"""["']([a-z]+(?:\.\w+)*)["']""", sources))
    families = set(re.findall(r"""["']([a-z.]+\.)["'] \+""", sources)) | {"detail."}
    keys = set(js("return Object.keys(PT.strings.en)"))
    for key in keys:
        assert key in named or any(key.startswith(family) for family in families), key
    used = set(re.findall(r"""\b(?:t|say|complain)\((?:page, )?["']([\w.]+)["'][,)]""", sources))
    used |= set(re.findall(r'data-t(?:-title)?="([\w.]+)"', sources))
    assert used and used <= keys, used - keys
    checks = js("return PT.CHECKS")
    assert {f"{kind}.{c}" for kind in ("check", "define") for c in checks} == {
        key for key in keys if key.startswith(("check.", "define."))}
    said = set(re.findall(r'problem\([^;]*?"(\w+)"\)|\? "(\w+)" :|: "(\w+)"\);', module.part(
        "parse.js")))
    assert {"problem." + key for group in said for key in group if key} <= keys


def test_the_definitions_are_documented(js):
    """docs/ptview.md has every check under the name that the page gives it."""
    docs = os.path.join(os.path.dirname(COMMAND), "..", "docs", "ptview.md")
    with open(docs, encoding="utf-8") as f:
        text = " ".join(f.read().split())
    for key in js("return PT.CHECKS"):
        name = js("return PT.strings.en['check.' + arguments[0]]", key).split(" (")[0]
        assert f"**{name}**" in text, name
