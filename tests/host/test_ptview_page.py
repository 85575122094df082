"""ptview's page as a person uses it: files, mouse and keyboard in a real headless Chromium."""
import re
import time

import pytest
from ptviewenv import (DATA, KERNEL_DATA, TRAPFRAME, Tree, V, X, kernel_leaves, lab_line, log,
                       needs_browser, ptview, user_leaves)
from ptviewpage import TWO, driver, drop, loaded, page

pytestmark = needs_browser


# ---- load ----
def test_empty_page(page):
    assert "Drop a console log" in page.text("#empty") and not page.one("#main").is_displayed()


def test_log_inside(loaded):
    assert loaded.text("#status") == f"two.log: {len(TWO.splitlines())} lines, 2 dumps"
    assert loaded.text("#dumps [aria-current=true]").startswith("2. page table 0x87d00000")
    assert not loaded.one("#empty").is_displayed()


def test_log_inside_and_a_dump_chosen(page):
    page.open({"logs": [{"text": TWO, "name": "two.log"}], "dump": 1})
    assert page.text("#dumps [aria-current=true]").startswith("1. page table 0x87f00000")


def test_log_inside_and_two_compared(page):
    page.open({"logs": [{"text": TWO, "name": "two.log"}], "dump": 2, "other": 1})
    assert page.one("#other").get_attribute("value") == "1" and page.all("#comparison .came")


@pytest.mark.parametrize("asked", [{"dump": 9}, {"dump": 2, "other": 9}, {"dump": 9, "other": 2}])
def test_a_dump_that_is_not_inside(page, asked):
    page.open({"logs": [{"text": TWO, "name": "two.log"}], **asked})
    assert page.text("#status") == "Dump 9 was asked for, and the number of dumps is 2"
    assert page.text("#dumps [aria-current=true]").startswith("2.") and not page.all(".came")


def test_open_a_file(page):
    path = page.folder / "my.log"
    path.write_text(TWO)
    page.one("#file").send_keys(str(path))
    page.wait(lambda: "2 dumps" in page.text("#status"), "the log")


def test_drop_a_file(page):
    drop(page, TWO, "dropped.log")
    page.wait(lambda: "dropped.log" in page.text("#status"), "the log")
    assert not page.one("#drop-here").is_displayed()


def test_drop_text(page):
    drop(page, TWO)
    page.wait(lambda: "pasted text" in page.text("#status"), "the log")


def test_paste(page):
    page.js("arguments[0].value = arguments[1]", page.one("#text"), TWO)
    page.one("#show").click()
    assert "pasted text" in page.text("#status")
    page.one("#paste").click()
    assert page.one("#text").is_displayed()
    page.one("#cancel").click()
    assert page.one("#tree").is_displayed()


def test_paste_anywhere(page):
    """A paste that is for no field is a log; one into a field is not."""
    paste = """
        const clipboardData = new DataTransfer(), [target, text] = arguments;
        clipboardData.setData("text/plain", text);
        document.querySelector(target).dispatchEvent(
            new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));"""
    page.js(paste, "#text", TWO)
    assert page.text("#status") == ""
    page.js(paste, "header", TWO)
    assert "pasted text" in page.text("#status")


def test_nothing_to_save_or_to_go_back_to(page):
    assert not page.one("#save-tree").is_enabled() and not page.one("#save-map").is_enabled()
    assert not page.one("#cancel").is_displayed()
    drop(page, "\n")
    page.wait(lambda: "no page table (lines: 0)" in page.text("#status"), "the sentence")
    drop(page, TWO)
    page.wait(lambda: page.one("#save-tree").is_enabled(), "the log")
    assert page.one("#save-map").is_enabled()


def test_nothing_in_the_log(loaded):
    """A log without a dump is said, and what was shown stays."""
    drop(loaded, "hello\n")
    loaded.wait(lambda: "no page table" in loaded.text("#status"), "the sentence")
    assert len(loaded.all("#dumps li")) == 2


def test_markup_in_a_log_is_text(page):
    evil = "user view of process 1 (<img src=x onerror=document.title=1></script><b>), share:\n"
    page.open({"logs": [{"text": evil + TWO, "name": "</script><b>x"}]})
    assert "<img src=x" in page.text("#dumps") and "</script><b>x" in page.text("#status")
    assert page.driver.title == "ptview" and not page.all("#dumps img")


def test_no_network(loaded):
    """The page loads nothing, and may not: its own policy forbids it."""
    assert loaded.js("return performance.getEntriesByType('resource').length") == 0
    html = ptview().page_html()
    assert set(re.findall(r"https?://[^\"'`]*", html)) == {"http://www.w3.org/2000/svg"}
    blocked = loaded.driver.execute_async_script(
        "fetch('http://127.0.0.1:9/').then(() => arguments[0](false), () => arguments[0](true))")
    assert blocked
    messages = [e["message"] for e in loaded.driver.get_log("browser")]
    assert any("Content Security Policy" in message for message in messages)


# ---- keyboard ----
def test_tree_by_keyboard(loaded):
    loaded.js("document.querySelector('#tree [tabindex=\"0\"]').focus()")
    assert loaded.focused.startswith("\u25be 0 table 0x0")
    loaded.keys("ARROW_DOWN", "ARROW_DOWN", "ARROW_DOWN")
    assert loaded.focused.startswith("1 R-XU 0x1000")
    loaded.keys("ENTER")
    assert loaded.text("#address") == "0x0000000000001000"
    loaded.keys("ARROW_LEFT")
    assert loaded.focused.startswith("\u25be 0 table")
    shown = len(loaded.all("#tree [role=treeitem]"))
    loaded.keys("ARROW_LEFT")
    assert loaded.focused.startswith("\u25b8 0 table")
    assert len(loaded.all("#tree [role=treeitem]")) == shown - 6
    loaded.keys("ARROW_RIGHT", "END")
    assert "R-X-" in loaded.focused and "0x3ffffff000" in loaded.focused
    loaded.keys("HOME")
    assert loaded.focused.startswith("\u25be 0 table 0x0")


def test_everything_by_keyboard(loaded):
    """Tab reaches every control, the tree and the map, once round."""
    seen = set()
    for _ in range(60):
        loaded.keys("TAB")
        seen.add(loaded.js("const e = document.activeElement; "
                           "return e.id || e.getAttribute('role') || e.className"))
    assert {"open", "paste", "ram", "save-tree", "save-map", "language", "help", "mode", "zoom-in",
            "zoom-to", "goto", "map", "pick", "other", "treeitem"} - {"zoom-to"} <= seen


def test_map_by_keyboard(loaded):
    loaded.js("document.getElementById('map').focus()")
    loaded.keys("+", "+", "ARROW_RIGHT")
    assert abs(loaded.view["from"] - (0.375 + 0.025)) < 1e-9
    loaded.keys("ENTER")
    assert loaded.all("#address")


def test_dumps_by_keyboard(loaded):
    loaded.keys("[")
    assert loaded.text("#dumps [aria-current=true]").startswith("1.")
    loaded.keys("[", "]")
    assert loaded.text("#dumps [aria-current=true]").startswith("2.")


def test_the_chosen_dump_keeps_the_focus(loaded):
    loaded.js("document.querySelector('#dumps button').focus()")
    loaded.keys("ENTER")
    assert loaded.text("#dumps [aria-current=true]").startswith("1.")
    assert loaded.js("return document.activeElement.getAttribute('aria-current')") == "true"


def test_help(loaded):
    loaded.keys("?")
    text = loaded.text("#help-box")
    assert "Two pages on one frame" in text and "no multiple of its size" in text
    loaded.keys("ESCAPE")
    assert not loaded.one("#help-box").is_displayed()


def test_keys_in_a_field_are_text(loaded):
    loaded.one("#goto").send_keys("[?+0")
    assert loaded.one("#goto").get_attribute("value") == "[?+0"
    assert not loaded.one("#help-box").is_displayed() and loaded.view == {"from": 0, "to": 1}


# ---- much to show, little room ----
def in_sight(page, selector, inside="html"):
    """Whether a person sees the element, where what is around it is scrolled to."""
    return page.js("""
        const [item, box] = [...arguments].map(
            selector => document.querySelector(selector).getBoundingClientRect());
        return item.top >= Math.max(box.top, 0) - 1 &&
               item.bottom <= Math.min(box.bottom, innerHeight) + 1;""", selector, inside)


def test_many_dumps(page):
    """The one shown is in sight in the list, and below the list what is found in it."""
    page.open({"logs": [{"text": TWO * 30, "name": "many"}]})
    for key in ("", "[", "[", "]", "]"):
        page.keys(*key)
        assert in_sight(page, "#dumps [aria-current=true]", "#dumps")
    for selector in ("#other", "#findings-title", "#findings li"):
        assert in_sight(page, selector)
    below = page.js("const of = id => document.getElementById(id).getBoundingClientRect().bottom;"
                    "return of('side') - of('dumps')")
    assert below < 265  # so much for the rest, however high the window is
    page.js("PT.page.compareWith(PT.page.dumps[0])")  # which makes the map higher
    assert in_sight(page, "#dumps [aria-current=true]", "#dumps")


@pytest.mark.parametrize("width, height, font", [(390, 844, 13), (3840, 2160, 20)])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_other_windows(page, language, width, height, font):
    """Nothing sticks out at the side or is cut off there, and print is not tiny in a large one."""
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        page.open({"logs": [{"text": log("share"), "name": "share"}], "language": language})
        page.js("PT.page.compareWith(PT.page.dumps[1]); PT.page.select(0x3fffffe);"
                "PT.revealInTree(PT.page)")
        wide = page.js("""
            const right = e => e.getBoundingClientRect().right;
            return [...document.querySelectorAll("html, section, #map text, #detail td, .row > *")]
                .filter(e => e.scrollWidth > e.clientWidth && /^(HTML|SECTION)$/.test(e.tagName) ||
                             right(e) > innerWidth).map(e => e.id || e.textContent);""")
        assert wide == []
        assert page.js("""
            const text = document.querySelector("#map text");
            return [parseFloat(getComputedStyle(document.body).fontSize),
                    text.getScreenCTM().a * 13];""") == pytest.approx([font, font], rel=0.03)
        page.click_map(TRAPFRAME)
        assert page.text("#address") == "0x0000003fffffe000"
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


# ---- tree ----
def test_neighbours_alike_are_one_line(page):
    page.open({"logs": [{"text": Tree(kernel_leaves()).text(), "name": "kernel"}]})
    run, = [li for li in page.all("#tree [role=treeitem]") if "512 leaves" in li.text and
            "0x80200000" in li.text and "table" not in li.text]
    from selenium.webdriver.common.by import By
    run.find_element(By.CSS_SELECTOR, ".fold").click()
    assert len(run.find_elements(By.CSS_SELECTOR, "[role=treeitem]")) == 512


def test_much_memory_is_quick(page):
    """64 thousand pages, as a kernel maps 256 MiB: shown within seconds."""
    ram = {0x80000 + i: (0x80000 + i, KERNEL_DATA | X) for i in range(1 << 16)}
    start = time.monotonic()
    page.open({"logs": [{"text": Tree(ram).text(), "name": "large"}]})
    assert "65536 leaves" in page.text("#dumps")
    page.click_map(0x88000)  # or near it: a page is less than a pixel
    assert page.text("#address") == page.text("#physical")
    assert time.monotonic() - start < 20


# ---- findings, comparison ----
def test_findings(loaded):
    finding = loaded.one("#findings [data-check=writeExecute]")
    assert "Writable and executable" in finding.text and "\u26a0" in loaded.text("#tree")
    from selenium.webdriver.common.by import By
    finding.find_element(By.CSS_SELECTOR, "button").click()
    assert loaded.text("#address") == "0x0000000000002000"
    loaded.keys("[")
    assert loaded.text("#findings-title") == "None of the known mistakes."


def verbose_line(depth, index, vpn, pte):
    """As vmprint -v prints a page that is kept."""
    line, va = lab_line(depth, index, vpn, pte), vpn << 12
    if vpn != 2:
        return line
    return f"{line} V------- va 0x{va:016x}-0x{va + 4095:016x} kept: may not be touched"


def test_a_page_that_is_kept(page):
    """It is said in words, and not that the table is broken."""
    text = Tree(user_leaves() | {2: (0x87e11, V)}).text(
        verbose_line, "user view of process 7 (sh), share:")
    assert "V-------" in text
    page.open({"logs": [{"text": text, "name": "kept"}]})
    assert "kept" in page.text("#tree") and page.js("return PT.page.dump.problems.length") == 0
    assert "Kept: may not be touched" in page.one("#findings [data-check=kept]").text
    assert not page.all("#findings [data-check=tableAtBottom]")
    page.js("PT.page.select(2)")
    assert "page at 0x87e11000, kept: may not be touched" in page.text("#detail")
    assert "every access faults" in page.text("#detail")
    page.js("PT.page.select(0)")
    assert "kept" not in page.text("#detail")


def test_what_could_not_be_read(page):
    page.open({"logs": [{"text": TWO[:-30], "name": "cut"}]})
    assert "the line is cut off" in page.text("#problems")


def test_size_of_ram(loaded):
    loaded.one("#ram").send_keys("64M\n")
    assert loaded.all("#findings [data-check=notRam]")
    loaded.one("#ram").clear()
    loaded.one("#ram").send_keys("many\n")
    assert "not a size" in loaded.text("#status")


# ---- languages, colours ----
def test_languages(loaded):
    assert loaded.text("#help") == "? Help"
    loaded.one("#language").click()
    assert loaded.text("#help") == "? 帮助" and "可写又可执行" in loaded.text("#findings")
    loaded.click_map(5)
    assert "物理地址" in loaded.text("#detail") and "保留" in loaded.text("#detail .bits-table")
    assert "reserved" not in loaded.text("#detail")
    loaded.one("#language").click()
    assert loaded.text("#help") == "? Help" and "Physical address" in loaded.text("#detail")


def test_the_browsers_language(page):
    assert page.open({"language": None}).text("#help") == "? Help"
    page.driver.execute_cdp_cmd("Emulation.setUserAgentOverride", {
        "userAgent": "x", "acceptLanguage": "zh-CN"})
    try:
        assert page.open({"language": None}).text("#help") == "? 帮助"
    finally:
        page.driver.execute_cdp_cmd("Emulation.setUserAgentOverride", {
            "userAgent": "x", "acceptLanguage": "en-US"})


def test_one_of_a_kind(page):
    text = "page table 0x87f00000\n..0: pte 0x200000c7 pa 0x80000000\n"
    page.open({"logs": [{"text": text, "name": "1"}]})
    assert page.text("#status") == "1: 2 lines, 1 dump"
    assert "1 leaf maps 1 GiB through 1 table" in page.text("#dumps")


@pytest.mark.parametrize("name", ["share", "mirror", "lab"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_real_logs(page, name, language):
    """Every dump of a real log, its regions selected: no exception, no missing text."""
    page.open({"logs": [{"text": log(name), "name": name}], "language": language})
    page.js("""for (const dump of PT.page.dumps) {
                   PT.page.show(dump);
                   for (const {leaves: [leaf]} of PT.regions(dump).slice(0, 20)) {
                       PT.page.select(leaf.vpn, leaf);
                       PT.revealInTree(PT.page);
                   }
                   for (const other of PT.page.dumps.filter(d => d !== dump))
                       PT.page.compareWith(other);
               }""")
    assert page.all("#dumps li")
