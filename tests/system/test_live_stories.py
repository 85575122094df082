"""The stories of the page of make live: played to their ends, and what is wrong with bad ones.
LIVE_PAGE=FILE has a screenshot written there, as `make pictures` does."""
import os
import re
import struct

import live
import machine
import pytest
import stories
from livepage import driver, inside, needs_live, page

pytestmark = needs_live
KERNEL = os.path.join(machine.kernel_folder(), "kernel.elf")
NAMES = sorted(name[:-4] for name in os.listdir(stories.FOLDER))
CHINESE = "\u4e00", "\u9fff"
DOCUMENT = os.path.join(machine.ROOT, "docs", "live.png")
PICTURE_STOP = "fork", 5
BACK = "null"  # the story that is told backwards, too

STORY = """\
title en A story
title zh 故事
stop at prompt
en It begins.
    It goes on.
zh 开始。
"""


# ---- played ----
def is_chinese(text):
    return any(CHINESE[0] <= c <= CHINESE[1] for c in text)


def told(page, story, number):
    """The story stands at this stop. What is shown there."""
    page.wait(lambda: page.js("return LIVE.page.teller.at") == number, number)
    page.wait(lambda: page.js("return LIVE.page.seen?.at") == page.last["instructions"],
              "the view")
    assert page.text("#story-text") == story["stops"][number]["text"]["en"]
    return page.last["instructions"], page.text("#place"), page.console


# One is for hand runs: it differs from the others in what it shows, not in how.
@pytest.mark.parametrize("name", [
    pytest.param(name, marks=pytest.mark.hand) if name == "fence" else name
    for name in NAMES])
def test_a_story(page, name):
    """To its end, in both languages."""
    story = next(each for each in page.open({"story": name}).inside["stories"]
                 if each["name"] == name)
    shown = []
    for number, stop in enumerate(story["stops"]):
        shown.append(told(page, story, number))
        if os.environ.get("LIVE_PAGE") and (name, number) == PICTURE_STOP:
            page.driver.save_screenshot(os.environ["LIVE_PAGE"])
        page.one("#language").click()
        assert page.text("#story-text") == stop["text"]["zh"] and is_chinese(stop["text"]["zh"])
        page.one("#language").click()
        if number + 1 < len(story["stops"]):
            page.one("#story-next").click()
    assert not page.one("#story-next").is_enabled()
    if story["forget"]:
        assert story["forget"][0] in page.text("#story-changed")
        a_forgotten_fence_is_found_and_then_there_again(page)
    elif name == BACK:
        the_way_back(page, story, shown)


def the_way_back(page, story, shown):
    """Each stop looks the same again."""
    for number in reversed(range(len(shown) - 1)):
        page.one("#story-before").click()
        assert told(page, story, number) == shown[number]


def a_forgotten_fence_is_found_and_then_there_again(page):
    assert page.text("#findings-title") != "Findings: none"
    assert "stale translation" in page.text("#findings")
    said = page.js("return LIVE.page.diagnosis.map(d => d.name)")
    assert "stale-translation" in said and set(said) <= {"stale-translation", "missing-fence"}
    page.one("#story-end").click()
    page.prompt()
    assert page.text("#findings-title") == "Findings: none"
    assert page.js("return LIVE.page.diagnosis.length") == 0
    assert not page.one("#story").is_displayed()


def test_the_documents_screenshot():
    with open(DOCUMENT, "rb") as f:
        png = f.read()
    assert png[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">I", png[16:20])[0] > 1200
    assert len(png) < 250_000


# ---- bad ones ----
def read(tmp_path, text):
    (tmp_path / "bad.txt").write_text(text, encoding="utf-8")
    return stories.read_all(KERNEL, str(tmp_path))


def test_the_documents_story(inside, tmp_path):
    with open(os.path.join(machine.ROOT, "docs", "live.md"), encoding="utf-8") as f:
        text = re.search(r"This is one:\n\n((?:    .*\n|\n)+)", f.read())[1]
    (story,) = read(tmp_path, re.sub("^    ", "", text, flags=re.M))
    assert [stop["type"] for stop in story["stops"]] == [None, "echo hello"]
    with open(KERNEL, "rb") as kernel, open(machine.default_image(), "rb") as disk:
        assert stories.missed(machine.build_path("live", "machine.so"), kernel.read(), disk.read(),
                              story) is None


def test_a_story_is_read(inside, tmp_path):
    (story,) = read(tmp_path, STORY + "type ls\nstop at trap ecall in trap_kernel\nen a\nzh b\n")
    assert story["stops"][0]["text"] == {"en": "It begins. It goes on.", "zh": "开始。"}
    assert story["stops"][1]["at"] == {"what": "trap", "cause": "8", "name": "trap_kernel"}
    assert story["stops"][1]["type"] == "ls" and story["title"]["zh"] == "故事"


@pytest.mark.parametrize("more, says", [
    ("stop at function nowhere\n", "bad.txt:7: the kernel has no function nowhere"),
    ("stop at trap headache\n", "bad.txt:7: no trap is called headache; there are: illegal"),
    ("stop at table at 0x8\n", "bad.txt:7: it is not known what this is: stop at table at 0x8"),
    ("stop somewhere\n", "bad.txt:7: it is not known what this is: stop somewhere"),
    ("show me\n", "bad.txt:7: nothing that is shown is called me; there are: tables"),
    ("forget sfence.vma 1 in proc_fork\n", "bad.txt:7: proc_fork has 0 sfence.vma"),
    ("forget it\n", "bad.txt:7: forget sfence.vma NUMBER in FUNCTION"),
    ("seed 3-2\n", "bad.txt:7: seed NUMBER, or seed FIRST-LAST"),
    ("stop at prompt\nen Hm.\n", "bad.txt:7: the stop has no sentences that begin with zh"),
    ("dance\n", "bad.txt:7: a line cannot begin with dance")])
def test_a_mistake_in_a_story(inside, tmp_path, more, says):
    with pytest.raises(stories.Mistake) as e:
        read(tmp_path, STORY + more)
    assert str(e.value).startswith(says)


@pytest.mark.parametrize("text, says", [
    ("", "bad.txt:0: the story has no title en"), ("show tables\n", "bad.txt:1: there is no stop"),
    ("title en A\ntitle zh B\n", "bad.txt:2: the story has no stop")])
def test_a_story_that_is_none(inside, tmp_path, text, says):
    with pytest.raises(stories.Mistake) as e:
        read(tmp_path, text)
    assert str(e.value).startswith(says)


def test_a_line_that_is_never_reached(inside, tmp_path, monkeypatch, capsys):
    """The page is not made."""
    text = STORY + "type echo hello\nstop at function panic\nen a\nzh b\n"
    (tmp_path / "bad.txt").write_text(text, encoding="utf-8")
    monkeypatch.setattr(stories.read_all, "__defaults__", (str(tmp_path),))
    to = str(tmp_path / "page.html")
    status = live.main([machine.build_path("live", "machine.wasm"),
                        machine.build_path("live", "machine.so"), KERNEL,
                        machine.default_image(), to])
    assert status == 2 and not os.path.exists(to)
    assert capsys.readouterr().err == \
        "live: bad.txt:8: this is never reached: stop at function panic\n"
