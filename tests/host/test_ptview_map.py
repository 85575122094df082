"""The map in ptview's page, the comparison of two dumps, and what is saved."""
import xml.etree.ElementTree as ElementTree

import pytest
from ptviewenv import TRAMPOLINE, Tree, log, needs_browser, page_list, user_leaves
from ptviewpage import driver, loaded, page

pytestmark = needs_browser


# ---- one page ----
def test_click_on_the_map(loaded):
    loaded.click_map(5)
    assert loaded.text("#address") == "0x0000000000005000"
    assert loaded.text("#physical") == "0x0000000087e21000"
    parts = [part.text.split("\n")[0] for part in loaded.all("#detail .split > div")]
    assert parts == ["0 (0x0)", "0 (0x0)", "5 (0x5)", "0 (0x0)"]
    assert "pa 0x87e21000" in loaded.text("#tree [aria-selected=true]")


def test_click_on_a_gap(loaded):
    loaded.click_map(3)
    assert "the access faults here" in loaded.text("#detail")
    assert loaded.all("#detail tr[data-level]")[-1].get_attribute("data-level") == "0"


def test_single_pages(page):
    """Nothing is said of what was not printed."""
    page.open({"logs": [{"text": page_list(user_leaves()), "name": "list"}]})
    assert "single pages, without their tables" in page.text("#dumps")
    assert "7 leaves map 28 KiB" in page.text("#dumps")
    assert "unmapped or not printed" in page.text("#map")
    for vpn, physical, says in ((5, "0x0000000087e21000", "page at 0x87e21000"),
                                (6, None, "the access faults here"), (20, None, "not printed")):
        page.js("PT.page.select(arguments[0]); PT.revealInTree(PT.page)", vpn)
        assert [e.text for e in page.all("#physical")] == ([physical] if physical else [])
        row, = page.all("#detail tr[data-level]")
        assert says in row.text and "?" in row.text
    assert "67108863 R-X- 0x3ffffff000" in " ".join(page.text("#tree").split())


def test_the_way_through_the_tables(loaded):
    loaded.click_map(TRAMPOLINE)
    rows = [row.text.split() for row in loaded.all("#detail tr[data-level]")]
    assert [row[0] for row in rows] == ["2", "1", "0"]
    assert rows[0][1:3] == ["0x0000000087d007f8", "[255]"]  # root + 8 * 255
    assert "0x80215000" in rows[2]


def test_every_bit(loaded):
    loaded.click_map(TRAMPOLINE)
    bits = {row.text.split()[1]: row.text.split()[2] for row in
            loaded.all("#detail .bits-table tr")[1:]}
    assert [bits[c] for c in "VRWXUGAD"] == list("11010010")
    assert (bits["PPN[0]"], bits["PPN[1]"], bits["PPN[2]"]) == ("0x15", "0x1", "0x2")
    assert {"N", "PBMT", "reserved", "RSW"} <= set(bits)


def test_go_to(loaded):
    field = loaded.one("#goto")
    field.send_keys("0x5010\n")
    assert loaded.text("#physical") == "0x0000000087e21010"
    field.clear()
    field.send_keys("0x3fffff0000\n")
    assert "the access faults here" in loaded.text("#detail")
    field.clear()
    field.send_keys("nonsense\n")
    assert "nonsense is no address" in loaded.text("#status")


def test_zoom(loaded):
    loaded.click_map(5)
    loaded.keys("+", "+")
    assert abs(loaded.view["to"] - loaded.view["from"] - 0.25) < 1e-9
    cursor = loaded.one("#map .cursor").rect
    assert cursor["width"] > 100  # zooming went to what is selected
    loaded.one("#zoom-out").click()
    assert abs(loaded.view["to"] - loaded.view["from"] - 0.5) < 1e-9
    loaded.keys("0")
    assert loaded.view == {"from": 0, "to": 1}
    loaded.one("#zoom-to").click()
    assert loaded.view["to"] - loaded.view["from"] < 0.6


def test_wheel_and_drag(loaded):
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
    origin = ScrollOrigin.from_element(loaded.one("#map"))
    loaded.mouse.scroll_from_origin(origin, 0, -100).perform()
    loaded.wait(lambda: loaded.view["to"] - loaded.view["from"] < 0.9, "the zoom")
    before = loaded.view["from"]
    loaded.mouse.click_and_hold(loaded.one("#map")).move_by_offset(60, 0).release().perform()
    assert loaded.view["from"] < before
    assert not loaded.all("#address")  # a drag is no click


def test_to_scale(loaded):
    assert "gaps are compressed" in loaded.text("#map")
    loaded.pick("#mode", "scale")
    assert "To scale" in loaded.text("#map")
    end = loaded.one("#map svg").rect["x"] + loaded.one("#map svg").rect["width"]
    top = loaded.all("#map rect.rx")[-1].rect  # one page in 256 GiB, and still seen
    assert top["width"] > 1 and end - 5 < top["x"] + top["width"] <= end + 0.1
    loaded.one("#goto").send_keys("0x2000\n")
    loaded.one("#zoom-to").click()
    assert loaded.one("#map .cursor").rect["width"] > 50
    loaded.click_map(2)
    assert loaded.text("#address") == "0x0000000000002000"


# ---- two dumps ----
def test_compare(loaded):
    assert not loaded.all("#comparison .came")
    loaded.pick("#other", 1)
    assert "0x6000" in loaded.text("#comparison .came")
    assert "VRW-U-AD \u2192 VRWXU-AD" in loaded.text("#comparison .changed")
    assert not loaded.all("#comparison .went")
    assert len(loaded.all("#map rect.gap")) == 2 and loaded.all("#map rect.came")
    assert [name.split(".")[0] for name in loaded.text("#map").split("\n")
            if "page table" in name] == ["Before: 1", "After: 2"]
    assert "came" in loaded.text("#legend")
    assert "came" in loaded.text("#tree") and "changed" in loaded.text("#tree")
    loaded.one("#comparison .came button").click()
    assert loaded.text("#address") == "0x0000000000006000"
    loaded.keys("[")  # the other one is shown now: nothing is left to compare
    assert not loaded.all("#comparison .came")


def test_each_kind_is_said_once(page):
    """Ranges that changed apart from each other, below one word."""
    other = {vpn: (ppn + 64, flags) if vpn in (0, 4) else (ppn, flags)
             for vpn, (ppn, flags) in user_leaves().items()}
    page.open({"logs": [{"text": Tree(user_leaves()).text() + Tree(other).text(), "name": "two"}]})
    page.pick("#other", 1)
    assert page.text("#comparison").split("\n") == [
        "changed", "0x0\u20130xfff VR-XU-A- other frame", "0x4000\u20130x4fff VRW-U-AD other frame"]


# ---- export ----
def saved(page, button, name):
    """The texts of the picture that the button saves."""
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {
        "behavior": "allow", "downloadPath": str(page.folder)})
    page.one("#" + button).click()
    path = page.folder / name
    page.wait(lambda: path.exists() and path.stat().st_size, name)
    svg = ElementTree.parse(path).getroot()
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    return [e.text for e in svg.iter("{http://www.w3.org/2000/svg}text")]


@pytest.mark.parametrize("button, name, says", [
    ("save-tree", "page-table.svg", "RW-U"), ("save-map", "address-space.svg", "0x3fffffe000")])
def test_export(loaded, button, name, says):
    texts = saved(loaded, button, name)
    assert {says, "page table 0x87d00000", "kernel only"} <= set(texts)
    assert "8 leaves map 32 KiB through 5 tables" in texts


def test_export_of_a_comparison(loaded):
    """It says what is compared, and what the colours mean."""
    loaded.pick("#other", 1)
    texts = saved(loaded, "save-map", "address-space.svg")
    assert {"Two address spaces compared", "Before: 1. page table 0x87f00000",
            "After: 2. page table 0x87d00000", "came", "went", "changed", "RW-"} <= set(texts)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_nothing_in_the_map_overlaps(page, language):
    """Texts of the picture, as wide as the browser draws them."""
    page.open({"logs": [{"text": log("share"), "name": "share"}], "language": language})
    for one, other in ((0, None), (3, 1), (6, 5)):
        assert page.js("""
            const {page} = PT, box = document.createElement("div");
            page.show(page.dumps[arguments[0]]);
            page.compareWith(page.dumps[arguments[1]] || null);
            box.innerHTML = PT.mapNow(page);
            document.body.append(box);
            const outer = box.firstChild.getBoundingClientRect();
            const texts = [...box.querySelectorAll("text")].map(e => [
                e.textContent, e.getBoundingClientRect()]);
            box.remove();
            return texts.filter(([, a], i) => a.right > outer.right || a.bottom > outer.bottom ||
                texts.some(([, b], j) => i < j && a.left < b.right && b.left < a.right &&
                                         a.top + 3 < b.bottom && b.top + 3 < a.bottom))
                .map(([text]) => text);""", one, other) == []
