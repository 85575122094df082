"""tools/ptview as a script calls it, with and without a browser."""
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import machine
import pytest
from ptviewenv import COMMAND, DATA, FOLDER, Tree, W, X, log, needs_browser, page_list, user_leaves

SHARE = os.path.join(FOLDER, "share.log")
LAB = os.path.join(FOLDER, "lab.log")


def run(*args, text=None, env=None, cwd=None):
    return subprocess.run([sys.executable, COMMAND, *map(str, args)], check=False, cwd=cwd,
                          input=text or "", capture_output=True, encoding="utf-8",
                          env={**os.environ, **(env or {})})


def boot_root():
    """The root of the first dump in the log, in short."""
    return hex(int(re.search(r"page table (0x\w+)", log("share"))[1], 16))


def test_help():
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    for word in ("--dump", "--ram", "--lang", "--browser", "--check", "--errors", "--list",
                 "--map", "--compare", "-o"):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("args, says", [
    ([], "nothing to do"), ([SHARE], "nothing to do"), ([SHARE, "-o", "x.png"], "neither"),
    (["-o", "x.svg"], "no LOG"), (["--check"], "no LOG"), (["--what"], "--what"),
    (["missing.log", "-o", "x.html"], "missing.log"), ([".", "-o", "x.html"], "directory"),
    ([SHARE, "-o", "none/x.html"], "none/x.html"),
    ([SHARE, "-o", "x.svg", "--dump", "0"], "--dump"),
    ([SHARE, "--list", "--lang", "fr"], "--lang fr"), ([SHARE, "--list", "--ram", "much"], "--ram"),
    ([SHARE, "--list", "--browser", "no-such-browser"], "no-such-browser"),
    ([SHARE, "missing.log", "--list"], "missing.log: No such file"),
    (["-", "-", "--list"], "once"),
    ([SHARE, "--map"], "--map is a picture"), ([SHARE, "--list", "--errors"], "for --check"),
    ([SHARE, "--map", "-o", "x.html"], "give -o FILE.svg"),
    (["--map", "-o", "x.svg"], "no LOG"), (["--compare", "1", "2"], "no LOG"),
    ([SHARE, "--compare", "1"], "--compare"), ([SHARE, "--compare", "1", "x"], "--compare x"),
    ([SHARE, "--compare", "2", "2"], "the same"),
    ([SHARE, "--compare", "1", "2", "--dump", "1"], "--compare and --dump"),
    ([SHARE, "--compare", "1", "2", "--check"], "--compare and --check"),
    ([SHARE, "--compare", "1", "2", "--map", "-o", "x.svg"], "--compare and --map")])
def test_mistakes(tmp_path, args, says):
    done = run(*args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr and len(done.stderr.splitlines()) == 1
    assert os.listdir(tmp_path) == []


def test_without_a_browser(tmp_path):
    """One sentence that names the package; the page itself needs none."""
    env = {"PATH": str(tmp_path)}
    done = run(SHARE, "-o", tmp_path / "x.svg", env=env)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "package is chromium" in done.stderr
    assert run(SHARE, "-o", tmp_path / "x.html", env=env).returncode == 0


def test_a_browser_that_fails_is_said(tmp_path):
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho 'no display, alas' >&2\nexit 1\n")
    broken.chmod(0o755)
    done = run(SHARE, "--list", "--browser", broken)
    assert done.returncode == 2 and "no display, alas" in done.stderr


def test_page(tmp_path):
    evil = "</script><!-- <b>\n"
    assert run("-", "-o", tmp_path / "p.html", text=evil + log("share")).returncode == 0
    html = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert html.startswith("<!doctype html>") and html.count("</script>") == 2
    assert "between" in html and "<!--" not in html


@needs_browser
def test_picture(tmp_path):
    done = run(SHARE, "-o", tmp_path / "t.svg")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    svg = (tmp_path / "t.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(svg).tag.endswith("svg")
    assert "kernel view of process 1 (init), share" in svg
    assert run(SHARE, "-o", tmp_path / "t.svg", "--dump", 1, "--lang", "zh").returncode == 0
    svg = (tmp_path / "t.svg").read_text(encoding="utf-8")
    assert f"页表 {boot_root()}" in svg


@needs_browser
@pytest.mark.hand
def test_map(tmp_path):
    done = run(SHARE, "--dump", 2, "--map", "-o", tmp_path / "m.svg")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    svg = (tmp_path / "m.svg").read_text(encoding="utf-8")
    for text in ("user view of process 1 (init), share", ">R-XU<", ">0x3fffffe000<", ">RWX<"):
        assert text in svg


@needs_browser
@pytest.mark.hand
def test_compare(tmp_path):
    """As text, as the map of both, and in the page; in the order that was asked for."""
    (tmp_path / "a").write_text(Tree(user_leaves() | {9: (0x87e70, DATA)}).text())
    changed = user_leaves() | {2: (0x87e11, DATA & ~W), 4: (0x87e99, DATA), 6: (0x87e71, DATA)}
    (tmp_path / "b").write_text(Tree(changed, root=0x87d00).text())
    done = run("a", "b", "--compare", 1, 2, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == """Before: 1. a: page table 0x87f00000
After: 2. b: page table 0x87d00000
came
    0x6000\u20130x6fff VRW-U-AD
went
    0x9000\u20130x9fff VRW-U-AD
changed
    0x2000\u20130x2fff VRW-U-AD \u2192 VR--U-AD
    0x4000\u20130x4fff VRW-U-AD other frame
"""
    done = run("a", "b", "--compare", 2, 1, "--lang", "zh", cwd=tmp_path)
    assert "\n消失\n    0x6000" in done.stdout
    assert "The two map the same" in run(SHARE, "--compare", 2, 3).stdout
    done = run("a", "b", "--compare", 2, 1, "-o", "m.svg", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    svg = (tmp_path / "m.svg").read_text(encoding="utf-8")
    assert ">Before: 2. b: page table" in svg and ">After: 1. a: page table" in svg
    assert run("a", "b", "--compare", 2, 1, "-o", "p.html", cwd=tmp_path).returncode == 0
    assert '"other": 2, "dump": 1' in (tmp_path / "p.html").read_text(encoding="utf-8")


@needs_browser
@pytest.mark.parametrize("picture, args", [
    ("docs/ptview.svg", [SHARE, "--dump", 4]),
    ("docs/init.svg", [os.path.join(machine.ROOT, "README.md")])])
def test_the_documents_show_what_is_drawn_now(tmp_path, picture, args):
    """`make pictures` draws them again."""
    assert run(*args, "-o", tmp_path / "now.svg").returncode == 0
    with open(os.path.join(machine.ROOT, picture), encoding="utf-8") as f:
        assert f.read() == (tmp_path / "now.svg").read_text(encoding="utf-8")


@needs_browser
@pytest.mark.hand
def test_a_dump_that_is_not_there(tmp_path):
    done = run(SHARE, "-o", tmp_path / "t.svg", "--dump", 9)
    assert done.returncode == 2 and "--dump 9: the number of dumps is 7" in done.stderr
    done = run(SHARE, "--compare", 1, 9)
    assert done.returncode == 2 and "--compare 9: the number" in done.stderr and not done.stdout
    for args in (("--compare", "", 2), ("--dump", "")):
        done = run(SHARE, "-o", tmp_path / "t.svg", *args)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert os.listdir(tmp_path) == []


@needs_browser
def test_a_log_without_a_dump():
    done = run("-", "--check", text="hello\n")
    assert done.returncode == 2 and "no page table" in done.stderr


@needs_browser
@pytest.mark.hand
def test_a_log_without_a_dump_among_others(tmp_path):
    """It is said, and the others are shown."""
    (tmp_path / "empty.log").write_text("hello\n")
    done = run(tmp_path / "empty.log", SHARE, "--list", "-o", tmp_path / "p.svg")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 7
    assert done.stderr == "ptview: empty.log: no page table is in it\n"
    assert (tmp_path / "p.svg").exists()


@needs_browser
@pytest.mark.hand
def test_several_logs(tmp_path):
    """Dumps are numbered through and named with their file; one boot's kernel view is not held
    against another boot's user view."""
    done = run(SHARE, LAB, "--list")
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert done.returncode == 0 and len(lines) == 8
    assert lines[0].startswith(f"1. share.log: page table {boot_root()} (line 2): ")
    assert lines[7].startswith("8. lab.log: page table 0x")
    (tmp_path / "share.log").write_text(Tree(user_leaves()).text())
    done = run("-o", "t.svg", SHARE, "--dump", 8, "share.log", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ">share.log: page table 0x87f00000<" in (tmp_path / "t.svg").read_text(encoding="utf-8")

    view = "{} view of process 1 (init), share:".format
    (tmp_path / "user").write_text(Tree(user_leaves()).text(title=view("user")))
    (tmp_path / "kernel").write_text(
        Tree({5: (0x87e77, 0x17)}, root=0x87d00).text(title=view("kernel")))
    both = (tmp_path / "user").read_text() + (tmp_path / "kernel").read_text()
    assert "disagrees" in run("-", "--check", text=both).stdout
    assert run("user", "kernel", "--check", cwd=tmp_path).stdout == (
        "user: 1 dump: nothing found\nkernel: 1 dump: warning: No trampoline\n")


@needs_browser
@pytest.mark.hand
def test_a_class(tmp_path):
    """A line for each log, whatever is in it; errors alone decide the status when asked."""
    tree = Tree(user_leaves()).text()
    logs = {"anna": tree, "ben": "hello\n", "carl": page_list(user_leaves()) + tree,
            "dora": tree + Tree(user_leaves() | {2: (0x87e11, DATA | X)}).text() * 2 + tree[:-20]}
    for name, text in logs.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "xv6.out").write_text(text)
    (tmp_path / "emil").mkdir()
    (tmp_path / "emil" / "xv6.out").write_text(Tree(user_leaves() | {5: (0x87f00, DATA)}).text())
    paths = [f"{name}/xv6.out" for name in logs]
    lines = ["anna/xv6.out: 1 dump: nothing found", "ben/xv6.out: no page table",
             "carl/xv6.out: 2 dumps: nothing found",
             "dora/xv6.out: 4 dumps: warning: Writable and executable; "
             "1 line could not be read as printed"]
    done = run(*paths, "--check", cwd=tmp_path)
    assert (done.returncode, done.stderr, done.stdout.splitlines()) == (1, "", lines)
    assert run(*paths, "--check", "--errors", cwd=tmp_path).returncode == 0
    done = run(*paths, "emil/xv6.out", "--check", "--errors", cwd=tmp_path)
    assert done.returncode == 1 and done.stdout.splitlines() == [
        *lines, "emil/xv6.out: 1 dump: error: User memory maps a page table"]
    done = run("carl/xv6.out", "emil/xv6.out", "--check", "--lang", "zh", cwd=tmp_path)
    assert done.stdout.startswith("carl/xv6.out: 页表 2 份: 未发现问题\nemil/xv6.out: 页表 1 份: 错误: ")


@needs_browser
def test_list():
    done = run(SHARE, "--list")
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 7
    assert done.stdout.startswith(f"1. page table {boot_root()} (line 2): ")


@needs_browser
def test_check():
    """Status 1 for mistakes and for what could not be read; notes, and what xv6 does, are none."""
    assert run(SHARE, "--check").returncode == 0
    done = run(LAB, "--check")
    assert done.returncode == 0
    assert "note: All of user memory is writable and executable: 0x0\u20130x2fff" in done.stdout
    text = Tree(user_leaves()).text()
    assert run("-", "--check", text=text.replace("4d7", "457")).returncode == 0
    assert run("-", "--check", text=text[:-20]).returncode == 1
    assert run("-", "--check", "--ram", "64M", text=text).returncode == 1
