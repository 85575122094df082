"""A checkout works where it lies: reached through a link, read-only, cloned by a git that
changes the ends of lines. What cannot work says so."""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import machine
import pytest
from test_test import tree  # noqa: F401 (a fixture)

NOBODY = 65534
COMMANDS = ("run", "test", "tools/mkfs", "tools/ptview", "tools/defects.py")


def call(*command, cwd=machine.ROOT, user=None, **variables):
    """Runs it with an environment that has these variables."""
    env = {k: v for k, v in os.environ.items() if k not in ("BUILD", "DEBUG", "MAKEFLAGS")}
    return subprocess.run([str(word) for word in command], check=False, cwd=cwd, user=user,
                          capture_output=True, encoding="utf-8", stdin=subprocess.DEVNULL,
                          env={**env, **variables}, timeout=120)


# ---- links ----
@pytest.mark.parametrize("command", COMMANDS)
def test_through_links(tmp_path, command):
    """A link to a relative link to the command, as a user has them in ~/bin."""
    (tmp_path / "bin").mkdir()
    inner, outer = tmp_path / "bin" / "inner", tmp_path / "outer"
    inner.symlink_to(os.path.relpath(os.path.join(machine.ROOT, command), tmp_path / "bin"))
    outer.symlink_to("bin/inner")
    done = call(outer, "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "") and command in done.stdout


def test_ptview_finds_its_parts_through_a_link(tmp_path):
    (tmp_path / "ptview").symlink_to(os.path.join(machine.ROOT, "tools", "ptview"))
    done = call(tmp_path / "ptview", "-o", tmp_path / "page.html")
    assert done.returncode == 0 and (tmp_path / "page.html").exists(), done.stderr


# ---- the folder for what is built ----
def set_writable(folder, writable):
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o755 if writable else 0o555)


@pytest.fixture
def read_only(tree):  # noqa: F811
    """(a small checkout that can only be read, the user who tries)."""
    with tempfile.TemporaryDirectory() as folder:  # pytest's are closed to other users
        os.chmod(folder, 0o755)
        checkout = Path(folder) / "checkout"
        shutil.copytree(tree, checkout)
        shutil.copytree(os.path.join(machine.ROOT, "tools"), checkout / "tools",
                        dirs_exist_ok=True)
        shutil.copy(os.path.join(machine.ROOT, "run"), checkout)
        set_writable(checkout, False)
        # root may write anywhere
        yield checkout, os.getuid() or NOBODY
        set_writable(checkout, True)


@pytest.mark.parametrize("command", [["run", "-c", "true"], ["test", "host"]])
def test_read_only_checkout(read_only, command):
    checkout, user = read_only
    done = call(checkout / command[0], *command[1:], user=user)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert f"{checkout}/build: cannot be written" in done.stderr and "BUILD=" in done.stderr


def test_read_only_checkout_is_built_elsewhere(read_only):
    checkout, user = read_only
    before = sorted(checkout.rglob("*"))
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        done = call(checkout / "test", "host", user=user, BUILD=f"{folder}/b")
        assert done.returncode == 0, done.stdout + done.stderr
        assert os.path.exists(f"{folder}/b/host/test_good")
    assert sorted(checkout.rglob("*")) == before


@pytest.mark.parametrize("command, build", [
    *((["make"], build) for build in ("a b", "a:b", "a'b", "a#b", "a$b", "/proc/none")),
    *(([f"./{name}"], build) for name in ("run", "test") for build in ("a b", "/proc/none"))])
def test_folder_that_make_cannot_use(command, build):
    done = call(*command, BUILD=build.replace("$", "$$") if command == ["make"] else build)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "cannot be" in done.stderr or "cannot build in a folder with" in done.stderr
    assert not os.path.exists(os.path.join(machine.ROOT, build))


def test_empty_name_is_none():
    assert call("./run", "--dry-run", BUILD="").stdout == call("./run", "--dry-run").stdout
    for made in call("make", "-n", "clean", BUILD=""), call("make", "-n", "clean", "BUILD="):
        assert "rmdir build " in made.stdout


# ---- the environment ----
def test_other_programs_debug():
    """An environment's DEBUG may be anybody's; who gives it to make means ours."""
    kernel = "kernel/kernel.elf"
    with tempfile.TemporaryDirectory() as folder:
        flags = f"{folder}/kernel/flags"
        assert call("make", flags, BUILD=folder, DEBUG="app:*").returncode == 0
        assert "-DDEBUG=0" in Path(flags).read_text(encoding="utf-8")
        done = call("make", f"{folder}/{kernel}", "DEBUG=yes", BUILD=folder)
        assert done.returncode == 2 and "DEBUG=yes: is 0 or 1" in done.stderr


def command(folder, name, body):
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("there, version, known", [
    ("cc", "cc (Debian 12.2.0-14) 12.2.0", True), ("gcc", "gcc (GCC) 16.1.1 20260501", False),
    *(pytest.param(*each, marks=pytest.mark.hand) for each in (
        ("clang", "Debian clang version 14.0.6", True), ("clang", "clang version 99.1.0", False),
        ("cc", "Apple clang version 16.0.0 (clang-1600.0.26.6)", False)))])
def test_any_host_compiler(tmp_path, monkeypatch, there, version, known):
    """make's own default is cc, and spin's programs are compiled as the unit tests are. What
    a compiler that we do not know warns about is no error."""
    for name in ("sh", "sed", "grep", "find", "mkdir", "make"):
        (tmp_path / name).symlink_to(shutil.which(name))
    number = re.search(r"\d+\.\d+\.\d+", version)[0]
    command(tmp_path, there, f"""case $1 in
        --version) echo '{version}' ;;
        -dumpversion) echo {number} ;;
        esac""")
    command(tmp_path, "riscv64-elf-gcc", "echo 12")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.host_compiler() == [there]
    program = f"{tmp_path}/b/host/test_string"
    done = call("make", "-n", f"BUILD={tmp_path}/b", program)
    assert done.returncode == 0, done.stderr
    assert re.search(rf"(?m)(?:^| ){there} -std=gnu17", done.stdout)
    assert ("-Werror" in done.stdout) == known
    monkeypatch.setenv("CC", "ccache gcc")
    assert machine.host_compiler() == ["ccache", "gcc"]
    assert "ccache gcc -std" in call("make", "-n", f"BUILD={tmp_path}/b", program).stdout


# ---- git ----
def test_clone_with_other_line_ends(tmp_path):
    """With core.autocrlf, which git for Windows sets, and its clones are used in WSL, too."""
    if not shutil.which("git"):
        pytest.skip("there is no git")
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    shutil.copytree(machine.ROOT, origin, symlinks=True,
                    ignore=shutil.ignore_patterns("build*", ".git", "__pycache__"))

    def git(*args):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t", *args], check=True,
                       cwd=tmp_path, capture_output=True)
    git("init", "-q", origin)
    git("-C", origin, "add", "-A")
    git("-C", origin, "commit", "-qm", "all")
    git("clone", "-q", "-c", "core.autocrlf=true", origin, clone)
    files = [p.relative_to(origin) for p in origin.rglob("*")
             if p.is_file() and ".git" not in p.relative_to(origin).parts]
    assert len(files) > 300
    assert [f for f in files if (clone / f).read_bytes() != (origin / f).read_bytes()] == []
