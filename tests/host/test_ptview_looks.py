"""How ptview's page and pictures look: a screenshot on which nothing is blank and nothing cut off,
pictures outside of a browser, colours that can be told apart. PTVIEW_PAGE=FILE has the screenshot
written there, as `make pictures` does."""
import base64
import glob
import itertools
import os
import shutil
import struct
import subprocess
import xml.etree.ElementTree as ElementTree

import machine
import pytest
from ptviewenv import COMMAND, FOLDER, log, needs_browser
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


def pixels(page, png, places):
    """The colours that the picture has in each place, as #rrggbb, and how often."""
    page.driver.get("about:blank")  # ptview's own page may load no picture
    return page.driver.execute_async_script("""
        const [png, places, done] = arguments, image = new Image();
        image.onload = () => {
            const canvas = document.createElement("canvas");
            [canvas.width, canvas.height] = [image.width, image.height];
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0);
            done(places.map(([left, top, right, bottom]) => {
                const found = {};
                const {data} = context.getImageData(left, top, right - left, bottom - top);
                for (let i = 0; i < data.length; i += 4) {
                    const [, ...rgb] = (1 << 24 | data[i] << 16 | data[i + 1] << 8 | data[i + 2])
                        .toString(16);
                    const name = data[i + 3] === 255 ? "#" + rgb.join("") : "clear";
                    found[name] = (found[name] || 0) + 1;
                }
                return found;
            }));
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
    assert min(map(len, pixels(page, png, places))) > 30
    if os.environ.get("PTVIEW_PAGE") and (language, scheme) == ("en", "light"):
        with open(os.environ["PTVIEW_PAGE"], "wb") as f:
            f.write(png)


def test_the_documents_screenshot():
    with open(DOCUMENT, "rb") as f:
        png = f.read()
    assert struct.unpack(">8s8xII", png[:24]) == (b"\x89PNG\r\n\x1a\n", WIDTH, HEIGHT)
    assert len(png) < 250_000


# ---- pictures outside of a browser ----
SVG = "{http://www.w3.org/2000/svg}"
needs_rsvg = pytest.mark.skipif(not shutil.which("rsvg-convert"),
                                reason="librsvg2-bin is not installed")


def drawn(svg):
    """The picture as librsvg draws it, which knows no variables of CSS."""
    return subprocess.run(["rsvg-convert", svg], check=True, capture_output=True).stdout


def swatches(svg):
    """(class, place) of the rectangles in the legend, which nothing lies upon: the last ones."""
    rects = [e for e in ElementTree.parse(svg).getroot().iter(SVG + "rect") if "x" in e.attrib]
    bottom = max(float(e.get("y")) for e in rects)
    for e in rects:
        x, y, width, height = (float(e.get(k)) for k in ("x", "y", "width", "height"))
        if y > bottom - 5:
            yield e.get("class"), [x + 2, y + 2, x + width - 2, y + height - 2]


@needs_browser
@needs_rsvg
@pytest.mark.parametrize("args, classes", [
    (["--dump", "4"], {"r", "rw", "rx", "rwx", "x", "box"}),
    (["--compare", "2", "4"], {"r", "rw", "rx", "rwx", "x", "box", "came", "went", "changed"})])
def test_a_picture_outside_of_a_browser(page, tmp_path, args, classes):
    """Its colours are those that it has in one."""
    svg = tmp_path / "p.svg"
    subprocess.run([COMMAND, os.path.join(FOLDER, "share.log"), *args, "-o", svg], check=True)
    light = page.js("return PT.SCHEMES.light")
    found = list(swatches(svg))
    assert {cls for cls, _ in found} == classes | {"kernel"}
    png = drawn(svg)
    whole, *each = pixels(page, png, [[0, 0, 700, 200], *[place for _, place in found]])
    assert {light[name] for name in ("bg", "ink", "dim", "rx", "rw")} <= set(whole)
    assert whole[light["bg"]] > 20000
    for (cls, _), colours in zip(found, each):
        if cls == "kernel":
            assert len(colours) > 3  # the hatch
        elif len(colours) == 1:  # not the one below the hatch
            assert list(colours) == [light[cls]], cls
    assert sum(len(colours) == 1 for colours in each) == len(classes)


@needs_browser
@needs_rsvg
@pytest.mark.parametrize("svg", sorted(
    glob.glob(os.path.join(machine.ROOT, "docs", "*.svg"))), ids=os.path.basename)
def test_the_documents_pictures_outside_of_a_browser(page, svg):
    """None is black, as what uses variables of CSS would be."""
    colours, = pixels(page, drawn(svg), [[0, 0, 600, 200]])
    assert len(colours) > 5 and colours.get("#000000", 0) < 1000


# ---- colours ----
def linear(colour):
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
            for c in (int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5))]


def contrast(a, b):
    """As the accessibility guidelines define it: from 1 to 21."""
    dark, light = sorted(0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in map(linear, (a, b)))
    return (light + 0.05) / (dark + 0.05)


def times(matrix, vector):
    return [sum(m * v for m, v in zip(row, vector)) for row in matrix]


# What people see who lack one kind of cones (Machado, Oliveira and Fernandes 2009).
EYES = {
    "all colours": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216),
               (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413),
                 (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602),
                (0.004733, 0.691367, 0.303900)),
}


def oklab(colour, eyes):
    """The colour in Oklab, a space in which distances are about what people see."""
    cones = times(((0.4122214708, 0.5363325363, 0.0514459929),
                   (0.2119034982, 0.6806995451, 0.1073969566),
                   (0.0883024619, 0.2817188376, 0.6299787005)),
                  [min(max(c, 0), 1) for c in times(eyes, linear(colour))])
    return times(((0.2104542553, 0.7936177850, -0.0040720468),
                  (1.9779984951, -2.4285922050, 0.4505937099),
                  (0.0259040371, 0.7827717662, -0.8086757660)), [c ** (1 / 3) for c in cones])


def distance(a, b, eyes):
    """In hundredths: about 2 is the least that can be seen side by side."""
    return 100 * sum((x - y) ** 2 for x, y in zip(oklab(a, eyes), oklab(b, eyes))) ** 0.5


FILLS = ("r", "rw", "rx", "rwx", "x", "odd")


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_readable(page, scheme):
    """Text has the contrast that the accessibility guidelines ask for (4.5), in both themes."""
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
        "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    colours = page.js("return PT.SCHEMES")[scheme]
    for name, colour in colours.items():
        assert page.js("return getComputedStyle(document.documentElement).getPropertyValue"
                       "(arguments[0])", "--" + name).strip() == colour
    grounds = {"ink": ("bg", "box", "gap", *FILLS), "dim": ("bg", "box", "gap")}
    for ink in ("ink", "dim", "came", "went", "changed", "mark"):
        for ground in grounds.get(ink, ("bg",)):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_can_be_told_apart(page, scheme):
    """By everybody: those of the permissions on their ground, and those of what changed."""
    colours = page.js("return PT.SCHEMES")[scheme]
    for names, least in ((FILLS + ("gap",), 7), (("came", "went", "changed", "mark"), 12)):
        for a, b in itertools.combinations(names, 2):
            for who, eyes in EYES.items():
                assert distance(colours[a], colours[b], eyes) >= least, (a, b, who)
