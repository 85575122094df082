"""tools/need.sh asks a package manager only for what is missing. The system's commands
are stand-ins in a directory that is the whole PATH."""
import os
import subprocess

import machine
import pytest

NEED = os.path.join(machine.ROOT, "tools", "need.sh")
# Commands of the host that the script may use, and the stand-ins that there may be.
REAL = ("sh", "env", "grep", "echo", "id", "touch", "chmod", "cat", "dirname")
BUILD = ("riscv64-linux-gnu-gcc", "make")
ALL = BUILD + ("python3", "qemu-system-riscv64", "cc", "gdb-multiarch")


class System:
    """A host with some commands. `calls` has what the package manager was asked."""

    def __init__(self, folder):
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.firmware = folder / "firmware"
        self.firmware.mkdir()
        for name in REAL:
            found = subprocess.run(["sh", "-c", f"command -v {name}"], check=True,
                                   capture_output=True, encoding="utf-8").stdout.strip()
            if found.startswith("/"):
                (self.bin / name).symlink_to(found)

    def command(self, name, body="exit 0"):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)

    def with_all(self, but=()):
        for name in set(ALL) - set(but):
            self.command(name)
        if "qemu-system-riscv64" not in but:
            self.command("qemu-system-riscv64", f"echo {self.firmware}")
        if "firmware" not in but:
            (self.firmware / "opensbi-riscv64-generic-fw_dynamic.bin").touch()

    def with_apt(self, knows="exit 0", provides=()):
        """An apt whose install puts the commands `provides` there."""
        made = "".join(f"printf '#!/bin/sh\\nexit 0\\n' > {self.bin}/{n}; chmod +x {self.bin}/{n}\n"
                       for n in provides)
        self.command("apt-get", f'echo "apt-get $*" >> {self.folder}/calls\n'
                                f'case "$*" in *install*)\n:\n{made};; esac')
        self.command("apt-cache", knows)
        self.command("sudo", f'echo "sudo $*" >> {self.folder}/calls\nexec "$@"')

    def need(self, *groups, **variables):
        return subprocess.run([self.bin / "sh", NEED, *groups], check=False, encoding="utf-8",
                              capture_output=True, env={"PATH": str(self.bin), **variables},
                              stdin=subprocess.DEVNULL)

    @property
    def calls(self):
        path = self.folder / "calls"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def system(tmp_path):
    return System(tmp_path)


def test_nothing_is_missing(system):
    system.with_all()
    system.with_apt()
    done = system.need("python", "build", "boot", "test")
    assert (done.returncode, done.stdout, done.stderr, system.calls) == (0, "", "", "")


@pytest.mark.parametrize("compiler", [
    ["riscv64-unknown-elf-gcc"], ["riscv64-elf-gcc"], ["riscv64-none-elf-gcc"],
    ["riscv-none-elf-gcc"], ["riscv64-unknown-linux-gnu-gcc"], ["riscv64-linux-gnu-gcc"],
    ["clang", "ld.lld", "llvm-nm", "llvm-objdump", "llvm-dwarfdump"]])
def test_any_compiler_does(system, compiler):
    system.with_all(but=["riscv64-linux-gnu-gcc"])
    system.with_apt()
    for name in compiler:
        system.command(name)
    if "clang" in compiler:
        system.command("clang", 'echo "${1#-print-prog-name=}"')
    assert system.need("build").returncode == 0 and system.calls == ""


@pytest.mark.parametrize("variable", ["CROSS", "TOOLCHAIN"])
def test_what_the_user_names_is_not_installed(system, variable):
    system.with_all()
    system.with_apt()
    done = system.need("build", **{variable: "riscv64-foo-"})
    assert done.returncode == 2 and f"{variable}=riscv64-foo-: " in done.stderr
    assert len(done.stderr.splitlines()) == 1 and system.calls == ""


@pytest.mark.parametrize("compiler, named", [("clang", None), ("gcc", None), ("my-cc", "my-cc -x")])
def test_any_host_compiler_does(system, compiler, named):
    system.with_all(but=["cc"])
    system.command(compiler)
    assert system.need("test", **({"CC": named} if named else {})).returncode == 0


def test_host_compiler_without_sanitizers(system):
    """As clang is without the package of its libraries."""
    system.with_all()
    system.with_apt()
    system.command("cc", 'case "$*" in *-fsanitize=address*) exit 1 ;; esac')
    assert system.need("test").returncode == 2  # this apt installs nothing
    assert system.calls.strip().endswith("install --no-install-recommends gcc libc6-dev")


@pytest.mark.parametrize("knows", [True, False])
def test_plain_gdb(system, knows):
    """On some systems it knows all architectures, on others the host's alone."""
    system.with_all(but=["gdb-multiarch"])
    system.command("gdb", "exit 0" if knows else "echo 'Undefined item: \"riscv:rv64\".' >&2")
    assert (system.need("test").returncode == 0) == knows


def test_missing_is_installed(system):
    system.with_all(but=BUILD)
    system.with_apt(provides=BUILD)
    done = system.need("build")
    assert done.returncode == 0, done.stderr
    install, = [line for line in system.calls.splitlines() if line.startswith("apt-get")]
    assert install.endswith("install --no-install-recommends gcc-riscv64-linux-gnu make")
    assert "-y" in install and "update" not in system.calls
    assert "a RISC-V compiler" in done.stderr and "make" in done.stderr


def installs(system, group, packages, **variables):
    """need.sh installs exactly these, and the second time nothing."""
    done = system.need(group, **variables)
    assert done.returncode == 0, done.stderr
    assert system.calls.strip().endswith("install --no-install-recommends " + packages)
    before = system.calls
    assert system.need(group, **variables).returncode == 0 and system.calls == before


def test_more(system):
    """The benchmarks were recorded with the first of the gccs: the second alone will not do."""
    system.with_all(but=["riscv64-linux-gnu-gcc"])
    system.command("clang", "exit 1")  # without libFuzzer
    system.with_apt(provides=("clang", "ld.lld", "llvm-nm", "llvm-objdump", "llvm-dwarfdump",
                              "spin", "clang-format", "clang-tidy", "cppcheck", "mke2fs",
                              "riscv64-linux-gnu-gcc", "riscv64-unknown-elf-gcc", "uboot"))
    installs(system, "more", "clang libclang-rt-dev lld llvm spin clang-format clang-tidy cppcheck "
             "e2fsprogs gcc-riscv64-linux-gnu gcc-riscv64-unknown-elf u-boot-qemu",
             UBOOT=str(system.bin / "uboot"), MKE2FS=str(system.bin / "mke2fs"))


def test_browser(system):
    """A Python without Selenium, and a system that has no Chromium to install."""
    system.with_all()
    has = f'case "$2" in *selenium*) test -e {system.bin}/with-selenium;; esac'
    system.command("python3", has)
    system.with_apt(provides=("chromium", "chromedriver", "with-selenium", "rsvg-convert"))
    installs(system, "browser", "chromium chromium-driver python3-selenium librsvg2-bin")
    (system.bin / "chromium").unlink()
    system.command("apt-get", "exit 100")
    assert system.need("browser").returncode == 2


def test_lists_are_read_when_they_are_not_there(system):
    system.with_all(but=["make"])
    system.with_apt(knows=f"test -e {system.folder}/updated", provides=["make"])
    body = (system.bin / "apt-get").read_text()
    (system.bin / "apt-get").write_text(
        body + f'\ncase "$*" in *update*) touch {system.folder}/updated ;; esac\n')
    assert system.need("build").returncode == 0
    calls = [c for c in system.calls.splitlines() if c.startswith("apt-get")]
    assert "update" in calls[0] and "install" in calls[1] and len(calls) == 2


@pytest.mark.parametrize("newer, package", [
    (True, "qemu-system-riscv opensbi"), (False, "qemu-system-misc opensbi")])
def test_qemu_has_two_names(system, newer, package):
    system.with_all(but=["qemu-system-riscv64", "firmware"])
    system.with_apt(knows='echo "Package: $2"' if newer else
                    'case $2 in qemu-system-riscv) exit 100 ;; esac')
    assert system.need("boot").returncode == 2  # this apt installs nothing
    assert system.calls.strip().endswith(package)


def test_installed_and_still_missing(system):
    system.with_all(but=["make"])
    system.with_apt()
    done = system.need("build")
    assert done.returncode == 2 and "still not found: make" in done.stderr


def test_failed_installation(system):
    system.with_all(but=["make"])
    system.with_apt()
    system.command("apt-get", "exit 100")
    done = system.need("build")
    assert done.returncode == 2 and "installation failed" in done.stderr


@pytest.mark.parametrize("manager, says", [
    ("dnf", "sudo dnf install gcc-riscv64-linux-gnu make"),
    ("pacman", "sudo pacman -S riscv64-linux-gnu-gcc make"),
    ("apk", "sudo apk add clang lld llvm make"),
    ("zypper", "sudo zypper install clang lld llvm make"),
    ("brew", "brew install llvm lld make"), (None, "gcc-riscv64-linux-gnu make")])
def test_other_systems_are_told(system, manager, says):
    system.with_all(but=BUILD)
    if manager:
        system.command(manager, f"echo called >> {system.folder}/calls")
    done = system.need("build")
    assert done.returncode == 2 and says in done.stderr and system.calls == ""
