#!/usr/bin/env python3
"""Makes the page in which the machine runs, with everything inside: make live.

    tools/live.py MACHINE.wasm MACHINE.so KERNEL DISK PAGE.html

MACHINE.so: the same machine for this host. With it each story is played, to see that it is as it
says. Status 2: it could not be done; a sentence says why.
"""
import base64
import gzip
import json
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import doctorwords  # noqa: E402
import machine  # noqa: E402
import stories  # noqa: E402

FOLDER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "live.d")
# In the order in which they build on each other.
WORKER = ("machine", "history", "travel", "look", "story", "doctor", "worker")
# What the page draws as ptview does.
PTVIEW = ("sv39", "parse", "checks", "compare", "strings", "strings-checks", "look", "picture")
SCRIPTS = ("strings", "terminal", "view", "pagetables", "beside", "memory", "timeline", "teller",
           "files", "words", "main")
PTVIEW_FOLDER = os.path.join(os.path.dirname(FOLDER), "ptview.d")


def part(name, folder=FOLDER):
    with open(os.path.join(folder, name), encoding="utf-8") as f:
        return f.read()


def packed(path):
    """A file as the page's own code unpacks it; the same bytes each time."""
    with open(path, "rb") as f:
        return base64.b64encode(gzip.compress(f.read(), 9, mtime=0)).decode()


def played(library, kernel, disk):
    told = stories.read_all(kernel)
    with open(kernel, "rb") as k, open(disk, "rb") as d:
        kernel, disk = k.read(), d.read()
    for story in told:
        stories.choose_seed(library, kernel, disk, story)
    return told


def inside(wasm, library, kernel, disk):
    return {"wasm": packed(wasm), "kernel": packed(kernel), "disk": packed(disk),
            "stories": played(library, kernel, disk),
            "doctor": {language: doctorwords.read_words(language)
                       for language in doctorwords.LANGUAGES},
            "designs": machine.designs(), "design": machine.default_design()}


def page_html(files, preset=None):
    """The page as one text. files: what inside() gives. preset: what main.js finds when it starts:
    language, settings, commands, paused."""
    texts = {"STYLE": part("controls.css", PTVIEW_FOLDER) + part("page.css"),
             # No tag may end the script early.
             "PRESET": json.dumps(preset or {}).replace("<", "\\u003c"),
             "INSIDE": json.dumps(files),
             "WORKER": "\n".join(part(name + ".js") for name in WORKER),
             "SCRIPT": "\n".join([part(name + ".js", PTVIEW_FOLDER) for name in PTVIEW] +
                                 [part(name + ".js") for name in SCRIPTS])}
    return re.sub(r"/\*(STYLE|PRESET|INSIDE|WORKER|SCRIPT)\*/", lambda m: texts[m[1]],
                  part("page.html"))


def main(args):
    if len(args) != 5:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    try:
        text = page_html(inside(*args[:4]))
        with open(args[4], "w", encoding="utf-8") as f:
            f.write(text)
    except OSError as e:
        print(f"live: {e.filename}: {e.strerror}", file=sys.stderr)
        return 2
    except stories.Mistake as e:
        print(f"live: {e}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
