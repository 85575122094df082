"""How ptview's page looks with a real log of this kernel: a screenshot on which nothing is blank
and nothing cut off. PTVIEW_PAGE=FILE has it written there, as `make pictures` does."""
import base64
import os
import struct

import machine
import pytest
from ptviewenv import log, needs_browser
from ptviewpage import driver, page

WIDTH, HEIGHT = 1280, 800
DOCUMENT = os.path.join(machine.ROOT, "docs", "ptview-page.png")
PANELS = ("#map", "#side", "#tree-panel", "#detail")


def look_at(page, language, scheme):
    """The page with a log and a page selected, in a window of that size."""
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False})
    page.open({"logs": [{"text": log("share"), "name": "share.log"}], "dump": 4,
               "language": language})
    page.click_map(5)


def boxes(page):
    """Left, top, right and bottom of each panel, and by how much its content is wider."""
    return page.js("""return arguments[0].map(selector => {
        const e = document.querySelector(selector), box = e.getBoundingClientRect();
        return [box.left, box.top, box.right, box.bottom, e.scrollWidth - e.clientWidth];
    })""", PANELS)


def colours_in(page, png, places):
    """How many colours the picture has in each place."""
    page.driver.get("about:blank")  # ptview's own page may load no picture
    return page.driver.execute_async_script("""
        const [png, places, done] = arguments, image = new Image();
        image.onload = () => {
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.width, image.height];
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            done(places.map(([left, top, right, bottom]) => new Set(new Uint32Array(
                context.getImageData(left, top, right - left, bottom - top).data.buffer)).size));
        };
        image.src = "data:image/png;base64," + png;""", base64.b64encode(png).decode(), places)


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_screenshot(page, language, scheme):
    look_at(page, language, scheme)
    try:
        png, places = page.driver.get_screenshot_as_png(), boxes(page)
        assert page.text("#tree [aria-selected=true]") and page.text("#address")
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    for left, top, right, bottom, hidden in places:
        assert 0 <= left < right <= WIDTH and 0 <= top < bottom <= HEIGHT and hidden <= 0, places
    assert min(colours_in(page, png, places)) > 30
    if os.environ.get("PTVIEW_PAGE") and (language, scheme) == ("en", "light"):
        with open(os.environ["PTVIEW_PAGE"], "wb") as f:
            f.write(png)


def test_the_documents_screenshot():
    with open(DOCUMENT, "rb") as f:
        png = f.read()
    assert struct.unpack(">8s8xII", png[:24]) == (b"\x89PNG\r\n\x1a\n", WIDTH, HEIGHT)
    assert len(png) < 200_000
