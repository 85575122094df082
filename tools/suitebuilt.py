"""Suites of programs that are compiled here: threads, with two C libraries and in two ways each;
SQLite's own programs for concurrent use, linked with Debian's library; and the helpers of the tests
of busybox's shell.
"""
import glob
import os
import re

import machine
import musl
import packages
import sources
from suite import Suite, counted


def built(source, name, *words):
    """The bytes of a program of this source, with glibc."""
    program = packages.folder(name)
    musl.gcc("-O1", "-w", "-o", program, source, *words)
    with open(program, "rb") as f:
        return f.read()


class Threads(Suite):
    name = "threads"
    title = "threads with glibc and musl (`tests/linux/crew.c`)"
    packages = ("libc6", "libgcc-s1")  # the second is loaded when a thread is cancelled
    source = os.path.join(machine.ROOT, "tests", "linux", "crew.c")

    def parts(self):
        return [f"{library}-{kind}" for library in ("glibc", "musl")
                for kind in ("static", "dynamic")]

    def add(self, tree):
        for kind in ("static", "dynamic"):
            words = ["-static"] if kind == "static" else []
            tree.add_file(f"suite/glibc-{kind}", built(self.source, "crew", *words), 0o755)
            tree.add_file(f"suite/musl-{kind}", musl.compile_with(
                self.source, packages.folder("crew"), kind == "static"), 0o755)
        tree.add_file(f"lib/{musl.LOADER}", musl.loader(), 0o755)

    def command(self, part):
        return f"/suite/{part}"


class Sqlite(Suite):
    name = "sqlite"
    title = "SQLite 3.46's mptest, threadtest4 and speedtest1"
    packages = ("libsqlite3-0",)
    limit = 1200
    prepare = "mkdir -p /tmp/sqlite; cp -r /suite/mptest /tmp/sqlite; cd /tmp/sqlite/mptest"
    commands = {
        "config01": "mptester c1.db config01.test",
        "config02": "mptester c2.db config02.test",
        "crash01": "mptester r1.db crash01.test",
        "crash01-wal": "mptester r2.db --journalmode WAL crash01.test",
        "multiwrite01": "mptester m1.db multiwrite01.test",
        "multiwrite01-wal": "mptester m2.db --journalmode WAL multiwrite01.test",
        "speedtest1": "speedtest1 --size 3 --verify s.db",
        "threadtest4": "threadtest4 --serialized 4",
        "threadtest4-multi": "threadtest4 --multithread 4",
    }

    def parts(self):
        return list(self.commands)

    def add(self, tree):
        top = glob.glob(os.path.join(sources.get("sqlite3"), "*"))[0]
        headers, library = map(packages.unpacked, packages.get_alone(
            ["libsqlite3-dev", "libsqlite3-0"]))
        words = ("-DHAVE_USLEEP", "-I", os.path.join(headers, "usr", "include"),
                 *glob.glob(os.path.join(library, "usr", "lib", "*", "libsqlite3.so.0")),
                 "-Wl,--allow-shlib-undefined")
        for name, source in (("mptester", self.patient(top)),
                             ("speedtest1", os.path.join(top, "test", "speedtest1.c")),
                             ("threadtest4", os.path.join(top, "test", "threadtest4.c"))):
            tree.add_file(f"suite/{name}", built(source, name, *words), 0o755)
        tree.add_host_folder(os.path.join(top, "mptest"), under="suite/mptest")

    @staticmethod
    def patient(top):
        """mptest.c, whose processes wait ten seconds for one another, which is too little when the
        host has other things to do: ten minutes here."""
        with open(os.path.join(top, "mptest", "mptest.c"), encoding="utf-8") as f:
            text, n = re.subn(r"(?m)^(#define DEFAULT_TIMEOUT ) *10000$", r"\1 600000", f.read())
        assert n == 1, "mptest.c has no such time"
        source = packages.folder("mptest.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write(text)
        return source

    def command(self, part):
        return f"/suite/{self.commands[part]}"


class Ash(Suite):
    name = "ash"
    title = "busybox 1.37's own, of its shell"
    limit = 900
    prepare = "cp -r /suite/ash /tmp/ash; cd /tmp/ash; ln -s /bin/busybox ash"

    @staticmethod
    def folder(*parts):
        top = sources.get("busybox", with_debian=True)
        return os.path.join(*glob.glob(os.path.join(top, "busybox-*", "shell", "ash_test")), *parts)

    def parts(self):
        return sorted(name for name in os.listdir(self.folder()) if name.startswith("ash-"))

    def add(self, tree):
        tree.add_host_folder(self.folder(), under="suite/ash")
        for name in ("printenv", "recho", "zecho"):
            tree.add_file(f"suite/ash/{name}", built(self.folder(f"{name}.c"), name, "-static"),
                          0o755)
        tree.add_host_file("suite/ash/.config", os.path.join(
            sources.get("busybox", with_debian=True), "debian", "config", "pkg", "static"), 0o644)

    def command(self, part):
        return f"./run-all {part}; cat {part}-*.fail"  # of those that failed, how

    def read(self, part, said):
        return counted(said, r"ash-.*: ok$", r"ash-[^/]*/(.*): fail", r"ash-.*: skip")
