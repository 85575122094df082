"""The build: quiet, a second time without work, and with another compiler. From nothing it is what
./test begins with."""
import os
import shutil
import subprocess

import guest
import machine
import pytest
import trees


def make(folder, *args):
    return subprocess.run(["make", "-j2", f"BUILD={folder}", *args], check=False,
                          cwd=machine.ROOT, capture_output=True, encoding="utf-8",
                          stdin=subprocess.DEVNULL, timeout=guest.LONG_DEADLINE)


def run_in(folder, *args, tree=machine.ROOT):
    return subprocess.run([os.path.join(tree, "run"), *args], check=False,
                          capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL,
                          timeout=guest.LONG_DEADLINE, env={**os.environ, "BUILD": str(folder)})


def copy_of_the_tree(folder):
    """In a path with blanks, and with what else a shell would not take as it is."""
    tree = folder / "the user's $HOME (1)"
    trees.copy(tree)
    return tree


@pytest.mark.hand
def test_run_builds_what_it_needs(tmp_path):
    """./run builds, says so in one line, and boots."""
    tree = copy_of_the_tree(tmp_path)
    (tree / "kernel" / "mm" / "pt.c").touch()
    (tree / "build" / "fs.img").unlink(missing_ok=True)
    done = run_in("build", "-c", "echo hi", tree=tree)
    assert (done.stdout, done.returncode) == ("hi\n", 0), done.stderr
    assert len(done.stderr.splitlines()) == 1 and "Building" in done.stderr
    again = run_in("build", "-c", "echo hi", tree=tree)
    assert (again.stdout, again.stderr) == ("hi\n", "")
    assert run_in(tmp_path / "empty", "--no-build", "-c", "true", tree=tree).returncode == 2


@pytest.fixture
def llvm():
    if not shutil.which("clang") or not shutil.which("ld.lld"):
        pytest.skip("there is no clang with lld here")
    return ["TOOLCHAIN=llvm"]


@pytest.fixture
def elf(tmp_path):
    """riscv64-unknown-elf-gcc by another system's name, with as little as there may be: no
    header of a C library or in its place, and a linker for 32 bits if nobody says more."""
    real = "riscv64-unknown-elf-"
    if not shutil.which(real + "gcc"):
        pytest.skip(f"there is no {real}gcc here")
    include = subprocess.run([real + "gcc", "-print-file-name=include"], check=True,
                             capture_output=True, encoding="utf-8").stdout.strip()
    shutil.copytree(include, tmp_path / "include", ignore=shutil.ignore_patterns("stdint*"))
    prefix = tmp_path / "riscv-none-elf-"
    for tool, more in (("gcc", f"-nostdinc -isystem '{tmp_path}/include'"),
                       ("ld", "-m elf32lriscv"), ("objdump", ""), ("objcopy", ""), ("nm", ""),
                       ("readelf", "")):
        path = tmp_path / (prefix.name + tool)
        path.write_text(f'#!/bin/sh\nexec {real}{tool} {more} "$@"\n', encoding="utf-8")
        path.chmod(0o755)
    return [f"CROSS={prefix}"]


@pytest.mark.hand
def test_kernel_by_another_compiler(tmp_path, llvm):
    """The kernel alone; the programs are this build's."""
    folder = tmp_path / "b"
    done = make(folder, *llvm, "kernel")
    assert done.returncode == 0, done.stdout + done.stderr
    shutil.copy(machine.default_image(), folder)
    booted = run_in(folder, "--no-build", "-c", "ls | wc; usertests -q fork")
    assert booted.returncode == 0, booted.stdout


@pytest.mark.hand
@pytest.mark.parametrize("toolchain", ["llvm", "elf"])
def test_other_toolchain(request, tmp_path, toolchain):
    folder = tmp_path / "b"
    done = make(folder, *request.getfixturevalue(toolchain), "all")
    assert done.returncode == 0, done.stdout + done.stderr
    # A newer lld would make a segment of it, far behind what is loaded.
    assert b".riscv.attributes" not in (folder / "user" / "bin" / "usertests").read_bytes()
    booted = run_in(folder, "--no-build", "-c",
                    "ls | wc; usertests -q fork && threadtests own_variables")
    assert booted.returncode == 0, booted.stdout


def test_unknown_toolchain(tmp_path):
    done = make(tmp_path, "TOOLCHAIN=gcc", "all")
    assert done.returncode == 2 and "no such toolchain; there are: gnu elf llvm" in done.stderr


@pytest.mark.hand
def test_what_is_no_more_goes(tmp_path):
    """A file that was taken out of the sources leaves the kernel and the image."""
    tree = copy_of_the_tree(tmp_path)
    source, text = tree / "kernel" / "lib" / "stray.c", tree / "user" / "etc" / "stray.txt"
    part, user = tree / "user" / "lib" / "stray.c", tree / "user" / "bin" / "true.c"
    source.write_text("int stray_number;\n", encoding="utf-8")
    text.write_text("stray\n", encoding="utf-8")
    part.write_text("int stray_part(void);\nint stray_part(void) { return 0; }\n")
    user.write_text("int stray_part(void);\nint main(void) { return stray_part(); }\n")

    def built():
        done = make("build", "-C", str(tree))
        assert done.returncode == 0, done.stdout + done.stderr
        symbols = (tree / "build" / "kernel" / "kernel.sym").read_text(encoding="utf-8")
        image = (tree / "build" / "fs.img").read_bytes()
        return "stray_number" in symbols, b"stray.txt" in image

    assert built() == (True, True)
    source.unlink()
    text.unlink()
    assert built() == (False, False)
    assert make("build", "-C", str(tree), "build/host/test_string").returncode == 0
    part.unlink()
    done = make("build", "-C", str(tree), "user")
    assert done.returncode == 2 and "stray_part" in done.stderr


def test_broken_source_is_shown(tmp_path):
    """A failed build: the compiler's message, and status 2."""
    tree = copy_of_the_tree(tmp_path)
    with open(tree / "kernel" / "init" / "main.c", "a", encoding="utf-8") as f:
        f.write("this is no C;\n")
    done = subprocess.run([tree / "run", "-c", "true"], check=False, capture_output=True,
                          encoding="utf-8", stdin=subprocess.DEVNULL,
                          timeout=guest.LONG_DEADLINE,
                          env={k: v for k, v in os.environ.items() if k != "BUILD"})
    assert done.returncode == 2 and "kernel/init/main.c" in done.stderr
    assert "the build failed" in done.stderr and done.stdout == ""
