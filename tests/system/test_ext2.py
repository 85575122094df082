"""A disk of ext3 that mke2fs has made: as the root, and on a folder of an archive; and e2fsck."""
import os
import re
import shutil
import subprocess

import cpio
import machine
import pytest

SECONDS = 90
PROGRAMS = "init sh ls cat echo ln mkdir rm rmdir mv wc sync maptest".split()
LONG = "a-name-of-many-more-than-fourteen-bytes"


def tool(name):
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/sbin:/usr/sbin")
    if not found:
        pytest.skip(f"there is no {name}: tools/need.sh more installs e2fsprogs")
    return found


def program(name):
    with open(machine.build_path("user", "bin", name), "rb") as f:
        return f.read()


@pytest.fixture
def disk(tmp_path):
    folder, path = tmp_path / "root", tmp_path / "ext3.img"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).write_bytes(program(name))
    (folder / LONG).write_bytes(b"by mke2fs\n" * 300)
    subprocess.run([tool("mke2fs"), "-q", "-F", "-t", "ext3", "-d", str(folder), str(path), "16m"],
                   check=True, capture_output=True)
    return path


def check(path, how="-fn", good=(0,)):
    done = subprocess.run([tool("e2fsck"), how, str(path)], stdin=subprocess.DEVNULL,
                          capture_output=True, encoding="utf-8", check=False)
    assert done.returncode in good, done.stdout + done.stderr


def on_host(path, name):
    done = subprocess.run([tool("debugfs"), "-R", f"cat {name}", str(path)], check=True,
                          capture_output=True)
    return done.stdout.decode()


def run(boot, path, commands, **options):
    trellis = boot(disks=[machine.drive(str(path), keep=True)],
                   append=f"panic=exit -- {commands}; exit 3", **options)
    assert trellis.wait_end(SECONDS) == 3, trellis.text
    text = re.sub(r"\r+\n", "\n", trellis.text)
    return re.split(r"after the kernel began.*\n", text)[1].rstrip("\n").split("\n")


def test_the_root(boot, disk, design):
    """What one machine writes the next one has, and the host; programs run from there."""
    assert run(boot, disk, f"cat {LONG} | wc; mkdir d; echo made > d/{LONG}-too; "
               f"ln d/{LONG}-too e; maptest; rm e", design=design)[:1] == ["300 600 3000"]
    check(disk)
    assert on_host(disk, f"d/{LONG}-too") == "made\n"
    assert run(boot, disk, f"cat d/{LONG}-too; rm d/{LONG}-too; rmdir d; ls d", design=design) == [
        "made", "ls: d: No such file or directory"]
    check(disk)


def test_killed(boot, disk):
    """What came before a sync is there, for e2fsck, and for the kernel."""
    trellis = boot(disks=[machine.drive(str(disk), keep=True)],
                   append="panic=exit -- echo kept > kept; sync; echo lost > lost; echo now; cat")
    trellis.expect(r"now\r")
    trellis.kill()
    copy = disk.with_name("copy.img")
    shutil.copy(disk, copy)
    check(copy, "-fp", (0, 1))
    check(copy)
    assert on_host(copy, "kept") == "kept\n"
    assert run(boot, disk, "cat kept") == ["kept"]
    check(disk)


def test_on_a_folder_of_an_archive(boot, disk, tmp_path):
    archive = cpio.Archive()
    archive.add_folder("disk")
    for name in PROGRAMS:
        archive.add_file(name, program(name), 0o755)
    path = tmp_path / "root.cpio"
    path.write_bytes(archive.bytes())
    assert run(boot, disk, f"cat disk/{LONG} | wc; echo one > disk/one; mv disk/one two; "
               "cat disk/../disk/one", extra=["-initrd", str(path)]) == [
                   "300 600 3000", "mv: cannot move disk/one to two: In another file system", "one"]
    check(disk)
    assert on_host(disk, "one") == "one\n"


def test_refused(boot, tmp_path):
    path = tmp_path / "ext4.img"
    subprocess.run([tool("mke2fs"), "-q", "-F", "-t", "ext4", str(path), "16m"], check=True,
                   capture_output=True)
    trellis = boot(disks=[machine.drive(str(path), keep=True)], append="panic=exit")
    assert trellis.wait_end(SECONDS) == 1
    assert "the disk cannot be used: it has features that Trellis does not know" in trellis.text
