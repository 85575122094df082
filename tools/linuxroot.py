"""The root that `./run --linux` boots: busybox with all of its commands, packages, and our own
programs, as an archive in memory. `./run --help` says what is in it.
"""
import hashlib
import os
import re
import stat
import struct
import subprocess
import sys

import consoles
import cpio
import machine
import packages
from machine import Unusable

# Where their names lead on today's systems; packages may still have them the old way.
MERGED = ("bin", "sbin", "lib")
FOLDERS = ("dev", "disk", "etc", "mnt", "proc", "root", "run", "sys", "trellis", "trellis/bin",
           "usr", "usr/bin", "usr/sbin", "usr/lib", "var", "var/log", "xv6")
ETC = {
    "passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "group": "root:x:0:\n",
    "hosts": "127.0.0.1 localhost\n",
    "hostname": "trellis\n",
    "profile": "export PATH=/usr/sbin:/usr/bin:/sbin:/bin:/trellis/bin HOME=/root\n"
               "export PS1='\\w # '\n",
}
# busybox's would ask an init that is not ours.
OURS = ("poweroff", "halt")
SHELL = "exec sh -l </dev/console"
ELF_RISCV = 243
PT_INTERP = 3
LIST_SECONDS = 120


# ---- busybox ----
def check_busybox(path):
    """Unusable: it is no static program for RISC-V."""
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError as e:
        raise Unusable(f"BUSYBOX={path}: {e.strerror}") from e
    if data[:6] != b"\x7fELF\x02\x01" or len(data) < 64 or \
            struct.unpack_from("<H", data, 18)[0] != ELF_RISCV:
        raise Unusable(f"BUSYBOX={path}: not a program for 64-bit RISC-V")
    at, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    if at + size * count > len(data) or size < 56:
        raise Unusable(f"BUSYBOX={path}: not a whole program")
    if any(struct.unpack_from("<I", data, at + i * size)[0] == PT_INTERP for i in range(count)):
        raise Unusable(f"BUSYBOX={path}: it needs shared libraries; a static one is needed")


def busybox():
    """The path of a static busybox: BUSYBOX=FILE, or apt's. Unusable: why there is none."""
    given = os.environ.get("BUSYBOX")
    if given:
        check_busybox(given)
        return given
    for path in packages.get(["busybox-static"]):
        if os.path.basename(path).startswith("busybox-static_"):
            for name in ("usr/bin/busybox", "bin/busybox"):
                found = os.path.join(packages.unpacked(path), name)
                if os.path.exists(found):
                    return found
    raise Unusable("busybox-static has no busybox; " + packages.INSTEAD)


def program(name):
    with open(machine.build_path("user", "bin", name), "rb") as f:
        return f.read()


def list_in_guest(path):
    """What `busybox --list-full` prints: paths, without a slash in front."""
    tree = Tree(merged=False)
    for name in ("init", "bin/sh"):
        tree.add_file(name, program(os.path.basename(name)), 0o755)
    tree.add_host_file("bin/busybox", path, 0o755)
    archive = packages.folder("list.cpio")
    tree.write(archive)
    command = machine.qemu_command(
        machine.default_design(), 1, 128, [], append="panic=exit quiet trace=poweroff -- "
        "/bin/busybox --list-full", extra=("-initrd", archive),
        console=("-display", "none", "-serial", "stdio", "-monitor", "none"))
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=LIST_SECONDS,
                              stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired as e:
        raise Unusable(f"{path}: the guest does not come to list its commands") from e
    console = consoles.OwnConsole(False)
    said = (console.feed(done.stdout) + console.rest()).decode(errors="replace")
    names = re.findall(r"^([\w./\[-]+)\r*$", said, re.M)
    if console.status != 0 or "bin/sh" not in [name.removeprefix("usr/") for name in names]:
        raise Unusable(f"{path}: does not list its commands, in the guest: " +
                       (said.strip().splitlines() or ["it said nothing"])[-1])
    return names


def commands(path):
    """The same, asked once for each busybox."""
    with open(path, "rb") as f:
        key = hashlib.sha256(f.read()).hexdigest()[:16]
    kept = packages.folder(f"commands-{key}")
    if not os.path.exists(kept):
        print("Asking busybox, in a first boot, for its commands", file=sys.stderr, flush=True)
        names = list_in_guest(path)
        with open(f"{kept}.{os.getpid()}", "w", encoding="utf-8") as f:
            f.write("".join(name + "\n" for name in names))
        os.replace(f"{kept}.{os.getpid()}", kept)
    with open(kept, encoding="utf-8") as f:
        return f.read().split()


# ---- the tree ----
class Tree:
    """What will be in the archive: {path: how to add it}, later ones in the place of earlier ones.
    merged: whether /bin and its like are links to those in /usr."""

    def __init__(self, merged):
        self.members = {}
        self.merged = MERGED if merged else ()
        for name in self.merged:
            self.add_link(name, f"usr/{name}")

    def put(self, path, add):
        first, _, rest = path.partition("/")
        if rest and first in self.merged:
            path = f"usr/{path}"
        at = os.path.dirname(path)
        if at and at not in self.members:
            self.add_folder(at)
        self.members[path] = add

    def add_folder(self, path, mode=0o755):
        self.put(path, lambda made, name: made.add_folder(name, mode))

    def add_link(self, path, target):
        self.put(path, lambda made, name: made.add_link(name, target))

    def add_device(self, path, major, minor):
        self.put(path, lambda made, name: made.add_device(name, major, minor))

    def add_file(self, path, data, mode=0o644):
        self.put(path, lambda made, name: made.add_file(name, data, mode))

    def add_host_file(self, path, source, mode):
        def add(made, name):
            with open(source, "rb") as f:
                made.add_file(name, f.read(), mode, int(os.stat(source).st_mtime))
        self.put(path, add)

    def add_host_folder(self, folder, under=""):
        """What is in it, in the folder `under`; the tree's own links to folders stay."""
        for at, folders, files in os.walk(folder):
            folders.sort()
            for name in sorted(folders + files):
                source = os.path.join(at, name)
                path = os.path.join(under, os.path.relpath(source, folder))
                mode = os.lstat(source).st_mode
                if stat.S_ISDIR(mode) and path not in self.members:
                    self.add_folder(path, stat.S_IMODE(mode))
                elif stat.S_ISLNK(mode) and path not in self.merged:
                    self.add_link(path, os.readlink(source))
                elif stat.S_ISREG(mode):
                    self.add_host_file(path, source, stat.S_IMODE(mode))

    def write(self, path):
        """As an archive, in which a folder comes before what is in it."""
        made = cpio.Archive()
        for name in sorted(self.members):
            self.members[name](made, name)
        with open(f"{path}.{os.getpid()}", "wb") as f:
            f.write(made.bytes())
        os.replace(f"{path}.{os.getpid()}", path)


def tree(busybox_path, names, debs):
    """busybox, its commands, packages, which take the place of commands, and ours."""
    made = Tree(merged=True)
    for name in FOLDERS:
        made.add_folder(name)
    for name in ("tmp", "var/tmp"):
        made.add_folder(name, 0o1777)
    for name, text in ETC.items():
        made.add_file(f"etc/{name}", text.encode())
    made.add_link("etc/mtab", "/proc/mounts")  # df looks there
    for name in names:
        made.add_link(name, "/bin/busybox")
    made.add_host_file("bin/busybox", busybox_path, 0o755)
    for deb in debs:
        made.add_host_folder(packages.unpacked(deb))
    for name in sorted(os.listdir(machine.build_path("user", "bin"))):
        if "." not in name:
            made.add_file(f"trellis/bin/{name}", program(name), 0o755)
    for name in OURS:
        made.add_link(f"sbin/{name}", "/trellis/bin/poweroff")
    made.add_link("init", "trellis/bin/init")
    # The kernel makes the others of /dev; init looks for the console in /.
    made.add_device("dev/console", 1, 0)
    made.add_link("console", "dev/console")
    return made


def archive_path(names):
    key = hashlib.sha256(" ".join(sorted(names)).encode()).hexdigest()[:8] if names else "busybox"
    return packages.folder(f"root-{key}.cpio")


def get(names):
    """The paths of a busybox and of packages with all that they depend on. Unusable: why not."""
    return busybox(), packages.get(names) if names else []


def make(names, busybox_path, debs):
    """Makes the archive of what get has found; when all is built."""
    os.makedirs(packages.folder(), exist_ok=True)
    tree(busybox_path, commands(busybox_path), debs).write(archive_path(names))


def mib(names, least):
    """Memory for the archive, for the files that are made of it, and for what runs."""
    try:
        size = os.path.getsize(archive_path(names))
    except OSError:  # it has not been made
        return least
    return least + -(-3 * size >> 20)
