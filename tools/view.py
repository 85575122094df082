"""What ./run --view does when the session has ended: the page of tools/ptview with the
session's console log inside, opened where there is something to open it with."""
import os
import shutil
import subprocess
import sys

import machine

PTVIEW = os.path.join(machine.ROOT, "tools", "ptview")


def log_path():
    """Where the console of the session is written to."""
    return machine.build_path("view.log")


def chardev_words():
    """The part of QEMU's -chardev that has it write the log."""
    return ",logfile=" + log_path().replace(",", ",,")


def opener():
    """The system's command that opens a file in the browser, or None."""
    if sys.platform == "darwin":
        return shutil.which("open")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"):
        return shutil.which("xdg-open")
    return None


def show():
    """Writes the page and opens it, or says where it is."""
    page = machine.build_path("view.html")
    done = subprocess.run([sys.executable, PTVIEW, log_path(), "-o", page], check=False)
    if done.returncode:
        return
    command = opener()
    if command:
        # Not waited for: it may be the browser itself.
        subprocess.Popen([command, page], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                         stderr=subprocess.DEVNULL, start_new_session=True)
    print(f"The page tables of the session: {page}", file=sys.stderr)
