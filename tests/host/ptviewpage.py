"""The open page of ptview, for the tests of what a person does there: fixtures to import."""
import time

import pytest
from ptviewenv import DATA, Tree, X, ptview, start_browser, user_leaves

DEADLINE = 30

TWO = "boot\n" + Tree(user_leaves()).text() + "$ \n" + \
    Tree(user_leaves() | {2: (0x87e11, DATA | X), 6: (0x87e70, DATA)}, root=0x87d00).text()


@pytest.fixture(scope="module")
def driver():
    driver = start_browser()
    yield driver
    driver.quit()


class Page:
    """The open page."""

    def __init__(self, driver, folder):
        self.driver = driver
        self.folder = folder

    def open(self, preset=None):
        path = self.folder / "page.html"
        path.write_text(ptview().page_html({"language": "en", **(preset or {})}),
                        encoding="utf-8")
        self.driver.get(path.as_uri())
        return self

    def js(self, code, *args):
        return self.driver.execute_script(code, *args)

    def one(self, selector):
        from selenium.webdriver.common.by import By
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        from selenium.webdriver.common.by import By
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.one(selector).text

    def wait(self, condition, what):
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f"{what} did not come; {self.text('body')[:2000]}"
            time.sleep(0.05)

    @property
    def mouse(self):
        from selenium.webdriver import ActionChains
        return ActionChains(self.driver)

    def keys(self, *keys):
        """Presses keys, wherever the focus is."""
        from selenium.webdriver.common.keys import Keys
        self.mouse.send_keys(*[getattr(Keys, k, k) for k in keys]).perform()

    def click_map(self, vpn):
        """A click of the mouse on the middle of a page in the map."""
        x, y = self.js("""
            const box = document.querySelector("#map rect.gap").getBoundingClientRect();
            const {page} = PT, layout = PT.mapLayout([page.dump], page.mode);
            const u = (PT.mapPlace(layout, arguments[0]) +
                       Math.min(PT.mapPlace(layout, arguments[0] + 1), 1)) / 2;
            const part = (u - page.view.from) / (page.view.to - page.view.from);
            return [box.left + part * box.width, box.top + box.height / 2];""", vpn)
        actions = self.mouse
        actions.w3c_actions.pointer_action.move_to_location(round(x), round(y)).click()
        actions.perform()

    def pick(self, selector, value):
        from selenium.webdriver.support.ui import Select
        Select(self.one(selector)).select_by_value(str(value))

    @property
    def view(self):
        return self.js("return PT.page.view")

    @property
    def focused(self):
        """The row of the tree that has the focus."""
        return self.js("return document.activeElement.querySelector('.row')?.innerText"
                       ".replace(/\\s+/g, ' ').trim()")


@pytest.fixture
def page(driver, tmp_path):
    driver.get_log("browser")  # what earlier tests left
    yield Page(driver, tmp_path).open()
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


@pytest.fixture
def loaded(page):
    return page.open({"logs": [{"text": TWO, "name": "two.log"}]})


def drop(page, text, name=None):
    """Drags something over the page and lets go: a file, or text without a name."""
    drop_all(page, [(text, name)])


def drop_all(page, things):
    """The same with several files."""
    page.js("""
        const data = new DataTransfer();
        for (const [text, name] of arguments[0]) {
            if (name)
                data.items.add(new File([text], name));
            else
                data.setData("text/plain", text);
        }
        for (const kind of ["dragenter", "dragover", "drop"]) {
            const event = new DragEvent(kind, {dataTransfer: data, bubbles: true,
                                               cancelable: true});
            document.querySelector("header").dispatchEvent(event);
            // The browser would leave the page for the file if nobody said no.
            if (kind !== "dragenter" && !event.defaultPrevented)
                throw new Error(kind + " is not handled");
            if (kind === "dragover" && document.getElementById("drop-here").hidden)
                throw new Error("nothing says where to drop");
        }""", things)
