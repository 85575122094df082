"""./run --view: the session works as without it, and ends in a page that shows its tables.
One test, since there is one page."""
import os
import re
import time

import guest
import machine
import pexpect


def page():
    with open(machine.build_path("view.html"), encoding="utf-8") as f:
        return f.read()


def fake_opener(folder):
    """A desktop: its xdg-open writes down what it was to open."""
    path = folder / "xdg-open"
    path.write_text(f'#!/bin/sh\necho "$1" > {folder}/opened.new\n'
                    f"mv {folder}/opened.new {folder}/opened\n")
    path.chmod(0o755)
    return {"DISPLAY": ":0", "PATH": f"{folder}:{os.environ['PATH']}"}


def interactive(env):
    """A session on a terminal that Ctrl-A X ends; what it showed."""
    env = {k: v for k, v in os.environ.items() if "DISPLAY" not in k} | env
    child = pexpect.spawn(os.path.join(machine.ROOT, "run"), ["--no-build", "--view"], env=env,
                          encoding="utf-8", timeout=guest.DEADLINE)
    child.expect(r"\n\$ $")
    child.send("vmprint -u; echo a''b\n")
    child.expect(r"\nab\r\n\$ $")
    child.send("\x01x")
    child.expect(pexpect.EOF)
    text = child.before
    child.close()
    assert child.exitstatus == 0
    return text


def test_view(tmp_path):
    done = guest.run("--view", "-c", "echo the-first; vmprint -u; exit 3")
    assert done.returncode == 3
    assert done.stdout.startswith("the-first\nuser view of process ")
    assert done.stderr.strip().endswith(machine.build_path("view.html"))
    assert page().count("page table 0x0000") == 1 and "the-first" in page()

    assert "The page tables of the session: " in interactive({})
    assert not (tmp_path / "opened").exists()
    # The boot's dump and the session's; nothing of the session before.
    assert page().count("page table 0x0000") == 2 and "the-first" not in page()

    text = interactive(fake_opener(tmp_path))
    shown = re.search(r"session: (.*?)\r?$", text, re.M)[1].strip()
    deadline = time.monotonic() + guest.DEADLINE
    while not (tmp_path / "opened").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (tmp_path / "opened").read_text().strip() == shown
