"""The suites that tools/suites.py runs: where each is from, what has to be in the root for it, how
a part of it is run, and what that prints. A part is what is run by itself, such as one file.
"""
import glob
import os
import re

import machine
import packages
import sources
import suitebuilt
import suitego
import suitepackages
from suite import Suite, counted


class Busybox(Suite):
    name = "busybox"
    title = "busybox 1.37's own"
    packages = ("zip",)
    limit = 600
    # Not run: those that need another machine (wget), and one that looks at sources alone.
    without = ("all_sourcecode", "wget", "mount")
    prepare = """mkdir -p /tmp/bb; cp -r /suite/testsuite /tmp/bb
cp /bin/busybox /suite/.config /tmp/bb; cd /tmp/bb/testsuite"""

    def folder(self):
        return os.path.join(sources.get("busybox", with_debian=True), self.top(), "testsuite")

    @staticmethod
    def top():
        found = [name for name in os.listdir(sources.get("busybox", with_debian=True))
                 if name.startswith("busybox-")]
        return found[0]

    def parts(self):
        found = set()
        for name in os.listdir(self.folder()):
            if name.endswith(".tests"):
                found.add(name[:-len(".tests")])
            elif os.path.isdir(os.path.join(self.folder(), name)) and "." not in name:
                found.add(name)
        return sorted(found - set(self.without))

    def add(self, tree):
        tree.add_host_folder(self.folder(), under="suite/testsuite")
        for name in [*(f"{part}.tests" for part in self.parts()), "runtest", "testing.sh"]:
            source = os.path.join(self.folder(), name)
            if os.path.exists(source):
                tree.add_host_file(f"suite/testsuite/{name}", source, 0o755)
        tree.add_host_file("suite/.config", os.path.join(
            sources.get("busybox", with_debian=True), "debian", "config", "pkg", "static"), 0o644)

    def command(self, part):
        return f"./runtest {part}"

    def read(self, part, said):
        return counted(said, "PASS: ", "FAIL: (.*)", "SKIPPED: |UNTESTED: ")


class Lua(Suite):
    name = "lua"
    title = "Lua 5.1's own"
    packages = ("lua5.1",)
    limit = 300
    # main.lua is about the program's command line, and needs it at another place; big and verybig
    # are for hours, and for another machine.
    files = ("api", "attrib", "calls", "checktable", "closure", "code", "constructs", "db",
             "errors", "events", "files", "gc", "literals", "locals", "math", "nextvar", "pm",
             "sort", "strings", "vararg")
    prepare = "cp -r /suite/lua /tmp/lua; cd /tmp/lua"

    def parts(self):
        return list(self.files)

    def add(self, tree):
        folder = os.path.join(sources.get("golang-github-yuin-gopher-lua"), "gopher-lua",
                              "_lua5.1-tests")
        if not os.path.isdir(folder):
            raise machine.Unusable(f"{folder}: it is not there")
        tree.add_host_folder(folder, under="suite/lua")

    def command(self, part):
        return f"lua5.1 {part}.lua"


class Python(Suite):
    name = "python"
    title = "Python 3.13's own, of what the system does"
    packages = ("python3.13", "libpython3.13-testsuite")
    alone = True
    limit = 600
    mib = 1500
    prepare = "mkdir -p /tmp/w; cd /tmp/w; export TMPDIR=/tmp PYTHONDONTWRITEBYTECODE=1"
    files = ("epoll", "eintr", "fcntl", "file_eintr", "fork1", "io", "ioctl", "largefile", "mmap",
             "openpty", "os", "poll", "popen", "posix", "pty", "resource", "select", "selectors",
             "shutil", "signal", "socket", "subprocess", "tempfile", "termios", "thread",
             "threading", "threadsignals", "time", "wait3", "wait4")
    # They write two GiB into memory.
    without = ("*CopyFileObj*", "*ZeroCopy*")

    def parts(self):
        return list(self.files)

    def add(self, tree):
        pass

    def command(self, part):
        return ("python3.13 -m test -v " + " ".join(f"-i \"{name}\"" for name in self.without) +
                f" -u network test_{part}")

    def read(self, part, said):
        return counted(said, r".*\.\.\. ok$", r"(?:FAIL|ERROR): (\S+)",
                       r".*\.\.\. skipped ")


class Gawk(Suite):
    name = "gawk"
    title = "gawk 5.2's own"
    packages = ("gawk",)
    limit = 240
    # The parts are lists of its Makefile.
    lists = {"basic": "BASIC_TESTS", "unix": "UNIX_TESTS", "extensions": "GAWK_EXT_TESTS"}
    prepare = "cp -r /suite/gawk /tmp/gawk; cd /tmp/gawk; export LC_ALL=C AWKPATH=."
    # How most are run, by Maketests: a program, with or without an input.
    usual = re.compile(r"^(\w+):\n\t@echo \$@\n\t@-AWKPATH=\"\$\(srcdir\)\" \$\(AWK\) -f \$@\.awk "
                       r"((?: -[-\w]+)*) (< \"\$\(srcdir\)\"/\$@\.in )?>_\$@ 2>&1", re.M)

    def folder(self):
        return glob.glob(os.path.join(sources.get("gawk"), "*", "test"))[0]

    def text(self, name):
        with open(os.path.join(self.folder(), name), encoding="utf-8", errors="replace") as f:
            return f.read()

    def parts(self):
        return list(self.lists)

    def add(self, tree):
        tree.add_host_folder(self.folder(), under="suite/gawk")
        usual = {name: (flags, bool(has_input))
                 for name, flags, has_input in self.usual.findall(self.text("Maketests"))}
        for part, name in self.lists.items():
            listed = re.search(rf"^{name} = ((?:.*\\\n)*.*)", self.text("Makefile.am"), re.M)[1]
            tree.add_file(f"suite/gawk/run-{part}", "".join(
                f"t {test} '{flags}' {f'{test}.in' if has_input else '/dev/null'}\n"
                for test in listed.replace("\\", "").split() if test in usual
                for flags, has_input in [usual[test]]).encode())

    def command(self, part):
        return ("t() { gawk -f $1.awk $2 < $3 > _$1 2>&1 || echo EXIT CODE: $? >> _$1; "
                "if cmp -s $1.ok _$1; then echo PASS: $1; else echo FAIL: $1; fi; }; "
                f". ./run-{part}")

    def read(self, part, said):
        return counted(said, "PASS: ", "FAIL: (.*)", "SKIPPED: ")


class Glib(Suite):
    """The programs that Debian installs, without what only their whole package depends on."""
    name = "glib"
    title = "glib 2.84's own, of what the system does"
    packages = ("libglib2.0-0t64",)
    limit = 600  # mainloop moves much through a pipe, a KiB at a time
    mib = 500
    files = ("async-close-output-stream", "async-splice-output-stream", "asyncqueue", "cond",
             "credentials", "dir", "environment", "file", "fileutils", "g-file", "g-file-info",
             "gsubprocess", "hostutils", "inet-address", "io-channel", "io-channel-basic",
             "io-stream", "live-g-file", "mainloop", "mappedfile", "mapping", "mutex",
             "network-address", "network-monitor", "once", "onceinit", "pollable", "private",
             "rec-mutex", "resources", "rwlock", "sleepy-stream", "socket", "socket-address",
             "socket-listener", "socket-service", "spawn-multithreaded", "spawn-path-search",
             "spawn-singlethread", "spawn-test", "task", "testfilemonitor", "testing", "thread",
             "thread-pool", "thread-pool-slow", "threadtests", "timeout", "timer", "trash", "unix",
             "unix-fd", "unix-mounts", "unix-streams", "utils", "utils-isolated", "vfs")
    prepare = """mkdir -p /tmp/home; export HOME=/tmp/home LC_ALL=C.UTF-8
cd /usr/libexec/installed-tests/glib"""

    def parts(self):
        return list(self.files)

    def add(self, tree):
        tests, = map(packages.unpacked, packages.get_alone(["libglib2.0-tests"]))
        where = "usr/libexec/installed-tests/glib"
        tree.add_host_folder(os.path.join(tests, where), under=where)

    def command(self, part):
        return f"$PWD/{part} --tap"

    def read(self, part, said):
        return counted(said, r"ok \d+ (?!.*# SKIP)", r"not ok (?:\d+ )?(\S+)",
                       r"ok \d+ .*# SKIP", ends=True)


class Bash(Suite):
    name = "bash"
    title = "bash 5.2's own"
    packages = ("bash", "perl-base")
    prepare = """cp -r /suite/tests /tmp/tests; cd /tmp/tests; export PATH=/tmp/tests:$PATH
export THIS_SH=/bin/bash BASH_TSTOUT=/tmp/bash-out BUILD_DIR=/tmp TMPDIR=/tmp"""
    # Helpers that the tests call are compiled there with the shell; those that want them say so.
    without = ("all", "minimal", "gprof")

    def folder(self):
        top = sources.get("bash")
        return os.path.join(top, os.listdir(top)[0], "tests")

    def parts(self):
        return sorted(name[len("run-"):] for name in os.listdir(self.folder())
                      if name.startswith("run-") and name[len("run-"):] not in self.without)

    def add(self, tree):
        tree.add_host_folder(self.folder(), under="suite/tests")
        for name, text in HELPERS.items():
            tree.add_file(f"suite/tests/{name}", text.encode(), 0o755)

    def command(self, part):
        return f"cat run-{part} > /tmp/run; /bin/bash /tmp/run > /tmp/said; s=$?; cat /tmp/said; " \
               "[ $s = 0 ] && ! grep -q '^[<>]' /tmp/said"


# What support/recho.c, zecho.c and printenv.c of bash do, by its own words.
HELPERS = {
    "recho": """#!/usr/bin/perl
$i = 0;
for (@ARGV) {
    $s = "";
    for $c (unpack "C*", $_) {
        $s .= $c < 32 ? "^" . chr($c + 64) : $c == 127 ? "^?" : chr $c;
    }
    print "argv[" . ++$i . "] = <$s>\\n";
}
""",
    "zecho": "#!/usr/bin/perl\nprint \"@ARGV\\n\";\n",
    "printenv": """#!/usr/bin/perl
if (!@ARGV) { print "$_=$ENV{$_}\\n" for keys %ENV; exit 0 }
exit 1 unless exists $ENV{$ARGV[0]};
print "$ENV{$ARGV[0]}\\n";
""",
}

SUITES = {suite.name: suite for suite in (
    Busybox(), suitebuilt.Ash(), Lua(), suitepackages.Vi(), Gawk(), suitebuilt.Sqlite(),
    suitebuilt.Threads(), Bash(), Python(), Glib(), suitego.Go(), suitepackages.Packages())}
