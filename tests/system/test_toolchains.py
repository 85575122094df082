"""The build: from nothing, quiet, a second time without work, and with another compiler."""
import os
import shutil
import subprocess

import guest
import machine
import pytest


def make(folder, *args):
    return subprocess.run(["make", "-j2", f"BUILD={folder}", *args], check=False,
                          cwd=machine.ROOT, capture_output=True, encoding="utf-8",
                          stdin=subprocess.DEVNULL, timeout=guest.LONG_DEADLINE)


def run_in(folder, *args):
    return subprocess.run([os.path.join(machine.ROOT, "run"), *args], check=False,
                          capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL,
                          timeout=guest.LONG_DEADLINE, env={**os.environ, "BUILD": str(folder)})


def test_run_builds_what_it_needs(tmp_path):
    """./run in a fresh clone builds, says so in one line, and boots."""
    done = run_in(tmp_path / "b", "-c", "echo hi")
    assert (done.stdout, done.returncode) == ("hi\n", 0), done.stderr
    assert len(done.stderr.splitlines()) == 1 and "Building" in done.stderr
    again = run_in(tmp_path / "b", "-c", "echo hi")
    assert (again.stdout, again.stderr) == ("hi\n", "")
    assert run_in(tmp_path / "empty", "--no-build", "-c", "true").returncode == 2


@pytest.mark.parametrize("toolchain, commands", [
    ("llvm", ["clang", "ld.lld"]), ("elf", ["riscv64-unknown-elf-gcc"])])
def test_other_toolchain(tmp_path, toolchain, commands):
    for command in commands:
        if not shutil.which(command):
            pytest.skip(f"there is no {command} here")
    done = make(tmp_path, f"TOOLCHAIN={toolchain}", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    # A newer lld would make a segment of it, far behind what is loaded.
    assert b".riscv.attributes" not in (tmp_path / "user" / "bin" / "usertests").read_bytes()
    booted = run_in(tmp_path, "--no-build", "-c", "ls | wc; usertests -q fork")
    assert booted.returncode == 0, booted.stdout


def test_unknown_toolchain(tmp_path):
    done = make(tmp_path, "TOOLCHAIN=gcc", "all")
    assert done.returncode == 2 and "no such toolchain; there are: gnu elf llvm" in done.stderr


def test_what_is_no_more_goes(tmp_path):
    """A file that was taken out of the sources leaves the kernel and the image."""
    tree = tmp_path / "tree"
    shutil.copytree(machine.ROOT, tree, symlinks=True,
                    ignore=shutil.ignore_patterns("build*", ".git", "__pycache__"))
    source, text = tree / "kernel" / "lib" / "stray.c", tree / "user" / "etc" / "stray.txt"
    part, user = tree / "user" / "lib" / "stray.c", tree / "user" / "bin" / "true.c"
    source.write_text("int stray_number;\n", encoding="utf-8")
    text.write_text("stray\n", encoding="utf-8")
    part.write_text("int stray_part(void);\nint stray_part(void) { return 0; }\n")
    user.write_text("int stray_part(void);\nint main(void) { return stray_part(); }\n")

    def built():
        subprocess.run(["make", "-j2", f"BUILD={tmp_path}/b"], check=True, cwd=tree,
                       capture_output=True, timeout=guest.LONG_DEADLINE)
        symbols = next((tmp_path / "b").glob("*/kernel.sym")).read_text(encoding="utf-8")
        image = (tmp_path / "b" / "fs.img").read_bytes()
        return "stray_number" in symbols, b"stray.txt" in image

    assert built() == (True, True)
    source.unlink()
    text.unlink()
    assert built() == (False, False)
    part.unlink()
    done = make(tmp_path / "b", "-C", str(tree), "user")
    assert done.returncode == 2 and "stray_part" in done.stderr


def test_broken_source_is_shown(tmp_path):
    """A failed build: the compiler's message, and status 2."""
    tree = tmp_path / "tree"
    shutil.copytree(machine.ROOT, tree, symlinks=True,
                    ignore=shutil.ignore_patterns("build*", ".git", "__pycache__"))
    with open(tree / "kernel" / "init" / "main.c", "a", encoding="utf-8") as f:
        f.write("this is no C;\n")
    done = subprocess.run([tree / "run", "-c", "true"], check=False, capture_output=True,
                          encoding="utf-8", stdin=subprocess.DEVNULL,
                          timeout=guest.LONG_DEADLINE,
                          env={k: v for k, v in os.environ.items() if k != "BUILD"})
    assert done.returncode == 2 and "kernel/init/main.c" in done.stderr
    assert "the build failed" in done.stderr and done.stdout == ""
