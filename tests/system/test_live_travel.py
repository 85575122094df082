"""To and fro in the page of make live, and what it shows of page tables, TLBs and memory."""
import re

import pytest
from livepage import driver, inside, needs_live, page

pytestmark = [needs_live, pytest.mark.hand]

SHOWN = r"""
    const text = id => document.getElementById(id).textContent;
    const seen = LIVE.page.seen;
    return {registers: text("registers"), place: text("place"), tables: text("tables"),
            fresh: text("fresh"), findings: text("findings"), console: LIVE.page.terminal.text,
            status: text("status").replace(/ \u00b7 in the past.*/, ""),
            kept: seen.kept.map(k => [k.hart, k.va, k.value, k.memory, k.when].join()).join(" "),
            roots: seen.roots.map(r => [r.pa, r.asid, r.switches].join()).join(" ")};"""


class Traveller:
    """The paused page, and where it is."""

    def __init__(self, page):
        self.page = page

    @property
    def at(self):
        return self.page.last["instructions"]

    def look(self):
        """All that is shown."""
        self.page.wait(lambda: self.page.js("return LIVE.page.seen?.at") == self.at, "the view")
        return self.page.js(SHOWN)

    def move(self, button, kind=None):
        """Goes on or back; whether there was anything to go to."""
        if kind:
            self.page.pick("#kind", kind)
        before = self.page.js("return LIVE.page.moves")
        self.page.one(button).click()
        self.page.wait(lambda: self.page.js("return LIVE.page.moves") > before, "the move")
        return self.page.js("return LIVE.page.moved") is None

    def to(self, at):
        self.page.js("LIVE.page.worker.postMessage({move: 'to', at: arguments[0]})", at)
        self.page.wait(lambda: self.at == at, at)

    def forward(self, kind=None):
        return self.move("#step", kind)

    def back(self, kind=None):
        return self.move("#step-back", kind)


def booted_and_typed(page, harts):
    page.open({"settings": {"harts": str(harts), "seed": "3"}})
    page.prompt()
    page.pause()
    guest = Traveller(page)
    guest.prompted = guest.at
    page.one("#run").click()
    page.one("#screen").click()
    page.keys("ls\n")
    page.says("\ntests\n$ ")
    page.pause()
    return guest


def test_back_shows_what_was(page):
    """Step by step to somewhere, and all the way back: everything is as it was shown."""
    guest = booted_and_typed(page, 3)
    shown = [(guest.at, guest.look())]  # all harts wait there
    for kind in ("table", "table", "trap", "satp", "call"):
        assert guest.back(kind)
        shown.append((guest.at, guest.look()))
    assert len({at for at, _ in shown}) == 6
    for kind in ("step", "call", "call", "trap", "table", "satp"):
        assert guest.forward(kind)
        shown.append((guest.at, guest.look()))
    for at, look in reversed(shown):
        guest.to(at)
        assert guest.look() == look


def test_each_step_and_its_way_back(page):
    guest = booted_and_typed(page, 1)
    for _ in range(3):
        guest.back("table")
    for kind in ("call", "trap", "table"):
        at, look = guest.at, guest.look()
        assert guest.forward(kind)
        there = guest.at
        assert there > at
        assert guest.back(kind)
        guest.forward(kind)
        assert guest.at == there
        guest.to(at)
        assert guest.look() == look
    steps_go_where_they_say(guest)


def steps_go_where_they_say(guest):
    page = guest.page
    assert guest.back("trap") and guest.back("trap")
    guest.look()
    assert page.text("#place").startswith("S: ")
    value = page.js("return String(LIVE.page.seen.registers.scause)")
    assert int(value) & 63 in (1, 5, 8, 9, 12, 13, 15)
    assert guest.back("table")
    guest.look()
    assert re.search(r"\((pt|set|clear|repl|fill|show|drop|copy|mem)\w*\)", page.text("#place"))
    at = guest.at
    page.one("#screen").click()
    page.keys("F10")
    page.wait(lambda: guest.at == at + 1, "F10")
    page.mouse.key_down("\ue008").send_keys("\ue03a").key_up("\ue008").perform()  # Shift-F10
    page.wait(lambda: guest.at == at, "Shift-F10")


def test_the_time_line_and_another_history(page):
    """Typed in the past, a key makes what follows another; Run repeats what was otherwise."""
    guest = booted_and_typed(page, 1)
    end, console = guest.at, page.console
    the_time_line(guest)
    guest.to(0)
    assert page.console == "" and "in the past" in page.text("#status")
    page.one("#run").click()
    page.wait(lambda: page.console == console and guest.at >= end, "the same again")
    page.one("#run").click()
    page.wait(lambda: not page.last["running"], "the pause")
    guest.to(guest.prompted)
    page.one("#screen").click()
    page.keys("echo other\n")
    page.wait(lambda: not page.last["past"], "another history")
    page.one("#run").click()
    page.says("\nother\n$ ")
    assert "tests" not in page.console and not page.last["past"]


def the_time_line(guest):
    """The lowest lane has the changes of tables; the last of them are at the right."""
    page, at, canvas = guest.page, guest.at, guest.page.one("#timeline")
    page.mouse.move_to_element_with_offset(
        canvas, canvas.size["width"] // 2 - 3, canvas.size["height"] // 2 - 6).click().perform()
    page.wait(lambda: guest.at < at and page.last["event"] is not None, "the event")
    page.one("#tab-events").click()
    page.wait(lambda: page.all("#events-table tr.table button"), "the list")
    row = page.one("#events-table tr.table")
    when = int(row.find_element("css selector", "button").text.replace(",", ""))
    row.find_element("css selector", "button").click()
    page.wait(lambda: guest.at == when, "the event of the list")
    page.one("#to-end").click()
    page.wait(lambda: guest.at == at and not page.last["past"], "the end")


# ---- what is shown ----
def test_page_tables(page):
    guest = booted_and_typed(page, 2)
    roots_are_of_processes_that_live(guest)
    roots_have_names(page)
    assert guest.back("table")
    an_entry_says_who_wrote_it(guest)
    page.one("#tables [data-entry]").click()
    page.wait(lambda: page.text("#entry").startswith("Entry at 0x8"), "the entry of a row")
    guest.back("satp")
    guest.look()
    page.one("#both").click()
    page.wait(lambda: len(page.all("#tables svg")) == 2, "two pictures")
    roots = page.js("return [...document.getElementById('root').options].map(o => o.value)")
    page.one("#both").click()
    page.pick("#root", roots[-1])
    page.wait(lambda: f"root {int(roots[-1]):#x}" in page.text("#tables-about"), "the root")
    what_harts_keep(page)
    the_map_of_memory(page)


def roots_are_of_processes_that_live(guest):
    """Nothing is left of those of ls."""
    after = guest.look()["roots"]
    end = guest.at
    guest.to(guest.prompted)
    assert [root.split(",")[0] for root in guest.look()["roots"].split()] == \
        [root.split(",")[0] for root in after.split()]
    guest.to(end)


def roots_have_names(page):
    """Of both processes that live, each view; not the kernel's own."""
    names = page.js("return [...document.getElementById('root').options].map(o => o.text)")[1:]
    found = [re.match(r"process (\d) \((\w+)\): root 0x", name) for name in names]
    assert {m.groups() for m in found if m} == {("1", "init"), ("2", "sh")}
    assert sum(bool(m) for m in found) == 4 and not all(found)


def an_entry_says_who_wrote_it(guest):
    page = guest.page
    page.wait(lambda: page.all("#tables svg rect.came") and page.all("#fresh tr"), "the mark")
    event = page.js("const e = LIVE.page.seen.fresh[0];"
                    "return [String(e.value[0]), e.place, e.when]")
    assert event[2] == guest.at and re.match(r"\w+\.[chS]:\d+ \(\w+\)", event[1])
    page.js("LIVE.page.worker.postMessage({entry: BigInt(arguments[0])})", event[0])
    page.wait(lambda: "Written at " + event[1] in page.text("#entry"), "who wrote it")


def what_harts_keep(page):
    page.one("#tab-kept").click()
    page.wait(lambda: len(page.all("#kept-table tbody tr")) > 50, "the entries")
    harts = page.js("return [...document.querySelectorAll('#kept-table tbody tr')]"
                    ".map(row => row.cells[0].textContent)")
    assert set(harts) == {"0", "1"}
    told = page.js("return LIVE.page.seen.kept.filter(k => k.value !== k.memory).length")
    assert f"by now: {told};" in page.text("#kept-about") and told > 0


def the_map_of_memory(page):
    page.one("#tab-frames").click()
    page.wait(lambda: len(page.all("#frames-legend tr")) > 5, "the legend")
    legend = page.text("#frames-legend")
    assert "page table" in legend and "the kernel's image" in legend and "page_new" in legend
    page.js("LIVE.page.worker.postMessage({frame: 0x80200000n})")
    page.wait(lambda: page.text("#frame") == "Page 0x80200000: the kernel's image", "the frame")
    taken = page.js("const {is, whose} = LIVE.page.seen.frames;"
                    "return is.findIndex((x, i) => x === 'taken' && whose[i] === 'page_new')")
    page.js("LIVE.page.worker.postMessage({frame: 0x80000000n + 4096n * BigInt(arguments[0])})",
            taken)
    who = r": taken; \w+\.[ch]:\d+ \(page_new\), hart \d, after [\d,]+ instructions"
    page.wait(lambda: re.search(who, page.text("#frame")), "who has it")
