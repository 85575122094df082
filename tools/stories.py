"""Stories of the page of make live: read from tools/live.d/stories/*.txt, and played natively.

docs/live.md says how one is written. A mistake in one is a Mistake: "fork.txt:12: ...".
"""
import ctypes
import glob
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import elfpatch  # noqa: E402

FOLDER = os.path.join(os.path.dirname(os.path.realpath(__file__)), "live.d", "stories")
LANGUAGES = ("en", "zh")
SHOWN = {"tables": "tables", "tlb": "kept", "frames": "frames", "events": "events"}
SETTINGS = ("design", "harts", "append")
CAUSES = {"illegal instruction": 2, "breakpoint": 3, "ecall": 8, "fetch page fault": 12,
          "load page fault": 13, "store page fault": 15, "timer interrupt": 1 << 63 | 5,
          "external interrupt": 1 << 63 | 9}


class Mistake(Exception):
    pass


class Reader:
    """Reads one story; kernel: the bytes of the ELF file that it is about."""

    def __init__(self, path, kernel):
        self.path, self.kernel, self.number = path, kernel, 0
        self.functions = elfpatch.functions(kernel)
        self.story = {"name": os.path.basename(path)[:-4], "title": {}, "settings": {},
                      "seeds": range(1, 2), "patches": [], "forget": [], "stops": []}
        self.typed = self.text = None

    def wrong(self, why, number=None):
        raise Mistake(f"{os.path.basename(self.path)}:{number or self.number}: {why}")

    def read(self):
        with open(self.path, encoding="utf-8") as f:
            for self.number, line in enumerate(f, 1):
                self.line(line.rstrip("\n"))
        for language in LANGUAGES:
            if language not in self.story["title"]:
                self.wrong(f"the story has no title {language}")
        if not self.story["stops"]:
            self.wrong("the story has no stop")
        self.check_texts()
        return self.story

    def line(self, line):
        if line.startswith("    ") and self.text is not None:
            holder, language = self.text
            between = "" if language == "zh" else " "  # Chinese has no blanks between words
            holder[language] += between + line.strip()
            return
        self.text = None
        if not line.strip() or line.startswith("#"):
            return
        word, _, rest = line.strip().partition(" ")
        known = {"title": self.title, "forget": self.forget, "type": self.type, "stop": self.stop,
                 "show": self.show, "en": self.sentence, "zh": self.sentence}
        if word == "seed":
            self.seed(rest)
        elif word in SETTINGS:
            self.story["settings"][word] = rest
        elif word in known:
            known[word](rest.strip(), word)
        else:
            self.wrong(f"a line cannot begin with {word}")

    def title(self, rest, _):
        language, _, text = rest.partition(" ")
        if language not in LANGUAGES or not text:
            self.wrong("title en TEXT, or title zh TEXT")
        self.story["title"][language] = text

    def seed(self, rest):
        m = re.fullmatch(r"(\d+)(?:-(\d+))?", rest)
        if not m or int(m[2] or m[1]) < int(m[1]):
            self.wrong("seed NUMBER, or seed FIRST-LAST")
        self.story["seeds"] = range(int(m[1]), int(m[2] or m[1]) + 1)

    def function(self, name):
        if name not in self.functions:
            self.wrong(f"the kernel has no function {name}")
        return name

    def forget(self, rest, _):
        m = re.fullmatch(r"sfence\.vma (\d+) in (\w+)", rest)
        if not m:
            self.wrong("forget sfence.vma NUMBER in FUNCTION")
        places, number = elfpatch.fences(self.kernel, self.function(m[2])), int(m[1])
        if not 1 <= number <= len(places):
            self.wrong(f"{m[2]} has {len(places)} sfence.vma")
        self.story["patches"].append({"at": places[number - 1],
                                      "words": list(elfpatch.NOP.to_bytes(4, "little"))})
        self.story["forget"].append(rest)

    def type(self, rest, _):
        self.typed = rest

    def stop(self, rest, _):
        if self.story["stops"]:
            self.check_texts()
        at = self.place(rest)
        self.story["stops"].append({"number": self.number, "line": "stop " + rest, "at": at,
                                    "type": self.typed, "show": None, "text": {}})
        self.typed = None

    def place(self, rest):
        if rest in ("at prompt", "at finding", "at switch"):
            what = rest.split()[1]
            return {"what": "satp" if what == "switch" else what}
        m = re.fullmatch(r"at function (\w+)(?: call (\d+))?", rest)
        if m:
            return {"what": "function", "name": self.function(m[1]), "call": int(m[2] or 1)}
        m = re.fullmatch(r"at (table|trap ([\w ]+?))(?: at (0x[0-9a-f]+))?(?: in (\w+))?", rest)
        if not m or (m[1] == "table" and m[3]):
            self.wrong(f"it is not known what this is: stop {rest}")
        if m[2] and m[2] not in CAUSES:
            self.wrong(f"no trap is called {m[2]}; there are: {', '.join(CAUSES)}")
        at = {"what": "trap" if m[2] else "table"}
        if m[2]:
            at["cause"] = str(CAUSES[m[2]])  # it may be more than a JavaScript number holds
        if m[3]:
            at["address"] = m[3]
        if m[4]:
            at["name"] = self.function(m[4])
        return at

    def last(self):
        if not self.story["stops"]:
            self.wrong("there is no stop before this line")
        return self.story["stops"][-1]

    def show(self, rest, _):
        if rest not in SHOWN:
            self.wrong(f"nothing that is shown is called {rest}; there are: {', '.join(SHOWN)}")
        self.last()["show"] = SHOWN[rest]

    def sentence(self, rest, language):
        self.last()["text"][language] = rest
        self.text = self.last()["text"], language

    def check_texts(self):
        stop = self.story["stops"][-1]
        for language in LANGUAGES:
            if language not in stop["text"]:
                self.wrong(f"the stop has no sentences that begin with {language}", stop["number"])


def read_all(kernel, folder=FOLDER):
    """The stories of a folder, in the order of their names. kernel: the path of the ELF file."""
    with open(kernel, "rb") as f:
        data = f.read()
    return [Reader(path, data).read() for path in sorted(glob.glob(os.path.join(folder, "*.txt")))]


# ---- played ----
BYTE, TEXT = ctypes.CFUNCTYPE(None, ctypes.c_uint), ctypes.CFUNCTYPE(None, ctypes.c_char_p)
NEVER = (1 << 64) - 1
SLICE, MOST = 50000, 400000000
HARTS, MODE, SEED = 0, 3, 2  # enum live_option of machine/wasm/shell.c
WAITS, OVER = 1, (2, 3, 4)   # sim_end.how
KINDS = ("trap", "satp", "table")


class Player:
    """A machine that plays one story; library: machine/wasm compiled for this host."""

    def __init__(self, library, kernel, disk, story):
        self.lib = ctypes.CDLL(library)
        for name in ("instructions", "next_ns", "events", "called"):
            getattr(self.lib, "live_" + name).restype = ctypes.c_uint64
        for name in ("create", "place"):
            getattr(self.lib, "live_" + name).restype = ctypes.c_char_p
        self.lib.live_snapshot.restype = ctypes.c_void_p
        self.lib.live_event.restype = ctypes.POINTER(ctypes.c_uint64)
        self.lib.live_watch.restype = ctypes.c_bool
        self.printed, self.found, self.pending = b"", 0, b""
        self.calls = BYTE(self.hear), TEXT(self.find)
        for name, call in zip(("page_console", "page_finding"), self.calls):
            ctypes.c_void_p.in_dll(self.lib, name).value = ctypes.cast(call, ctypes.c_void_p).value
        self.make(kernel, disk, story)

    def make(self, kernel, disk, story):
        settings = story["settings"]
        changed = bytearray(kernel)
        for patch in story["patches"]:
            changed[patch["at"]:patch["at"] + 4] = bytes(patch["words"])
        words = [f"design={settings['design']}"] if "design" in settings else []
        words += [settings["append"]] if "append" in settings else []
        self.kept = bytes(changed), disk, " ".join(words).encode()
        for option, value in ((HARTS, settings.get("harts", 1)), (SEED, settings.get("seed", 1)),
                              (MODE, 0)):
            self.lib.live_option(option, ctypes.c_uint64(int(value)))
        self.lib.live_append(self.kept[2])
        self.lib.live_kernel(self.kept[0], ctypes.c_size_t(len(changed)), b"kernel")
        self.lib.live_disk(0, self.kept[1], ctypes.c_size_t(len(disk)), b"disk")
        wrong = self.lib.live_create()
        if wrong:
            raise Mistake(wrong.decode())

    def hear(self, byte):
        self.printed += bytes([byte])

    def find(self, _):
        self.found += 1
        self.found_at = self.now

    @property
    def now(self):
        return self.lib.live_instructions()

    def run(self, count):
        return self.lib.live_run(ctypes.c_uint64(count))

    def slice(self):
        """false: nothing will happen any more."""
        if self.pending:
            taken = self.lib.live_input(self.pending, ctypes.c_size_t(len(self.pending)))
            self.pending = self.pending[taken:]
        self.before = self.lib.live_snapshot()
        how = self.run(SLICE)
        if how == WAITS and self.lib.live_next_ns() == NEVER and not self.pending:
            return False
        if how == WAITS and self.lib.live_next_ns() != NEVER:
            self.skip = self.lib.live_next_ns()
        return how not in OVER

    def go_on(self):
        """After a slice that brought nothing."""
        self.lib.live_snapshot_free(ctypes.c_void_p(self.before))
        if self.skip is not None:
            self.lib.live_skip(ctypes.c_uint64(self.skip))

    def to(self, when):
        """To an instruction of the slice."""
        self.lib.live_restore(ctypes.c_void_p(self.before))
        if when > self.now:
            self.run(when - self.now)

    def reaches(self, found):
        """Runs until found() gives an instruction, and goes there; whether it has come to that."""
        end = self.now + MOST
        while self.now < end:
            self.skip = None
            alive = self.slice()
            when = found()
            if when is not None:
                self.to(when)
                return True
            if not alive:
                return False
            self.go_on()
        return False

    def play(self, stop):
        at = stop["at"]
        if stop["type"]:
            self.pending = stop["type"].encode() + b"\r"
        if at["what"] == "prompt":
            printed = len(self.printed) + 1
            return self.reaches(lambda: self.now if len(self.printed) > printed and
                                self.printed.endswith(b"$ ") else None)
        if at["what"] == "finding":
            found = self.found
            return self.reaches(lambda: self.found_at if self.found > found else None)
        if at["what"] == "function":
            self.run(1)
            self.lib.live_watch(at["name"].encode(), ctypes.c_uint64(at["call"]))
            return self.reaches(lambda: None if self.lib.live_called() == NEVER else
                                self.lib.live_called())
        return self.play_event(at)

    def play_event(self, at):
        number = self.lib.live_events()

        def found():
            nonlocal number
            for number in range(number, self.lib.live_events()):
                event = self.lib.live_event(ctypes.c_uint64(number))
                kind, _, when, pc, first, second = event[:6]
                if KINDS[kind] == at["what"] and self.fits(at, pc, first, second):
                    return when
            number = self.lib.live_events()
            return None
        return self.reaches(found)

    def fits(self, at, pc, first, second):
        place = self.lib.live_place(ctypes.c_uint64(pc)).decode()
        return ("cause" not in at or first == int(at["cause"])) and \
            ("address" not in at or second == int(at["address"], 16)) and \
            ("name" not in at or at["name"] in (place.split("+")[0],
                                                place.split("(")[-1].rstrip(")")))


def missed(library, kernel, disk, story):
    """The first stop that is not reached, or None."""
    player = Player(library, kernel, disk, story)
    return next((stop for stop in story["stops"] if not player.play(stop)), None)


def choose_seed(library, kernel, disk, story):
    """The first of the story's seeds with which all stops are reached becomes its setting. Raises a
    Mistake when there is none. kernel, disk: bytes."""
    seeds = story.pop("seeds")
    for seed in seeds:
        story["settings"]["seed"] = str(seed)
        stop = missed(library, kernel, disk, story)
        if not stop:
            return
    raise Mistake(f"{story['name']}.txt:{stop['number']}: this is never reached: {stop['line']}" +
                  (f" (with the last of {len(seeds)} seeds)" if len(seeds) > 1 else ""))
