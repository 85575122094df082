"""tools/mkfs, xv6fs.py and xv6check.py: what one writes the other reads, and the checker
finds each defect that is planted."""
import os
import random
import struct
import subprocess

import machine
import pytest
import xv6fs
from xv6check import check
from xv6fs import BLOCK, Image

TOOLS = os.path.join(machine.ROOT, "tools")


def mkfs(*args):
    return subprocess.run([os.path.join(TOOLS, "mkfs"), *map(str, args)], check=False,
                          capture_output=True, encoding="utf-8")


@pytest.fixture
def image():
    """An image with files of every shape: direct, indirect, empty, in directories."""
    made = Image.make(2000, 200, 31)
    made.write_file("small", b"hello\n")
    made.write_file("large", bytes(range(256)) * 800)
    made.write_file("empty", b"")
    made.write_file("d/e/deep", b"x" * BLOCK)
    return made


def test_empty_image_is_consistent():
    assert check(Image.make(100, 16, 31)) == []


def test_layout_is_xv6s():
    sb = Image.make(2000, 200, 30).sb
    assert sb == xv6fs.Super(0x10203040, 2000, 1954, 200, 30, 2, 32, 45)


def test_what_is_written_is_read(image):
    assert image.read("small") == b"hello\n"
    assert image.read("/large") == bytes(range(256)) * 800
    assert image.read("empty") == b""
    assert image.read("/d/e/deep") == b"x" * BLOCK
    assert set(image.listdir("/")) == {".", "..", "small", "large", "empty", "d"}
    assert check(image) == []


def test_random_files_survive():
    rng = random.Random(1)
    made = Image.make(8000, 300, 31)
    files = {f"f{i}": rng.randbytes(rng.choice([0, 1, 1023, 1024, 12288, 12289, 60000]))
             for i in range(100)}
    for name, content in files.items():
        made.write_file(name, content)
    assert all(made.read(name) == content for name, content in files.items())
    assert check(made) == []


def test_largest_file():
    made = Image.make(2000, 20, 31)
    made.write_file("max", b"m" * xv6fs.MAX_FILE)
    assert check(made) == []
    with pytest.raises(xv6fs.FormatError, match="more than"):
        made.write_file("more", b"m" * (xv6fs.MAX_FILE + 1))


def test_bitmap_of_several_blocks():
    made = Image.make(20000, 20, 31)
    for i in range(17):
        made.write_file(f"f{i}", b"m" * xv6fs.MAX_FILE)
    for n in range(9000, 9100):
        assert made.bit(n) == 0
    assert check(made) == []


@pytest.mark.parametrize("kwargs", [
    {"size": 97, "ninodes": 1000, "nlog": 31}, {"size": 1000, "ninodes": 1, "nlog": 31},
    {"size": 1000, "ninodes": 100, "nlog": 1}, {"size": 1000, "ninodes": 100, "nlog": 300}])
def test_impossible_sizes(kwargs):
    with pytest.raises(xv6fs.FormatError):
        Image.make(**kwargs)


def test_full_disk_and_no_inodes():
    made = Image.make(60, 16, 31)
    with pytest.raises(xv6fs.FormatError, match="full"):
        made.write_file("f", b"x" * 100000)
    made = Image.make(200, 3, 31)
    made.write_file("a", b"")
    with pytest.raises(xv6fs.FormatError, match="inodes are used up"):
        made.write_file("b", b"")


def test_log_recovers(image):
    inum = image.lookup("small")
    home = image.inode(inum).addrs[0]
    image.set_log({home: b"recovered\n"})
    assert image.log_blocks() == [home]
    assert image.read("small") == b"hello\n"
    image.recover()
    assert image.read("small") == b"recove"  # the size is the old one
    assert image.log_blocks() == []


def plant_double_block(image):
    a = image.inode(image.lookup("small"))
    b = image.inode(image.lookup("d/e/deep"))
    b.addrs[0] = a.addrs[0]
    image.set_inode(image.lookup("d/e/deep"), b)


def plant_field(path, **fields):
    def plant(image):
        inum = image.lookup(path)
        inode = image.inode(inum)
        for name, value in fields.items():
            setattr(inode, name, value)
        image.set_inode(inum, inode)
    return plant


def plant_entry(folder, name, inum):
    return lambda image: image.add_entry(image.lookup(folder), name, inum)


def plant_bit(path, value):
    return lambda image: image.set_bit(image.inode(image.lookup(path)).addrs[0], value)


def plant_dotdot(image):
    block = image.inode(image.lookup("d/e")).addrs[0]
    struct.pack_into("<H", image.data, block * BLOCK + 16, image.lookup("d/e"))


def plant_orphan(image):
    image.alloc_inode(xv6fs.T_FILE)


def plant_hole(image):
    inum = image.lookup("large")
    inode = image.inode(inum)
    image.set_bit(inode.addrs[3], 0)
    inode.addrs[3] = 0
    image.set_inode(inum, inode)


@pytest.mark.parametrize("plant, says", [
    (plant_double_block, "belongs to inode"),
    (plant_field("small", nlink=2), "nlink is 2 and should be 1"),
    (plant_field("small", nlink=0), "which has no links"),
    (plant_field("d", nlink=1), "nlink is 1 and should be 2"),
    (plant_field("small", type=7), "type 7"),
    (plant_field("small", type=0), "names the free inode"),
    (plant_field("small", size=1 << 30), "beyond the largest file"),
    (plant_field("small", addrs=[1] + [0] * 12), "is no data block"),
    (plant_field("small", addrs=[1 << 31] + [0] * 12), "is no data block"),
    (plant_field("large", addrs=[0] * 13), "is missing"),
    (plant_field("d", size=40), "no whole number of entries"),
    (plant_hole, "block 3 of 200 is missing"),
    (plant_entry("/", b"small", 2), "is there twice"),
    (plant_entry("/", b"ghost", 150), "names the free inode 150"),
    (plant_entry("/", b"a/b", 2), "the name"),
    (plant_entry("/d", b"loop", xv6fs.ROOT), "has two names"),
    (plant_bit("small", 0), "marked free"),
    (lambda image: image.set_bit(1500, 1), "belongs to nobody"),
    (plant_dotdot, "'..' is"),
    (plant_orphan, "without a name or a link"),
    (lambda image: image.set_log({40: b""}) or struct.pack_into("<i", image.data, 2052, 3),
     "the log would write block 3"),
    (lambda image: struct.pack_into("<i", image.data, 2048, 99), "log header says 99"),
    (lambda image: image.set_super(magic=1), "magic"),
])
def test_checker_finds(image, plant, says):
    assert check(image) == []
    plant(image)
    assert any(says in problem for problem in check(image)), check(image)


@pytest.mark.parametrize("field, value", [
    ("magic", 0), ("size", 2001), ("nblocks", 1990), ("ninodes", 1 << 20), ("ninodes", 0),
    ("nlog", 0), ("nlog", 5000), ("logstart", 0), ("logstart", 1990), ("inodestart", 3),
    ("inodestart", 1999), ("bmapstart", 34), ("bmapstart", 2000), ("nblocks", 0)])
def test_super_block_is_refused(image, field, value):
    assert xv6fs.super_problem(image.sb, len(image.data)) is None
    image.set_super(**{field: value})
    assert xv6fs.super_problem(image.sb, len(image.data))


def test_orphans_may_be_allowed(image):
    plant_orphan(image)
    assert check(image, allow_orphans=True) == []


def test_garbage_never_breaks_the_checker(image):
    """Whatever the image says, the checker answers with sentences."""
    rng = random.Random(2)
    good = bytes(image.data)
    for _ in range(60):
        bad = bytearray(good)
        for _ in range(rng.randrange(1, 40)):
            bad[rng.randrange(BLOCK, 60 * BLOCK)] = rng.randrange(256)
        assert isinstance(check(Image(bad)), list)


def test_command_line(tmp_path):
    source = tmp_path / "_prog"
    source.write_bytes(b"program")
    other = tmp_path / "data.txt"
    other.write_bytes(b"data")
    target = tmp_path / "fs.img"
    done = mkfs("--size", 500, "--inodes", 50, "--log", 30, target, source, f"{other}:etc/conf")
    assert (done.returncode, done.stderr) == (0, "")
    image = Image.load(target)
    assert len(image.data) == 500 * BLOCK
    assert (image.sb.ninodes, image.sb.nlog) == (50, 30)
    assert image.read("/prog") == b"program"
    assert image.read("/etc/conf") == b"data"
    assert check(image) == []


def test_second_names(tmp_path):
    source = tmp_path / "prog"
    source.write_bytes(b"program")
    target = tmp_path / "fs.img"
    assert mkfs("--link", "bin/p:p", "--link", "/bin/p:/a/q", target,
                f"{source}:bin/p").returncode == 0
    image = Image.load(target)
    assert image.lookup("/p") == image.lookup("/bin/p") == image.lookup("/a/q")
    assert image.inode(image.lookup("/p")).nlink == 3 and image.read("/p") == b"program"
    assert check(image) == []


@pytest.mark.parametrize("args, status, says", [
    (["--link", "a", "i"], 2, "OLD:NEW"), (["--link", "a:b", "i"], 1, "a: no such file"),
    (["--link", "/:b", "i"], 1, "not a file"),
    ([], 2, "no IMAGE"), (["--size", "x", "i"], 2, "not a positive number"),
    (["--what", "i"], 2, "--what"), (["--size", "20", "i"], 2, "too few"),
    (["i", "/nonexistent"], 1, "No such file"), (["/nonexistent/i"], 1, "No such file")])
def test_command_line_errors(tmp_path, args, status, says):
    done = subprocess.run([os.path.join(TOOLS, "mkfs"), *args], check=False, cwd=tmp_path,
                          capture_output=True, encoding="utf-8")
    assert done.returncode == status
    assert says in done.stderr and len(done.stderr.splitlines()) == 1


def test_get_and_list(tmp_path, image):
    image.save(tmp_path / "i")
    done = mkfs("--get", "d/e/deep", tmp_path / "i", tmp_path / "out")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "out").read_bytes() == image.read("d/e/deep")
    assert mkfs("--get", "/small", tmp_path / "i").stdout == "hello\n"
    names = [line.split() for line in mkfs("--list", tmp_path / "i").stdout.splitlines()]
    assert {line[0] for line in names} == set(image.listdir())
    assert ["small", "file"] in [line[:2] for line in names]
    assert "deep" in mkfs("--list", tmp_path / "i", "/d/e").stdout
    assert mkfs("--list", tmp_path / "i", "small").stdout.split()[-1] == "6"


def test_get_sees_what_the_log_has(tmp_path, image):
    """A machine that was cut off has written it, though not yet to its place."""
    image.set_log({image.inode(image.lookup("small")).addrs[0]: b"logged"})
    image.save(tmp_path / "i")
    assert mkfs("--get", "small", tmp_path / "i").stdout == "logged"


@pytest.mark.parametrize("args, status, says", [
    (["--get", "none", "i"], 1, "none: no such file"),
    (["--get", "d", "i"], 1, "d: is a directory"),
    (["--get", "small", "i", "/nonexistent/o"], 1, "/nonexistent/o: No such file"),
    (["--get", "small", "missing"], 1, "missing: no such file"),
    (["--get", "small", "text"], 1, "text: not an image in xv6's format"),
    (["--list", "zeros"], 1, "magic"), (["--list", "i", "none"], 1, "none: no such file"),
    (["--get", "small"], 2, "no IMAGE"), (["--list"], 2, "no IMAGE"), (["--get"], 2, "--get"),
    (["--list", "i", "d", "e"], 2, "e: one word too many"),
    (["--get", "small", "i", "o", "p"], 2, "p: one word too many"),
    (["--list", "--get", "small", "i"], 2, "one at a time")])
def test_looking_errors(tmp_path, image, args, status, says):
    image.save(tmp_path / "i")
    (tmp_path / "text").write_bytes(b"x")
    (tmp_path / "zeros").write_bytes(bytes(100000))
    done = subprocess.run([os.path.join(TOOLS, "mkfs"), *args], check=False, cwd=tmp_path,
                          capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout) == (status, "")
    assert says in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "o").exists()


def test_failed_mkfs_leaves_the_old_image(tmp_path):
    target = tmp_path / "fs.img"
    target.write_bytes(b"old")
    assert mkfs(target, tmp_path / "missing").returncode == 1
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["fs.img"]


def elf(*segments):
    """The headers of an ELF file with segments (type, offset, size) and a section table."""
    header = b"\x7fELF\x02\x01\x01" + bytes(9) + struct.pack(
        "<HHIQQQIHHHHHH", 2, 243, 1, 0, 64, 4096, 0, 64, 56, len(segments), 64, 5, 4)
    return header + b"".join(struct.pack("<IIQQQQQQ", kind, 5, offset, 0, 0, size, size, 4096)
                             for kind, offset, size in segments)


def test_strip_keeps_what_is_loaded(tmp_path):
    """An ELF file of one segment, followed by a section table and more."""
    headers = elf((1, 128, 100))
    content = headers.ljust(128, b"\0") + b"T" * 100 + b"symbols" * 1000
    program = tmp_path / "prog"
    program.write_bytes(content)
    assert mkfs("--strip", tmp_path / "i", program).returncode == 0
    kept = Image.load(tmp_path / "i").read("prog")
    assert len(kept) == 228 and kept[128:] == b"T" * 100 and kept[64:120] == headers[64:]
    assert struct.unpack_from("<Q", kept, 40) == (0,)
    assert struct.unpack_from("<HHH", kept, 58) == (0, 0, 0)
    assert mkfs(tmp_path / "i", program).returncode == 0
    assert Image.load(tmp_path / "i").read("prog") == content


def test_strip_does_not_count_what_is_not_loaded(tmp_path):
    """lld has made a segment of .riscv.attributes, behind the debugger's sections. One that
    lies inside the kept part stays."""
    attributes, note = (0x70000003, 900000, 100), (4, 256, 10)
    headers = elf((1, 256, 100), attributes, note)
    program = tmp_path / "prog"
    program.write_bytes(headers.ljust(256, b"\0") + b"T" * 100 + bytes(900000))
    done = mkfs("--strip", tmp_path / "i", program)
    assert (done.returncode, done.stderr) == (0, "")
    kept = Image.load(tmp_path / "i").read("prog")
    assert len(kept) == 356 and kept[256:] == b"T" * 100
    assert kept[64:120] == headers[64:120] and kept[120:176] == bytes(56)
    assert kept[176:232] == headers[176:232]


def tool(name, *args):
    return subprocess.run([os.path.join(TOOLS, name), *args], check=False, capture_output=True)


def test_tool_ls_cat(tmp_path, image):
    path = tmp_path / "i"
    image.save(path)
    run = lambda *args: tool("xv6fs.py", *args)
    assert run("cat", path, "small").stdout == b"hello\n"
    assert b"deep" in run("ls", path, "d/e").stdout
    assert run("cat", path, "none").returncode == 1
    assert run().returncode == 2


def test_tool_check(tmp_path, image):
    path = tmp_path / "i"
    image.save(path)
    done = tool("xv6check.py", path)
    assert (done.returncode, done.stdout) == (0, b"")
    plant_double_block(image)
    image.save(path)
    done = tool("xv6check.py", path)
    assert done.returncode == 1 and b"belongs to inode" in done.stdout
    done = tool("xv6check.py", tmp_path / "none")
    assert done.returncode == 2 and done.stderr.startswith(b"xv6check: ")
    assert tool("xv6check.py").returncode == 2 and tool("xv6check.py", "--help").returncode == 0
