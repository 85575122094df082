"""Several logs in ptview's page: opened, dropped, added; and files that cannot be read."""
import pytest
from ptviewenv import DATA, Tree, needs_browser, user_leaves
from ptviewpage import TWO, driver, drop, drop_all, loaded, page

pytestmark = needs_browser

BEFORE = Tree(user_leaves()).text()
AFTER = Tree(user_leaves() | {6: (0x87e70, DATA)}, root=0x87d00).text()


def names(page):
    """The dumps in the list, each up to its root."""
    return [button.text.split(" page table")[0] for button in page.all("#dumps button")]


def says(page, text):
    page.wait(lambda: text in page.text("#status"), text)


def bad(page):
    return "bad" in page.one("#status").get_attribute("class")


def test_drop_two(page):
    drop_all(page, [(BEFORE, "before.log"), (AFTER, "after.log")])
    says(page, "before.log, after.log: 25 lines, 2 dumps")
    assert names(page) == ["1. before.log:", "2. after.log:"] and not bad(page)
    page.pick("#other", 1)
    assert "0x6000" in page.text("#comparison .came")
    assert "Before: 1. before.log: page table 0x87f00000" in page.text("#map")


def test_open_two(page):
    for name, text in (("a.log", BEFORE), ("b.log", AFTER)):
        (page.folder / name).write_text(text)
    page.one("#file").send_keys(f"{page.folder / 'a.log'}\n{page.folder / 'b.log'}")
    says(page, "2 dumps")
    assert names(page) == ["1. a.log:", "2. b.log:"]


def test_add_or_replace(page):
    assert not page.one("#add").is_displayed()  # nothing is there to add to
    drop(page, BEFORE, "boot.log")
    says(page, "boot.log")
    assert names(page) == ["1."]
    page.one("#add").click()
    drop(page, AFTER, "boot.log")  # of the same name, in another folder
    says(page, "2 dumps")
    assert names(page) == ["1. boot.log:", "2. boot.log (2):"]
    page.one("#paste").click()
    page.js("arguments[0].value = arguments[1]", page.one("#text"), TWO)
    page.one("#show").click()
    assert names(page)[2:] == ["3. pasted text:", "4. pasted text:"]
    page.one("#add").click()
    drop(page, AFTER, "last.log")
    says(page, "last.log: 13 lines, 1 dump")
    assert names(page) == ["1."]


def test_one_of_two_has_no_dump(page):
    drop_all(page, [("hello\n", "a.log"), (AFTER, "b.log")])
    says(page, "a.log: no page table (lines: 1)")
    assert "b.log: 13 lines" in page.text("#status") and bad(page) and names(page) == ["1."]


@pytest.mark.parametrize("error, text", [
    ("NotFoundError", "a folder, or is no longer there"),
    ("NotReadableError", "may not be opened")])
def test_a_file_that_cannot_be_read(loaded, error, text):
    """It is named, the reason is said, and the others are shown."""
    loaded.js("""
        const [error] = arguments, read = File.prototype.text;
        File.prototype.text = function () {
            return this.name === "x" ? Promise.reject(new DOMException("", error)) :
                read.call(this);
        };""", error)
    drop(loaded, "", "x")
    says(loaded, "x cannot be read: ")
    assert text in loaded.text("#status") and bad(loaded) and len(names(loaded)) == 2
    drop_all(loaded, [("", "x"), (AFTER, "b.log")])
    says(loaded, "b.log: 13 lines")
    assert "x cannot be read" in loaded.text("#status") and bad(loaded) and names(loaded) == ["1."]
