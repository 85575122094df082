"""tools/toolchain.sh: which RISC-V compiler the Makefile takes, under all the names that systems
give to it. The compilers are stand-ins in a directory that is the whole PATH."""
import os
import subprocess

import machine
import pytest
from test_need import system  # noqa: F401 (a fixture)

TOOLCHAIN = os.path.join(machine.ROOT, "tools", "toolchain.sh")
LLVM = ("llvm-nm", "llvm-objdump", "llvm-dwarfdump")
GNU = ("riscv64-linux-gnu-", "riscv64-unknown-linux-gnu-", "riscv64-linux-musl-")
ELF = ("riscv64-unknown-elf-", "riscv64-elf-", "riscv64-none-elf-", "riscv-none-elf-")


def found(system, *args):  # noqa: F811
    """(status, what it prints)"""
    done = subprocess.run([system.bin / "sh", TOOLCHAIN, *args], check=False, encoding="utf-8",
                          capture_output=True, env={"PATH": str(system.bin)})
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1
    return done.returncode, done.stdout.strip()


def with_clang(system, version="14.0.6", knows="exit 0", lacks=()):  # noqa: F811
    system.command("clang", f"""case $1 in
        -dumpversion) echo {version} ;;
        -print-prog-name=*) echo "${{1#-print-prog-name=}}" ;;
        *) {knows} ;;
        esac""")
    for name in {"ld.lld", *LLVM} - set(lacks):
        system.command(name)


@pytest.mark.parametrize("prefix", GNU + ELF)
def test_every_name(system, prefix):  # noqa: F811
    system.command(prefix + "gcc", "echo 12")
    kind = "gnu" if prefix in GNU else "elf"
    assert found(system) == found(system, kind) == (0, f"{kind} {prefix}")
    status, says = found(system, "elf" if prefix in GNU else "gnu")
    assert status == 1 and says.startswith("error: TOOLCHAIN=")


def test_the_first_is_taken(system):  # noqa: F811
    with_clang(system)
    assert found(system) == (0, "llvm")
    system.command("riscv-none-elf-gcc")
    assert found(system) == (0, "elf riscv-none-elf-")
    system.command("riscv64-linux-gnu-gcc")
    assert found(system) == (0, "gnu riscv64-linux-gnu-")
    assert found(system, "llvm") == (0, "llvm")
    assert found(system, "elf") == (0, "elf riscv-none-elf-")


@pytest.mark.parametrize("prefix, kind", [
    ("riscv64-suse-linux-", "gnu"), ("my-riscv-", "elf"), ("/opt/x/bin/riscv64-elf-", "elf")])
def test_prefix_by_name(system, prefix, kind):  # noqa: F811
    system.command("riscv64-linux-gnu-gcc")
    if prefix.startswith("/"):
        prefix = f"{system.folder}/{os.path.basename(prefix)}"
        system.bin = system.folder
        system.command("sh", 'exec /bin/sh "$@"')
    system.command(os.path.basename(prefix) + "gcc")
    assert found(system, "", prefix) == (0, f"{kind} {prefix}")
    assert found(system, "gnu", prefix) == (0, f"gnu {prefix}")


@pytest.mark.parametrize("args, says", [
    ([], "no RISC-V compiler"), (["gcc"], "no such toolchain; there are: gnu elf llvm"),
    (["gnu"], "TOOLCHAIN=gnu: there is no gcc"), (["elf"], "TOOLCHAIN=elf: there is no gcc"),
    (["llvm"], "TOOLCHAIN=llvm: there is no clang"),
    (["", "riscv64-elf"], "CROSS=riscv64-elf: there is no riscv64-elfgcc"),
    (["elf", "x-"], "CROSS=x-: there is no x-gcc")])
def test_nothing_is_there(system, args, says):  # noqa: F811
    status, text = found(system, *args)
    assert status == 1 and text.startswith("error: ") and says in text


@pytest.mark.parametrize("wrong, says", [
    ({"version": "12.0.1"}, "clang: too old; clang 13 or newer"),
    ({"knows": "exit 1"}, "this clang knows no RISC-V"),
    ({"lacks": ["ld.lld"]}, "install lld"),
    *(({"lacks": [tool]}, f"without {tool}") for tool in LLVM)])
def test_clang_that_will_not_do(system, wrong, says):  # noqa: F811
    with_clang(system, **wrong)
    for args in [], ["llvm"]:
        status, text = found(system, *args)
        assert status == 1 and says in text


def test_old_gcc(system):  # noqa: F811
    system.command("riscv64-elf-gcc", "echo 7.5.0")
    for args in [], ["elf"], ["", "riscv64-elf-"]:
        status, text = found(system, *args)
        assert status == 1 and "riscv64-elf-gcc: too old; gcc 8 or newer" in text
