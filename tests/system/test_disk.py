"""Disk images: recovery, refusal, persistence, other places, crashes and errors. Each
image is looked at afterwards by the checker, which shares no code with the kernel."""
import json
import random
import struct

import guest
import machine
import pexpect
import pytest
import xv6fs
from machine import drive
from xv6check import check
from xv6fs import BLOCK, Image


def assert_clean(path, **allowed):
    image = Image.load(path)
    assert check(image, **allowed) == []
    return image


def run_on(path, commands, **kwargs):
    return guest.run("--disk", path, "-c", commands, **kwargs)


def test_our_default_image_is_consistent():
    assert_clean(machine.default_image())


def test_workload_leaves_a_consistent_image(image):
    done = run_on(image, "mkdir a; mkdir a/b; echo 1 > a/b/f; ln a/b/f g; mv g h; cat h; "
                         "cat tests/usertests > big; rm big; mkdir gone; rmdir gone; stressfs")
    assert done.returncode == 0 and done.stdout.startswith("1\n"), done.stdout
    kept = assert_clean(image)
    assert kept.log_blocks() == []
    assert kept.read("/h") == b"1\n" and not kept.exists("/big") and not kept.exists("/gone")


@pytest.mark.parametrize("count", [1, 30])
def test_committed_log_is_installed(image, count):
    """What a crash after the commit leaves: n > 0 and the blocks in the log."""
    before = Image.load(image)
    inum = before.write_file("note", b"old!" * 256 * 30)
    homes = before.file_blocks(before.inode(inum))[:count]
    before.set_log({home: b"new!" * 256 for home in homes})
    before.save(image)
    done = run_on(image, "cat note > /copy; wc note; cat note | grep -c new")
    assert done.returncode == 0, done.stdout
    after = assert_clean(image)
    assert after.log_blocks() == []
    assert after.read("/note") == b"new!" * 256 * count + b"old!" * 256 * (30 - count)
    assert after.read("/copy") == after.read("/note")


def test_log_that_was_not_committed_is_ignored(image):
    before = Image.load(image)
    inum = before.write_file("note", b"old!\n")
    home = before.inode(inum).addrs[0]
    before.set_log({home: b"bad!\n"})
    struct.pack_into("<i", before.data, before.sb.logstart * BLOCK, 0)
    before.save(image)
    assert run_on(image, "cat note").stdout == "old!\n"


@pytest.mark.parametrize("n, home", [(-1, 100), (1000, 100), (1, 0), (1, 1), (1, 5), (1, 1 << 30)])
def test_hostile_log_does_no_harm(image, n, home):
    """A log header that cannot be true is refused, and nothing is written by it."""
    bad = Image.load(image)
    bad.set_block(bad.sb.logstart, struct.pack("<ii", n, home))
    bad.save(image)
    before = bytes(bad.data)
    refused(image)
    assert Image.load(image).data[:2 * BLOCK] == before[:2 * BLOCK]


def test_orphans_are_given_back(image):
    """Files that were unlinked while open when the machine stopped."""
    before = Image.load(image)
    for i in range(5):
        inum = before.alloc_inode(xv6fs.T_FILE)
        before.append(inum, bytes(1024 * (1 + 60 * i)))
    before.save(image)
    assert len(check(before)) == 5
    assert run_on(image, "true").returncode == 0
    assert_clean(image)


def refused(path):
    """Boots with an image that must be refused: a sentence, no panic, a failure status."""
    machine_ = guest.Guest(machine.default_design(), disks=[drive(str(path), keep=True)])
    try:
        status = machine_.wait_end()
    finally:
        machine_.end()
    assert status not in (0, machine.PANIC_STATUS), machine_.text
    last = machine_.text.rstrip().splitlines()[-1]
    assert "panic" not in machine_.text.lower(), machine_.text
    return machine_.text, last


SUPER_DAMAGE = [
    ("magic", 0), ("magic", 0x10203041), ("size", 0), ("size", 1 << 31), ("size", 40),
    ("nblocks", 0), ("nblocks", 1 << 31), ("ninodes", 0), ("ninodes", 1 << 30),
    ("nlog", 0), ("nlog", 1), ("nlog", 1 << 30), ("logstart", 0), ("logstart", 1 << 31),
    ("inodestart", 0), ("inodestart", 1 << 31), ("bmapstart", 0), ("bmapstart", 1 << 31),
    ("bmapstart", 33)]


@pytest.mark.parametrize("field, value", SUPER_DAMAGE)
def test_bad_super_block_is_refused(image, field, value):
    bad = Image.load(image)
    bad.set_super(**{field: value})
    bad.save(image)
    text, last = refused(image)
    assert any(word in text.split("Trellis ")[-1].lower()
               for word in ("disk", "image", "super", "file system")), last


def test_short_image_is_refused(image):
    image.write_bytes(image.read_bytes()[:3000 * BLOCK])
    refused(image)


def test_empty_disk_is_refused(tmp_path):
    (tmp_path / "zero").write_bytes(bytes(1 << 20))
    refused(tmp_path / "zero")


def test_no_disk_is_said():
    machine_ = guest.Guest(machine.default_design(), disks=[])
    try:
        status = machine_.wait_end()
        assert status not in (0, machine.PANIC_STATUS) and "disk" in machine_.text.lower()
    finally:
        machine_.end()


@pytest.mark.parametrize("contents", [None, b"", b"no program", b"\x7fELF"])
def test_no_usable_init_is_said(tmp_path, contents):
    made = Image.make(500, 50, 31)
    if contents is not None:
        made.write_file("init", contents)
    made.save(tmp_path / "i")
    text, _ = refused(tmp_path / "i")
    assert "init" in text


def programs(*names):
    ours = Image.load(machine.default_image())
    return {name: ours.read("/init" if name == "init" else f"/bin/{name}") for name in names}


def make_image(path, size, ninodes, nlog, *names):
    """With the programs in the root, as in images of xv6."""
    made = Image.make(size, ninodes, nlog)
    for name, content in programs("init", "sh", *names).items():
        made.write_file(name, content)
    made.save(path)
    return made


def test_other_shapes_of_image(tmp_path):
    """xv6's numbers, a bitmap of several blocks, a long log, a small disk."""
    path = tmp_path / "i"
    for size, ninodes, nlog in [(2000, 200, 30), (20000, 3000, 31), (2000, 64, 128), (900, 30, 31)]:
        make_image(path, size, ninodes, nlog, "cat", "ls", "mkdir")
        done = run_on(path, "mkdir d; cat cat > d/c; cat sh > d/s; ls d")
        assert done.returncode == 0, (size, done.stdout)
        after = assert_clean(path)
        assert after.read("/d/s") == after.read("/sh")


def test_full_disk_is_an_error(tmp_path):
    path = tmp_path / "i"
    made = make_image(path, 600, 40, 31, "cat", "rm")
    room = sum(not made.bit(n) for n in range(made.sb.size))
    copies = room * BLOCK // made.inode(made.lookup("sh")).size + 2
    lines = "; ".join(f"cat sh > c{i}" for i in range(copies))
    done = run_on(path, f"{lines}; exit 9")
    assert done.returncode == 9 and "panic" not in done.stdout
    full = assert_clean(path)
    assert sum(not full.bit(n) for n in range(full.sb.size)) < 2
    assert run_on(path, "rm " + " ".join(f"c{i}" for i in range(copies) if full.exists(f"c{i}"))
                  ).returncode == 0
    after = assert_clean(path)
    assert sum(not after.bit(n) for n in range(after.sb.size)) == room


def test_no_inodes_is_an_error(tmp_path):
    path = tmp_path / "i"
    make_image(path, 900, 8, 31, "cat", "mkdir")
    done = run_on(path, "; ".join(f"echo {i} > f{i}" for i in range(8)) + "; mkdir d; exit 9")
    assert done.returncode == 9
    assert_clean(path)


@pytest.mark.parametrize("size, nlog, works", [(900, 11, False), (40000, 11, False),
                                               (900, 31, True)])
def test_small_log_takes_no_stores(tmp_path, boot, size, nlog, works):
    """One store may need two pages in one transaction; else it would fault for ever."""
    path = tmp_path / "i"
    made = make_image(path, size, 20, nlog, "cat", "echo")
    made.write_file("usertests", Image.load(machine.default_image()).read("/tests/usertests"))
    made.save(path)
    up = boot(disks=[drive(str(path), keep=True)])
    up.prompt()
    up.type("./usertests --role stores f 2\n")
    up.expect(r"durable 20\r?\n" if works else r"mmap is -95\r?\n")
    if not works:
        up.expect(r"\$ $")
        assert up.run("cat f | cat > g; echo alive") == "alive\n"


def test_disk_in_another_slot(boot, image):
    boot(disks=[drive(str(image), keep=False, slot=5)]).prompt()


def test_the_first_disk_is_the_root(boot, image, tmp_path):
    """Of two disks the one in the lower slot, in whatever order they are given."""
    other = Image.load(image)
    other.write_file("second", b"disk\n")
    other.save(tmp_path / "other")
    first, second = str(image), str(tmp_path / "other")
    up = boot(disks=[drive(second, False, "b", 4), drive(first, False, "a", 2)]).prompt()
    assert "second" not in up.run("ls")
    up = boot(disks=[drive(second, False, "b", 1), drive(first, False, "a", 3)]).prompt()
    assert up.run("cat second") == "disk\n"


def test_read_only_disk(boot, image):
    """Reading works; what would write is an error, and no panic."""
    disk = ["-drive", f"file={image},if=none,format=raw,id=disk0,readonly=on",
            "-device", "virtio-blk-device,drive=disk0,bus=virtio-mmio-bus.0"]
    up = boot(disks=[disk])
    up.prompt()
    assert up.run("echo x > f") != ""
    assert up.run("echo alive") == "alive\n"


@pytest.mark.parametrize("seed", range(4))
def test_pulled_plug(boot, image, seed):
    """QEMU is killed in the middle of work; the next boot finds a consistent disk, and all
    that was there when a sync returned."""
    rng = random.Random(seed)
    up = boot(harts=2, disks=[drive(str(image), keep=True)])
    up.prompt()
    up.type("stressfs & stressfs\n")
    rounds = rng.randrange(1, 6)
    for i in range(rounds):
        up.type(f"mkdir d{i}; cat tests/usertests > d{i}/f; ln d{i}/f l{i}; rm d{i}/f; rmdir d{i}; "
                f"echo {i} > kept{i}; sync; echo r{i}\n")
        up.expect(rf"\nr{i}\r?\n|\$ r{i}\r?\n")
    up.kill()
    assert_clean(image, allow_orphans=True)
    assert run_on(image, "echo up; ls > list").stdout == "up\n"
    after = assert_clean(image)
    usertests = after.read("/tests/usertests")
    for i in range(rounds):
        assert after.read(f"/kept{i}") == f"{i}\n".encode() and not after.exists(f"/d{i}")
        assert after.read(f"/l{i}") == usertests


@pytest.mark.parametrize("seed", range(3))
def test_pulled_plug_while_a_file_is_stored_to(boot, image, seed):
    """Through a mapping: what msync has answered is there, and what came later in the order in
    which it was stored."""
    pages = 8
    rng = random.Random(seed)
    up = boot(harts=2, disks=[drive(str(image), keep=True)])
    up.prompt()
    up.type(f"stressfs & tests/usertests --role stores f {pages}\n")
    for _ in range(rng.randrange(2, 12)):
        durable = int(up.expect(r"durable (\d+)\r?\n")[1])
    up.kill()
    assert_clean(image, allow_orphans=True)
    assert run_on(image, "echo up").stdout == "up\n"
    content = assert_clean(image).read("/f")
    assert len(content) == pages * 4096
    words = [struct.unpack_from("<q", content, i * 4096)[0] for i in range(pages)]
    assert words[-1] >= durable, words
    assert words == sorted(words, reverse=True) and words[0] - words[-1] <= 1, words


def faulty(path, iotype, **rule):
    """A disk where requests of a type fail: QEMU's blkdebug."""
    rules = [{"event": "none", "iotype": iotype, "errno": 5, **rule}]
    node = {"driver": "blkdebug", "node-name": "disk0", "inject-error": rules,
            "image": {"driver": "file", "filename": str(path)}}
    return ["-blockdev", json.dumps(node), "-device", "virtio-blk-device,drive=disk0,"
            "bus=virtio-mmio-bus.0,werror=report,rerror=report"]


@pytest.mark.parametrize("iotype", ["write", "flush"])
def test_failing_writes_are_errors(boot, image, iotype):
    """Every write (or flush) fails: who asks for durability is told, and so is the console;
    nothing can be changed then, and the system goes on reading."""
    up = boot(disks=[faulty(image, iotype)])
    up.prompt()
    up.run("echo x > newfile")
    assert "sync: " in up.run("sync")
    assert up.text.count("takes no more changes") == 1, up.text
    assert up.run("mkdir newdir") != ""
    assert up.run("echo y > newfile") != ""
    assert up.run("echo alive | cat") == "alive\n"
    up.kill()
    assert_clean(image, allow_orphans=True)


def test_failing_read_is_an_error(boot, image):
    """One file's block cannot be read: reading it fails, everything else works."""
    made = Image.load(image)
    inum = made.write_file("victim", b"v" * 5000)
    made.save(image)
    sector = made.inode(inum).addrs[1] * 2
    up = boot(disks=[faulty(image, "read", sector=sector)])
    up.prompt()
    out = up.run("cat victim")
    assert out.count("v") < 5000
    assert up.run("echo alive | cat") == "alive\n"


def program_of_pages(text_pages):
    """An executable whose text has these instructions at the start of pages, by their numbers."""
    text = bytearray(4096 * (max(text_pages) + 1))
    for page, words in text_pages.items():
        struct.pack_into(f"<{len(words)}I", text, 4096 * page, *words)
    text[256:264] = b"started\n"
    ident = b"\x7fELF\2\1\1".ljust(16, b"\0")
    header = struct.pack("<16sHHIQQQIHHHHHH", ident, 2, 243, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 4096, 0, 0, len(text), len(text), 4096)
    return (header + segment).ljust(4096, b"\0") + text


def addi(rd, value):
    return value << 20 | rd << 7 | 0x13


def test_a_program_starts_before_all_of_it_is_read(boot, image):
    """A page of a program's text cannot be read: it runs until it comes there, and is ended then
    by a sentence. Without the error it goes on, from a page that no read ahead has brought."""
    a0, a1, a2, a7, t0, ecall = 10, 11, 12, 17, 5, 0x73
    last = 40
    start = [addi(a0, 1), addi(a1, 256), addi(a2, 8), addi(a7, 16), ecall,
             last << 12 | t0 << 7 | 0x37, t0 << 15 | 0x67]  # write(1, "started\n", 8); to the last
    end = [addi(a0, 7), addi(a7, 2), ecall]  # exit(7)
    made = Image.load(image)
    inum = made.write_file("pages", program_of_pages({0: start, last: end}))
    made.save(image)
    assert run_on(image, "./pages; ./pages").stdout == "started\n" * 2
    sector = made.file_blocks(made.inode(inum))[4 * (last + 1)] * 2
    up = boot(disks=[faulty(image, "read", sector=sector)])
    up.prompt()
    for _ in range(2):
        said = up.run("./pages")
        assert said.startswith("started\n") and "the page of text cannot be read" in said, said
    assert up.run("rm pages; echo alive | cat") == "alive\n"


def test_failing_log_write_loses_nothing(boot, image):
    """The log's blocks cannot be written: nothing that was there is damaged."""
    made = Image.load(image)
    up = boot(disks=[faulty(image, "write", sector=(made.sb.logstart + 1) * 2)])
    up.prompt()
    up.run("echo x > newfile")
    up.run("rm etc/welcome.txt")
    assert "sync: " in up.run("sync")
    assert up.run("echo alive | cat") == "alive\n"
    up.kill()
    assert_clean(image, allow_orphans=True)
    assert run_on(image, "echo back > newfile; cat newfile").stdout == "back\n"
    assert_clean(image)


def damage(rng, image, folders, victim):
    """Breaks some inode, directory entry, indirect block of the victim or bitmap byte."""
    kind = rng.randrange(4)
    sb = image.sb
    if kind == 0:
        at = sb.inodestart * BLOCK + 64 * rng.randrange(1, 60) + rng.randrange(64)
    elif kind == 1:
        folder = rng.choice(folders)
        at = folder.addrs[0] * BLOCK + rng.randrange(min(folder.size, BLOCK))
    elif kind == 2:
        at = victim.addrs[xv6fs.NDIRECT] * BLOCK + rng.randrange(BLOCK)
    else:
        at = sb.bmapstart * BLOCK + rng.randrange(sb.size // 8)
    image.data[at] = rng.randrange(256)


@pytest.mark.parametrize("seed", range(6))
def test_hostile_images_are_survived(image, seed):
    """Whatever inodes, entries and maps say: errors, and neither panic nor hang. init and
    sh are put right again, so that there is something to look with."""
    rng = random.Random(seed)
    bad = Image.load(image)
    keep = {i: bad.inode(i) for i in map(bad.lookup, ("/", "init", "bin", "bin/sh"))}
    folders = [bad.inode(bad.lookup(name)) for name in ("/", "bin")]
    victim = bad.inode(bad.lookup("tests/usertests"))
    for _ in range(25):
        damage(rng, bad, folders, victim)
    for inum, inode in keep.items():
        bad.set_inode(inum, inode)
    bad.save(image)
    machine_ = guest.Guest(machine.default_design(), disks=[drive(str(image), keep=True)])
    try:
        machine_.child.expect([r"(?:^|\n)\$ $", pexpect.EOF])
        if not machine_.child.eof():
            for command in ("ls", "cat tests/usertests > x", "rm tests/usertests",
                            "mkdir d", "rm bin/ls",
                            "cat x > y"):
                machine_.run(command)
            assert "nosuch" in machine_.run("nosuch")  # the shell is alive
        assert "panic" not in machine_.text.lower(), machine_.text
    finally:
        machine_.end()
