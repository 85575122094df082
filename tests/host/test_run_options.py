"""./run without a machine: help, --dry-run, and one clear sentence for each mistake."""
import os
import shlex
import subprocess

import boards
import machine
import pytest
import xv6fs

RUN = os.path.join(machine.ROOT, "run")


def run(*args, cwd=None):
    return subprocess.run([RUN, *map(str, args)], check=False, cwd=cwd, capture_output=True,
                          encoding="utf-8", stdin=subprocess.DEVNULL)


def dry(*args):
    done = run("--dry-run", *args)
    assert (done.returncode, done.stderr) == (0, "")
    return shlex.split(done.stdout)


def after(command, option):
    return command[command.index(option) + 1]


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(option):
    done = run(option)
    assert (done.returncode, done.stderr) == (0, "")
    for name in ("--design", "--disk", "--disk2", "--harts", "--mem", "-c", "--gdb",
                 "--dry-run", "--debug", "--verbose", "--timeout", "--keep", "--machine",
                 "--commit", "--paging", "--sync",
                 "Ctrl-A X", "Ctrl-A C", "Ctrl-P", "Ctrl-U",
                 "Ctrl-D", "Ctrl-C ", "Ctrl-\\ ", "BUILD=", "mkfs --get", "mkfs --list",
                 *machine.designs()):
        assert name in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_defaults():
    command = dry()
    assert command[0] == "qemu-system-riscv64"
    assert after(command, "-m") == "128M" and after(command, "-smp") == "3"
    assert after(command, "-kernel").endswith("/kernel/kernel.elf")
    assert f"design={machine.default_design()}" in after(command, "-append").split()
    assert "snapshot=on" in after(command, "-drive")
    assert "-nographic" in command and "panic=exit" in after(command, "-append")


def test_options_reach_qemu(tmp_path):
    disk = tmp_path / "my,disk.img"
    xv6fs.Image.make(200, 20, 31).save(disk)
    command = dry("--design", machine.designs()[-1], "--harts", 8, "--mem", "2G", "--debug",
                  "--disk", disk, "--append", "one two", "-c", "echo 'a  b'")
    assert after(command, "-m") == "2048M" and after(command, "-smp") == "8"
    assert "/kernel-debug/" in after(command, "-kernel")
    assert "my,,disk.img" in after(command, "-drive")
    assert "snapshot" not in after(command, "-drive")
    words, _, commands = after(command, "-append").partition(" -- ")
    assert {f"design={machine.designs()[-1]}", "quiet", "panic=exit", "trace=poweroff", "one",
            "two"} == set(words.split())
    assert commands == "echo 'a  b'"


def test_commit_is_a_boot_option():
    assert "commit=lazy" in after(dry("--commit", "lazy"), "-append").split()
    for args in ([], ["--commit", "strict"]):
        assert "commit" not in after(dry(*args), "-append")


def test_paging_is_a_boot_option():
    for mode in ("sv48", "sv57"):
        assert f"paging={mode}" in after(dry("--paging", mode), "-append").split()
    for args in ([], ["--paging", "sv39"]):
        assert "paging" not in after(dry(*args), "-append")


def test_sync_is_a_boot_option(tmp_path):
    assert "sync=always" in after(dry("--sync", "always"), "-append").split()
    for args in ([], ["--sync", "delayed"]):
        assert "sync" not in after(dry(*args), "-append")
    path = str(tmp_path / "foreign")  # whose programs know no sync
    foreign_image().save(path)
    assert "sync=always" in after(dry("--disk", path), "-append").split()
    assert "sync" not in after(dry("--disk", path, "--sync", "delayed"), "-append")


def test_verbose_is_not_quiet():
    assert "quiet" not in after(dry("-c", "ls", "--verbose"), "-append").split()


@pytest.mark.parametrize("args", [[], ["-c", "ls"]])
def test_view_has_the_console_logged(args):
    plain, logged = dry(*args), dry(*args, "--view")
    assert not any("logfile" in word for word in plain)
    console = after(logged, "-chardev")
    assert ",mux=on,signal=off" in console and "logfile=" in console
    # Newer QEMUs know no -mon.
    assert after(logged, "-monitor") == "chardev:console" and "-mon" not in logged
    assert after(plain, "-append") == after(logged, "-append")


@pytest.mark.parametrize("board", [name for name in boards.BOARDS if name != "virt"])
def test_boards(board):
    """The harts that Trellis cannot use come on top, and the disk is in memory."""
    what = boards.BOARDS[board]
    command = dry("--machine", board, "--harts", 2, "-c", "ls")
    assert after(command, "-machine") == board
    assert after(command, "-smp") == str(2 + what.helpers)
    assert after(command, "-m") == f"{what.mib}M"
    assert after(command, "-initrd") == machine.default_image()
    assert ("-dtb" in command) == what.dtb and "-drive" not in command


def test_gdb_waits():
    command = dry("--gdb=4321")
    assert "-S" in command and after(command, "-gdb") == "tcp:127.0.0.1:4321"
    assert "panic=exit" not in command
    assert after(dry("--gdb"), "-gdb") != "tcp:127.0.0.1:0"


def foreign_image():
    image = xv6fs.Image.make(200, 20, 31)
    image.write_file("init", b"an init of xv6")
    return image


def test_kept_disk():
    """Named, it is made in the build folder; --dry-run makes nothing."""
    command = dry("--keep", "mine")
    assert after(command, "-drive").startswith(f"file={machine.build_path('kept', 'mine.img')},")
    assert "snapshot" not in after(command, "-drive")
    assert not os.path.exists(machine.build_path("kept", "mine.img"))


def test_piped_input_has_a_shell_of_its_own(tmp_path):
    """(Standard input is no terminal here.) Another's init takes no commands."""
    assert after(dry(), "-append").endswith(" trace=poweroff -- exec sh <console")
    foreign_image().save(tmp_path / "foreign")
    assert "trace=exit" in after(dry("--disk", tmp_path / "foreign"), "-append").split()


def test_foreign_image_is_noticed(tmp_path):
    """Commands for an init that knows no -c are typed, not passed."""
    foreign_image().save(tmp_path / "foreign")
    assert "trace=exit" in after(dry("--disk", tmp_path / "foreign", "-c", "ls"), "-append")
    image = xv6fs.Image.make(200, 20, 31)
    image.write_file("init", b"...Trellis init...")
    image.save(tmp_path / "ours")
    assert after(dry("--disk", tmp_path / "ours", "-c", "ls"), "-append").endswith(" -- ls")


@pytest.mark.parametrize("args, says", [
    (["--machine", "pc"], "no such machine"), (["--machine", "sifive_u", "--harts", "5"], "1 to 4"),
    (["--machine", "microchip-icicle-kit", "--mem", "1G"], "1537M"),
    (["--machine", "spike", "--keep", "a"], "in memory"),
    (["--machine", "spike"], "use -c, or a terminal"),
    (["--machine", "spike", "--disk", "foreign", "-c", "ls"], "no commands but typed ones"),
    (["--bogus"], "--bogus"), (["word"], "word"), (["-c"], "-c"), (["--des", "walk"], "--des"),
    (["--design", "none"], "no such design"), (["--paging", "sv64"], "sv39, sv48 and sv57"),
    (["--harts", "0"], "1 to 8"),
    (["--harts", "9"], "1 to 8"), (["--harts", "two"], "1 to 8"), (["--harts", "-1"], "--harts"),
    (["--mem", "16M"], "too small"), (["--mem", "31"], "too small"),
    (["--mem", "lots"], "not a size"), (["--mem", "1T"], "not a size"),
    (["--mem", "300G"], "too large"), (["--timeout", "5"], "is for -c"),
    (["-c", "ls", "--timeout", "0"], "positive"), (["-c", "ls", "--timeout", "x"], "positive"),
    (["--gdb=70000"], "port"), (["--gdb=x"], "port"), (["-c", "x" * 1901], "1900"),
    (["--append", "a -- b"], "--append"), (["--commit", "eager"], "strict and lazy"),
    (["--sync", "never"], "delayed and always"),
    (["--disk", "missing.img"], "no such file"),
    (["--disk2", "missing.img"], "no such file; mke2fs"), (["--disk2", "."], "not a file"),
    (["--disk2", "foreign", "--disk", "foreign"], "the same image"),
    (["--disk2", "foreign", "--sim"], "one disk"),
    (["--disk", "."], "not a file"), (["--keep", "a/b"], "no name for a disk"),
    (["--keep", ""], "no name for a disk"), (["--keep", "a", "--disk", "foreign"], "only one disk"),
    (["--disk", "short"], "xv6's format"),
    (["--disk", "zeros"], "magic"), (["--disk", "cut"], "blocks"),
    (["--disk", "foreign", "-c", "ls\n" + "x" * 99], "98 bytes a line, not 99")])
@pytest.mark.parametrize("dry_run", [True, False])
def test_mistakes(tmp_path, args, says, dry_run):
    (tmp_path / "short").write_bytes(b"x")
    (tmp_path / "zeros").write_bytes(bytes(100000))
    (tmp_path / "cut").write_bytes(xv6fs.Image.make(200, 20, 31).data[:150 * 1024])
    foreign_image().save(tmp_path / "foreign")
    done = run(*(["--dry-run"] if dry_run else []), *args, cwd=tmp_path)
    assert done.returncode == 2 and done.stdout == ""
    assert says in done.stderr and len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_dry_run_does_nothing():
    missing = "build-that-is-not-there"
    done = subprocess.run([RUN, "--dry-run"], check=False, capture_output=True, encoding="utf-8",
                          env={**os.environ, "BUILD": missing})
    assert done.returncode == 0 and missing in done.stdout
    assert not os.path.exists(os.path.join(machine.ROOT, missing))


@pytest.mark.parametrize("text, mib", [
    ("128M", 128), ("128", 128), ("2G", 2048), ("2g", 2048), ("64MiB", 64), ("1 GB", 1024)])
def test_sizes(text, mib):
    assert machine.parse_mem(text) == mib
