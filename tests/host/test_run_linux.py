"""./run --linux without a network and without a machine: what it says, where busybox and packages
come from, and what is in the archive. apt is a stand-in."""
import os
import shlex
import shutil
import struct
import subprocess
import sys

import cpio
import linuxroot
import machine
import packages
import pytest

RUN = os.path.join(machine.ROOT, "run")
# Of the list of a mirror; update makes it, and install gives what is in the folder `offered`.
APT = """#!/bin/sh
echo "$*" >> {folder}/calls
case "$*" in
*indextargets*) echo "http://mirror.example/debian/ bookworm" ;;
*update*) {update} ;;
*--simulate*) {simulate} ;;
*--download-only*) cp {folder}/offered/*.deb {build}/packages/cache/archives/ ;;
esac
"""
LISTED = "touch {build}/packages/state/lists/x_Packages"
KNOWN = ("echo 'Inst base (1:2-3 Debian:13/stable [riscv64])'; "
         "echo 'Inst tool (4+b1 Debian:13/stable [all]) []'")
NO_NETWORK = ("echo \"E: Failed to fetch http://mirror.example/x  Could not resolve 'mirror'\" "
              ">&2; exit 100")


class Host:
    """A host with a stand-in for apt, a release, and a build folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.build = folder / "build"
        (folder / "bin").mkdir()
        (folder / "offered").mkdir()
        self.path = f"{folder}/bin:{os.environ['PATH']}"
        self.release("ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n")
        self.busybox = None

    def release(self, text):
        (self.folder / "release").write_text(text)

    def apt(self, update=LISTED, simulate=KNOWN):
        text = APT.format(folder=self.folder, build=self.build, update=update, simulate=simulate)
        path = self.folder / "bin" / "apt-get"
        path.write_text(text.replace("{build}", str(self.build)))
        path.chmod(0o755)

    def calls(self):
        path = self.folder / "calls"
        return path.read_text() if path.exists() else ""

    def env(self):
        env = {**os.environ, "BUILD": str(self.build), "PATH": self.path,
               "OS_RELEASE": str(self.folder / "release")}
        env.pop("BUSYBOX", None)
        return {**env, **({"BUSYBOX": str(self.busybox)} if self.busybox else {})}

    def run(self, *args):
        return subprocess.run([RUN, "--no-build", *args], check=False, capture_output=True,
                              encoding="utf-8", stdin=subprocess.DEVNULL, env=self.env())

    def refuses(self, *args):
        """The last line of what ./run says, when it does nothing."""
        done = self.run(*args)
        assert done.returncode == 2 and done.stdout == "", done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr.splitlines()[-1]


@pytest.fixture
def host(tmp_path, monkeypatch):
    made = Host(tmp_path)
    for name, value in made.env().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("BUSYBOX", raising=False)
    monkeypatch.setattr(machine, "BUILD", str(made.build))
    return made


def test_without_network(host):
    host.apt(update=NO_NETWORK)
    said = host.refuses("--linux")
    assert "cannot be read: Failed to fetch" in said and "Could not resolve 'mirror'" in said
    assert "BUSYBOX=FILE" in said
    assert "install" not in host.calls()


def test_package_that_is_not_there(host):
    """The lists may be old: they are read once more."""
    host.apt(simulate="echo 'E: Unable to locate package nothing' >&2; exit 100")
    said = host.refuses("--linux")
    assert "debian trixie for riscv64: Unable to locate package nothing" in said
    assert host.calls().count(" update") == 1
    assert "Unable to locate" in host.refuses("--linux")
    assert host.calls().count(" update") == 2


def test_without_apt(host):
    bin_ = host.folder / "few"
    bin_.mkdir()
    for name in ("sh", "dirname", "readlink"):
        (bin_ / name).symlink_to(shutil.which(name))
    (bin_ / "python3").write_text(f"#!/bin/sh\nexec \"{sys.executable}\" \"$@\"\n")
    (bin_ / "python3").chmod(0o755)
    host.path = str(bin_)
    assert "on Debian and Ubuntu, by apt; elsewhere, BUSYBOX=FILE" in host.refuses("--linux")


def test_on_another_system(host):
    host.apt()
    host.release("ID=fedora\nVERSION_ID=42\n")
    assert "elsewhere, BUSYBOX=FILE" in host.refuses("--linux")
    assert host.calls() == ""


def program(machine_number, headers=()):
    head = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 2, machine_number, 1,
                                                           0, 64, 0, 0, 64, 56, len(headers), 0, 0,
                                                           0)
    return head + b"".join(struct.pack("<I", kind) + bytes(52) for kind in headers)


@pytest.mark.parametrize("content, says", [
    (None, "No such file"), (b"", "not a program for 64-bit RISC-V"),
    (b"#!/bin/sh\n" * 20, "not a program for 64-bit RISC-V"),
    (program(62), "not a program for 64-bit RISC-V"), (program(243, [1, 3]), "a static one"),
    (program(243, [1, 1])[:100], "not a whole program")])
def test_wrong_busybox(host, content, says):
    host.busybox = host.folder / "busybox"
    if content is not None:
        host.busybox.write_bytes(content)
    said = host.refuses("--linux")
    assert f"BUSYBOX={host.busybox}: " in said and says in said


@pytest.mark.parametrize("args, says", [
    (["--with", "lua5.4"], "--with is for --linux"), (["--linux", "--with"], "--with"),
    (["--linux", "--with", "a b"], "no name of a package"),
    (["--linux", "--with", "-o"], "--with"), (["--linux", "--sim"], "--linux and --sim"),
    (["--linux", "--machine", "spike", "-c", "ls"], "--linux and --machine spike")])
def test_mistakes(host, args, says):
    host.apt()
    assert says in host.refuses(*args)
    assert host.calls() == ""


def test_help(host):
    text = host.run("--help").stdout
    assert "--linux" in text and "--with PACKAGE..." in text and "BUSYBOX=FILE" in text


def test_dry_run(host):
    """It asks nobody."""
    host.apt()
    command = shlex.split(host.run("--dry-run", "--linux", "-c", "echo a; exit 3").stdout)
    words, _, commands = command[command.index("-append") + 1].partition(" -- ")
    assert commands == ". /etc/profile\necho a; exit 3" and "trace=poweroff" in words
    assert command[command.index("-initrd") + 1] == f"{host.build}/packages/root-busybox.cpio"
    assert host.calls() == "" and not host.build.exists()


@pytest.mark.parametrize("release, source", [
    ("ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n",
     "http://mirror.example/debian trixie main"),
    ('ID=debian\nVERSION_ID="14"\nVERSION_CODENAME=forky\n',
     "http://mirror.example/debian forky main"),
    ("ID=linuxmint\nID_LIKE='ubuntu debian'\nUBUNTU_CODENAME=noble\nVERSION_CODENAME=x\n",
     "http://mirror.example/debian noble main universe"),
    ("ID=ubuntu\nVERSION_CODENAME=plucky\n",
     "http://mirror.example/debian plucky main universe")])
def test_which_release(host, release, source):
    host.apt(update=NO_NETWORK)
    host.release(release)
    host.refuses("--linux")
    text = (host.build / "packages" / "sources.list").read_text()
    assert text.startswith("deb ") and text.endswith(f" {source}\n")


def make_package(folder, file, files):
    tree = folder / "tree"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text("Package: a\nVersion: 1\nArchitecture: all\n"
                                             "Maintainer: a <a@b>\nDescription: a\n")
    for name, content in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-b", str(tree), str(folder / file)],
                   check=True, capture_output=True)


@pytest.fixture
def offered(host):
    if not shutil.which("dpkg-deb"):
        pytest.skip("there is no dpkg-deb")
    make_package(host.folder / "offered", "base_1%3a2-3_riscv64.deb", {"usr/lib/base": b"base"})
    make_package(host.folder / "offered", "tool_4+b1_all.deb", {"bin/tool": b"t", "etc/t": b"e"})
    return host


def test_packages_are_kept(offered):
    """What is there is not asked for again; and without a network it is still there."""
    offered.apt()
    paths = packages.get(["tool"])
    assert [os.path.basename(path) for path in paths] == ["base_1%3a2-3_riscv64.deb",
                                                          "tool_4+b1_all.deb"]
    assert offered.calls().count("--download-only") == 1
    offered.apt(update=NO_NETWORK)
    assert packages.get(["tool"]) == paths
    assert offered.calls().count("--download-only") == 1 and offered.calls().count(" update") == 1
    folder = packages.unpacked(paths[1])
    assert sorted(os.listdir(folder)) == ["bin", "etc"] and packages.unpacked(paths[1]) == folder
    os.truncate(paths[0], 10)
    with pytest.raises(machine.Unusable, match="base_1"):
        packages.unpacked(paths[0])


def members(path):
    """{name: (mode, data)} of an archive; a folder comes before what is in it."""
    data, at, found = path.read_bytes(), 0, {}
    while True:
        values = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name = data[at + 110:at + 110 + values[11] - 1].decode()
        start = at + len(cpio.padded(data[at:at + 110 + values[11]]))
        if name == "TRAILER!!!":
            return found
        assert name not in found and (os.path.dirname(name) or "") in ["", *found]
        found[name] = (values[1], data[start:start + values[6]])
        at = start + values[6] + -values[6] % 4


def test_tree(offered, monkeypatch):
    """Names in /bin are in /usr/bin; a package takes the place of a command, and not of ours."""
    offered.apt()
    user = offered.build / "user" / "bin"
    user.mkdir(parents=True)
    for name in ("init", "sh", "poweroff", "sh.o"):
        (user / name).write_bytes(name.encode())
    (offered.folder / "busybox").write_bytes(b"busybox")
    made = linuxroot.tree(str(offered.folder / "busybox"), ["bin/tool", "usr/bin/awk", "sbin/init"],
                          packages.get(["tool"]))
    made.write(str(offered.folder / "root.cpio"))
    found = members(offered.folder / "root.cpio")
    assert found["bin"] == (0o120777, b"usr/bin") and found["usr/bin/tool"][1] == b"t"
    assert found["usr/bin/awk"] == (0o120777, b"/bin/busybox")
    assert found["usr/bin/busybox"] == (0o100755, b"busybox")
    assert found["usr/lib/base"][1] == b"base" and found["etc/t"][1] == b"e"
    assert found["usr/sbin/poweroff"][1] == b"/trellis/bin/poweroff"
    assert found["trellis/bin/sh"] == (0o100755, b"sh") and "trellis/bin/sh.o" not in found
    assert found["tmp"][0] == 0o041777 and found["dev/console"][0] & 0o170000 == 0o020000
    assert found["init"][1] == b"trellis/bin/init" and b"PATH=" in found["etc/profile"][1]
    assert found["etc/mtab"] == (0o120777, b"/proc/mounts")
    for name in ("xv6", "proc", "dev", "root", "etc/passwd"):
        assert name in found
