"""The machine in a page of a browser: make live."""
import os
import re
import sys
import time

import live
import machine
import pexpect
import pytest
from livepage import driver, inside, needs_live, page, sim

sys.path.insert(0, os.path.join(machine.ROOT, "tests", "sim"))
import emulators  # noqa: E402

pytestmark = needs_live
KERNEL = os.path.join(machine.kernel_folder(), "kernel.elf")


def assembled(name, folder):
    """The path of a kernel of M-mode."""
    path = str(folder / (name + ".elf"))
    emulators.assemble([os.path.join(machine.ROOT, "tests", "system", name + ".S")], path)
    return path


@pytest.fixture(scope="module")
def hello(tmp_path_factory):
    """A kernel that prints a line."""
    with open(assembled("hello", tmp_path_factory.mktemp("hello")), "rb") as f:
        return f.read()


@pytest.fixture
def booted(page):
    page.open()
    page.prompt()
    return page


# ---- boots, and is typed to ----
def test_prompt_and_keys(page):
    start = time.monotonic()
    page.open()
    page.prompt()
    assert time.monotonic() - start < 30  # 1 or 2 without company
    page.keys("ls\n")
    page.says("\ntests\n$ ")
    assert "$ ls\nbin\n" in page.console
    keys_of_all_kinds(page)
    function_keys(page)


def keys_of_all_kinds(page):
    """Those that edit a line and recall one, Ctrl with a letter, and text that is pasted."""
    page.keys("echo ax", "BACKSPACE", "b\n")
    page.says("\nab\n")
    page.keys("echo old\n")
    page.says("\nold\n")
    page.keys("ARROW_UP", "ARROW_UP", "ARROW_DOWN", "ARROW_LEFT", "ARROW_LEFT", "ARROW_RIGHT", "n",
              "DELETE", "END", "y", "HOME", "echo \n")
    page.says("\necho olny\n")
    page.keys("cat\n", "hi\n")
    page.says("\nhi\nhi\n")
    control(page, "z")
    page.says("  stopped  cat\n")
    page.keys("fg\n", "ho\n")
    page.says("\nho\nho\n")
    control(page, "c")
    page.js("""
        const keys = document.getElementById("keys");
        keys.value = "echo one; echo two\\n";
        keys.dispatchEvent(new InputEvent("input", {bubbles: true}));""")
    page.says("\none\n")
    page.says("\ntwo\n")


def control(page, letter):
    """Ends the program that is in front."""
    prompts = page.console.count("$ ")
    page.mouse.key_down("\ue009").send_keys(letter).key_up("\ue009").perform()
    page.says("$ ", prompts + 1)


def function_keys(page):
    page.keys("F8")
    page.wait(lambda: not page.last["running"], "the pause")
    page.keys("F8")
    page.wait(lambda: page.last["running"], "the run")
    page.keys("F10")
    page.wait(lambda: not page.last["running"], "the step")


def test_an_idle_machine_of_the_command_is_woken(inside, tmp_path):
    child = pexpect.spawn(machine.build_path("machine", "sim"),
                          ["--kernel", assembled("echo", tmp_path)], encoding="utf-8", timeout=60)
    try:
        child.expect(">")
        for keys in ("a", "bcdef", "q"):
            child.send(keys)
            child.expect(keys)
        child.expect(pexpect.EOF)
    finally:
        child.close(force=True)


# ---- run, pause, step ----
def test_pause_and_steps(page):
    page.open({"settings": {"harts": "2"}})
    page.wait(lambda: page.last.get("running"), "the start")
    page.pause()
    page.status("Paused")
    before = page.last["instructions"]
    page.one("#step").click()
    page.settle(before)
    assert page.last["instructions"] == before + 1
    page.step(1234)
    assert page.last["instructions"] == before + 1235
    assert re.search(r"hart [01]: \S+", page.text("#status"))
    page.one("#run").click()
    page.prompt()
    page.pause()
    registers_and_place(page)


def registers_and_place(page):
    page.wait(lambda: page.js("return LIVE.page.seen?.at") == page.last["instructions"], "them")
    rows = {row.split()[0]: row.split()[1] for row in page.text("#registers").splitlines()}
    assert set(rows) >= {"pc", "ra", "sp", "a0", "t6", "satp", "stvec", "mstatus"}
    assert int(rows["pc"], 16) >> 38 and page.text("#place").startswith("S: ")
    page.pick("#hart", 1)
    page.wait(lambda: page.js("return LIVE.page.seen.hart") == 1, "the other hart")


def test_steps_leave_no_trace(page):
    """A run in pieces is the run: harts take their turns as they would."""
    seen = []
    for pieces in ([700000], [1, 1, 3, 999, 123456, 575540]):
        page.open({"paused": True, "settings": {"harts": "3", "seed": "5"}})
        page.status("Paused · 0 instructions")
        for count in pieces:
            page.step(count)
        page.wait(lambda: page.js("return LIVE.page.seen.registers.pc") is not None, "registers")
        values = []
        for hart in range(3):
            page.pick("#hart", hart)
            page.wait(lambda: page.js("return LIVE.page.seen.hart") == hart, "the hart")
            values.append(page.text("#registers"))
        seen.append((page.last["instructions"], page.console, values))
    assert seen[0] == seen[1] and seen[0][0] == 700000


# ---- what one looks at, while the machine stays as it is ----
def test_the_page_of_an_idle_machine(booted):
    page_tables(booted)
    no_network(booted)
    booted.one("#settings summary").click()
    for width in (360, 800, 1400):
        window(booted, width)
    for name, value, says in (("seed", "x", "The seed x is no number"),
                              ("seed", "99999999999999999999", "The seed 9"),
                              ("harts", "9", "9 harts: a machine has 1 to 8")):
        a_setting_that_cannot_be(booted, name, value, says)
    assert booted.console.endswith("$ ")  # nothing is lost
    chinese(booted)


def page_tables(booted):
    """An idle hart has the kernel's own."""
    booted.wait(lambda: re.search(r"Sv39, root 0x\w+, ASID \d+; tables: ([3-9]|\d\d)",
                                  booted.text("#tables-about")), "the tables")
    texts = booted.js("return [...document.querySelectorAll('#tables svg text')]"
                      ".map(text => text.textContent)")
    assert "Root table" in texts and texts.count("Table, level 0") > 1
    # the kernel's text: executable, not writable
    place = next(i for i, text in enumerate(texts) if text.startswith("0xffffffc080200000"))
    assert texts[place - 1] == "R-X-"


def no_network(booted):
    html = live.page_html(booted.inside).replace("http://www.w3.org/2000/svg", "")  # a mere name
    assert not re.search(r"https?://", html)
    assert booted.js("return performance.getEntriesByType('resource')"
                     ".filter(e => !e.name.startsWith('blob:')).length") == 0


def window(booted, width):
    """Nothing but tables, in boxes of their own, is wider than the window."""
    try:
        booted.driver.set_window_size(width, 800)
        assert booted.js("return document.documentElement.scrollWidth - innerWidth") <= 0
        assert booted.one("#screen").is_displayed()
    finally:
        booted.driver.set_window_size(1400, 900)


def a_setting_that_cannot_be(booted, name, value, says):
    before = booted.js("return document.getElementById(arguments[0]).value", name)
    for each in (value, before):
        booted.one(f"#{name}").clear()
        booted.one(f"#{name}").send_keys(each)
        if each == value:
            booted.one("#reset").click()
            booted.status(says)


def chinese(booted):
    """The language of all that is shown, and back."""
    booted.one("#language").click()
    assert booted.text("#reset") == "重启" and booted.js("return document.documentElement.lang") == \
        "zh-CN"
    assert booted.text("#language") == "English"


# ---- settings ----
def test_poweroff_and_other_settings(booted):
    booted.keys("poweroff 3\n")
    booted.status("Ended with status 3")
    assert not booted.one("#run").is_enabled() and not booted.one("#step").is_enabled()
    booted.one("#settings summary").click()
    booted.pick("#design", "mirror")
    for name, value in (("harts", "3"), ("seed", "77")):
        booted.one(f"#{name}").clear()
        booted.one(f"#{name}").send_keys(value)
    first = booted.last["instructions"]
    booted.one("#reset").click()
    booted.wait(lambda: booted.console == "" or "mirror" in booted.console, "the reset")
    booted.prompt()
    assert "Trellis mirror: 3 harts" in booted.console and booted.last["instructions"] != first
    assert len(booted.all("#hart option")) == 3 and booted.one("#run").is_enabled()


# ---- other kernels ----
def test_kernels_are_dropped(page, hello, tmp_path):
    page.open({"paused": True})
    page.status("Paused · 0 instructions")
    for name, data in (("bad.elf", b"\x7fELF" + bytes(100)), ("short.elf", b"\x7fELF")):
        page.drop((name, data))
        page.status(f"{name}: ")
    a_kernel_of_machine_mode_runs_as_natively(page, hello, tmp_path)
    a_finding_is_shown(page, tmp_path)
    an_idle_machine_is_woken(page, tmp_path)
    page.one("#back").click()
    page.prompt()
    assert "Trellis share" in page.console and page.text("#findings-title") == "Findings: none"


def a_kernel_of_machine_mode_runs_as_natively(page, hello, tmp_path):
    path = tmp_path / "hello.elf"
    path.write_bytes(hello)
    text, count = sim("--kernel", str(path))
    page.drop(("hello.elf", hello))
    page.says("hello from M-mode\nend\n")
    page.ends("off")
    assert page.console == text.replace("\r", "") == "hello from M-mode\nend\n"
    assert page.last["instructions"] == count
    assert page.text("#status").startswith("Powered off")
    page.one("#settings summary").click()
    assert page.text("#kernel-name") == "hello.elf" and page.text("#disk-name") == "none"


def a_finding_is_shown(page, tmp_path):
    assert page.text("#findings-title") == "Findings: none"
    with open(assembled("stale", tmp_path), "rb") as f:
        page.drop(("stale.elf", f.read()))
    page.wait(lambda: page.text("#findings-title") == "Findings: 1", "the finding")
    assert re.match(r"stale code: hart 0 executes at change .*No fence.i", page.text("#findings"))


def an_idle_machine_is_woken(page, tmp_path):
    """What is typed is seen at once, not with the next key."""
    with open(assembled("echo", tmp_path), "rb") as f:
        page.drop(("echo.elf", f.read()))
    page.status("Running: all harts wait")
    page.one("#screen").click()
    for keys in ("a", "bcdef", "q"):
        page.keys(keys)
        page.says(keys)
    page.ends("off")
    assert page.console == ">abcdefqend\n"


def test_files_are_chosen(page):
    """The same kernel and disk, from files."""
    page.open({"paused": True})
    page.one("#settings summary").click()
    for what, path in (("kernel", KERNEL), ("disk", machine.default_image())):
        page.one(f"#{what}-file").send_keys(path)
        page.wait(lambda: page.text(f"#{what}-name") == os.path.basename(path), path)
    page.prompt()
    page.one("#screen").click()  # which has the focus then
    page.keys("ls\n")
    page.says("\ntests\n")


# ---- the page ----
def test_every_text_is_there_and_used():
    page_text = live.part("page.html")
    sources = page_text + "".join(live.part(name + ".js") for name in live.SCRIPTS
                                  if name != "strings")
    strings = dict(re.findall(r'^    "([\w.]+)": \[(.*?)\],$', live.part("strings.js"),
                              re.M | re.S))
    for key, texts in strings.items():
        assert len(re.findall("[\u4e00-\u9fff]", texts)) or key in ("language.other", "hart"), key
        english, chinese = re.match(r"(.*?\"),\s+(\".*)", texts, re.S).groups()
        assert sorted(re.findall(r"\{\d\}", english)) == sorted(re.findall(r"\{\d\}", chinese))
        family = key.startswith(("state.", "frames."))
        assert family or f'"{key}"' in sources, key
    used = set(re.findall(r'\bt\("([\w.]+\w)"', sources))
    used |= set(re.findall(r'data-t(?:-title)?="([\w.]+)"', page_text))
    assert used and used <= set(strings), used - set(strings)


# ---- the same run as natively ----
@pytest.mark.parametrize("harts, seed, commands", [
    (1, 1, ["ls"]), (3, 9, ["ls /bin", "usertests forktest"]), (2, 2, ["sleep 1", "echo x"])])
def test_the_same_run(page, tmp_path, harts, seed, commands):
    page.open({"commands": commands, "settings": {"harts": str(harts), "seed": str(seed)}})
    text, count = sim("--kernel", KERNEL, "--disk", machine.default_image(), "--harts", str(harts),
                      "--seed", str(seed), "--append", f"design={machine.default_design()}",
                      "-c", "\n".join(commands))
    page.wait(lambda: page.last and not page.last["running"], "the end")
    assert page.last["instructions"] == count
    assert page.console == text.replace("\r", "")
