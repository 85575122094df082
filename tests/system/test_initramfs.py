"""A root in memory, filled from an archive that tools/cpio.py makes, with and without a disk."""
import os
import re
import subprocess
import sys

import cpio
import machine
import pytest

SECONDS = 90
PROGRAMS = "init sh ls cat echo ln mkdir rm mv wc maptest".split()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """Made from a folder of the host's, as a user does it."""
    folder = tmp_path_factory.mktemp("initramfs") / "root"
    for name in ("d", "xv6"):
        (folder / name).mkdir(parents=True)
    for name in PROGRAMS:
        with open(machine.build_path("user", "bin", name), "rb") as f:
            (folder / name).write_bytes(f.read())
    (folder / "d" / "text").write_bytes(b"from the archive\n" * 1000)
    for name, target in [("text", "d/text"), ("up", "d/../d"), ("run", "/echo"), ("loop", "loop"),
                         ("to-be", "d/made")]:
        (folder / name).symlink_to(target)
    (folder / "a-name-of-more-than-fourteen-bytes").write_bytes(b"long\n")
    path = folder.parent / "root.cpio"
    subprocess.run([sys.executable, os.path.join(machine.ROOT, "tools", "cpio.py"), str(folder),
                    str(path)], check=True)
    return path


def run(boot, archive, commands, status, disks=(), **options):
    """What is said after the boot of a machine whose first shell runs the commands."""
    trellis = boot(disks=[*disks, ["-initrd", str(archive)]],
                   append=f"panic=exit -- {commands}; exit {status}", **options)
    assert trellis.wait_end(SECONDS) == status, trellis.text
    text = re.sub(r"\r+\n", "\n", trellis.text)
    assert "the root is in memory, from an archive of " in text
    return re.split(r"after the kernel began.*\n", text)[1].rstrip("\n").split("\n")


def test_files_and_links(boot, archive):
    """Without a disk: what is in the archive is all there is."""
    assert run(boot, archive, "cat text | wc; echo made > to-be; cat up/made; run linked; "
               "ln d/made second; rm d/made; cat second; mv second d/again; cat d/again; "
               "mkdir x; mv d x; cat x/d/again a-name-of-more-than-fourteen-bytes; mv x x/d; "
               "cat loop; rm loop; cat loop; ls xv6; ls x/d", 5) == [
                   "1000 3000 17000", "made", "linked", "made", "made", "made", "long",
                   "mv: cannot move x to x/d/x: Invalid argument",
                   "cat: cannot open loop: Too many symbolic links",
                   "cat: cannot open loop: No such file or directory", "again", "text"]


def test_maps_its_files(boot, archive, design):
    assert run(boot, archive, "maptest", 3, design=design) == ["maptest: OK"]


def test_the_disk_is_on_xv6(boot, archive):
    """Programs run from there; `..` leads out again; names do not move across."""
    disk = machine.drive(machine.default_image(), keep=False)
    assert run(boot, archive, "xv6/bin/echo from the disk; cat xv6/../d/../xv6/../text | wc; "
               "echo one > xv6/one; cat xv6/one; mv xv6/one two; ln xv6/one two; "
               "mv xv6 y; xv6/bin/sync && echo synced; rm xv6/one; cat two", 6, [disk]) == [
                   "from the disk", "1000 3000 17000", "one",
                   "mv: cannot move xv6/one to two: In another file system",
                   "ln: cannot link two to xv6/one: In another file system",
                   "mv: cannot move xv6 to y: In use", "synced",
                   "cat: cannot open two: No such file or directory"]


def test_a_bad_archive_ends_with_a_sentence(boot, archive, tmp_path):
    for name, content, sentence in [
            ("cut", archive.read_bytes()[:-1000], "the archive is cut off, or is none in the format"
             " newc"),
            ("empty", b"070701", "the archive is cut off, or is none in the format newc")]:
        path = tmp_path / name
        path.write_bytes(content)
        trellis = boot(disks=[["-initrd", str(path)]], append="panic=exit -- echo has-run")
        assert trellis.wait_end(SECONDS) == 1, trellis.text
        assert f"Trellis: the files in memory cannot be used: {sentence}\n" in re.sub(
            r"\r+\n", "\n", trellis.text)
        assert "has-run" not in trellis.text


def test_too_much_for_the_machine(boot, tmp_path):
    """Each of these files takes pages, and is a line in the archive."""
    made = cpio.Archive()
    for i in range(20000):
        made.add_file(f"f{i}", b"1")
    path = tmp_path / "large.cpio"
    path.write_bytes(made.bytes())
    trellis = boot(disks=[["-initrd", str(path)]], append="panic=exit", mib=64)
    assert trellis.wait_end(SECONDS) == 1, trellis.text
    assert "there is not enough memory for what is in the archive" in trellis.text


def test_the_commands_of_the_page(tmp_path):
    """As docs/file-system.md has them, with folders of the test's own."""
    with open(os.path.join(machine.ROOT, "docs", "file-system.md"), encoding="utf-8") as f:
        commands = re.findall(r"^    ((?:mkdir|cp|tools/cpio.py|qemu-\S+) .*)$", f.read(), re.M)
    assert len(commands) == 4
    script = "\n".join(commands).replace("build/root", str(tmp_path / "root"))
    done = subprocess.run(["sh", "-e", "-c", script.replace("build/", '"$BUILT"/')],
                          cwd=machine.ROOT, env={**os.environ, "BUILT": machine.build_path()},
                          stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
                          timeout=SECONDS, check=False)
    assert done.returncode == 5, done.stdout + done.stderr
    assert "console\ninit\nls\nsh\nxv6\n" in done.stdout.replace("\r", "")
