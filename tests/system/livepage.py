"""The page of `make live` in a headless browser: fixtures to import."""
import json
import os
import re
import shutil
import subprocess
import sys

import live
import machine
import pytest

sys.path.insert(0, os.path.join(machine.ROOT, "tests", "host"))
import ptviewenv  # noqa: E402
import ptviewpage  # noqa: E402


def why_not():
    for name, package in (("clang", "clang"), ("wasm-ld", "lld")):
        if not shutil.which(name):
            return f"{package} is not installed"
    return ptviewenv.why_not()


needs_live = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))


@pytest.fixture(scope="module")
def inside():
    """The files in the page, as it was made."""
    machine.build(targets=("live", "sim"))
    with open(machine.build_path("live", "trellis.html"), encoding="utf-8") as f:
        return json.loads(re.search(r'<script id="inside".*?>(.*?)</script>', f.read(), re.S)[1])


@pytest.fixture(scope="module")
def driver():
    driver = ptviewenv.start_browser()
    yield driver
    driver.quit()


class Page(ptviewpage.Page):
    """The open page, whose machine runs."""

    def __init__(self, driver, folder, inside):
        super().__init__(driver, folder)
        self.inside = inside

    def open(self, preset=None):
        path = self.folder / "live.html"
        path.write_text(live.page_html(self.inside, {"language": "en", **(preset or {})}),
                        encoding="utf-8")
        self.driver.get(path.as_uri())
        return self

    @property
    def console(self):
        return self.js("return LIVE.page.terminal ? LIVE.page.terminal.text : ''")

    @property
    def last(self):
        """What the machine has told of its state."""
        return self.js("return LIVE.page.last") or {}

    def says(self, text, times=1):
        self.wait(lambda: self.console.count(text) >= times, repr(text))

    def prompt(self):
        self.wait(lambda: self.console.endswith("\n$ "), "the prompt")

    def ends(self, state):
        self.wait(lambda: self.last.get("state") == state, state)

    def pause(self):
        self.one("#run").click()
        self.wait(lambda: not self.last["running"], "the pause")

    def step(self, count):
        before = self.last["instructions"]
        self.one("#count").clear()
        self.one("#count").send_keys(str(count))
        self.one("#step-many").click()
        self.settle(before)

    def settle(self, before):
        """Waits for what a step has done."""
        self.wait(lambda: self.last["instructions"] > before, "the step")

    def status(self, begins):
        self.wait(lambda: self.text("#status").startswith(begins), begins)

    def drop(self, *files):
        """Drops files, (name, bytes)."""
        self.js("""
            const data = new DataTransfer();
            for (const [name, bytes] of arguments[0])
                data.items.add(new File([new Uint8Array(bytes)], name));
            for (const kind of ["dragenter", "dragover", "drop"])
                document.querySelector("header").dispatchEvent(
                    new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true}));
            """, [(name, list(data)) for name, data in files])


@pytest.fixture
def page(driver, tmp_path, inside):
    driver.get_log("browser")  # what earlier tests left
    yield Page(driver, tmp_path, inside)
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def sim(*args):
    """What the native machine prints, and how many instructions it takes."""
    command = [machine.build_path("machine", "sim"), *args]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                          encoding="utf-8", timeout=120)
    said = [line for line in done.stderr.splitlines() if " instructions, " in line]
    return done.stdout, int(said[0].split()[1])
