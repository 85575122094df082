"""Go's own tests of the packages that reach for the system. Go's programs make system calls without
a C library, so what a C library hides is seen. They are compiled here by the host's Go, static.
"""
import io
import os
import shutil
import subprocess
import zipfile

import machine
import packages
from suite import Suite, counted


def go(*words):
    """What the host's Go prints, told to make programs for the guest. Unusable: why it does not."""
    if not shutil.which("go"):
        raise machine.Unusable("go: not found; Debian's packages golang-go and golang-src have it")
    done = subprocess.run(
        ["go", *words], check=False, capture_output=True, encoding="utf-8", errors="replace",
        stdin=subprocess.DEVNULL, env={
            **os.environ, "GOOS": "linux", "GOARCH": "riscv64", "CGO_ENABLED": "0",
            "GOFLAGS": "-p=1", "GOCACHE": packages.folder("go", "cache"),
            "GOPATH": packages.folder("go", "path")})
    if done.returncode:
        raise machine.Unusable(f"go {' '.join(words[:2])}: {done.stderr.strip()[-300:]}")
    return done.stdout.strip()


def zones():
    """What the package tzdata has of time zones, as Go has it: an archive that is not packed."""
    folder = os.path.join(packages.unpacked(*packages.get_alone(["tzdata"])), "usr", "share",
                          "zoneinfo")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for at, _, names in os.walk(folder):
            for name in set(names) - {"localtime"}:  # the machine's own
                path = os.path.join(at, name)
                archive.write(path, os.path.relpath(path, folder))
    return made.getvalue()


class Go(Suite):
    name = "go"
    title = "Go 1.19's own, of the packages that reach for the system"
    limit = 600  # net moves two GiB through sockets
    packages = ("netbase",)
    mib = 700
    alone = True
    of = ("archive/tar", "bufio", "internal/poll", "io/ioutil", "log", "net", "os", "os/exec",
          "os/signal", "os/user", "path/filepath", "runtime", "sync", "syscall", "time")
    # With flags for the compiler, tests that build programs, which takes Go itself, are skipped.
    prepare = "export GOROOT=/suite/go GO_GCFLAGS=none"

    def parts(self):
        return list(self.of)

    def add(self, tree):
        """Each test is beside its sources, where it looks for what it reads. Debian leaves out the
        archive of time zones that time's want, and path/filepath's want two folders elsewhere."""
        for name in ("fixedbugs", "ken"):
            tree.add_folder(f"suite/go/test/{name}")
        tree.add_file("suite/go/lib/time/zoneinfo.zip", zones())
        root, version = go("env", "GOROOT", "GOVERSION").split()
        os.makedirs(packages.folder("go", version), exist_ok=True)
        for part in self.parts():
            program = packages.folder("go", version, part.replace("/", "-"))
            if not os.path.exists(program):
                go("test", "-c", "-vet=off", "-ldflags=-s -w", "-o", program, part)
            tree.add_host_file(f"suite/go/src/{part}/tests", program, 0o755)
        for folder in ("testdata", "io", *self.parts()):
            tree.add_host_folder(os.path.join(root, "src", folder), under=f"suite/go/src/{folder}")

    def command(self, part):
        return f"cd $GOROOT/src/{part} && ./tests -test.short -test.v"

    def read(self, part, said):
        return counted(said, "--- PASS: ", r"--- FAIL: (\S+)", "--- SKIP: ", ends=True)
