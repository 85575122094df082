"""What machine/image says of addresses in the kernel and in other code, next to binutils."""
import os
import re
import shutil
import subprocess

import machine
import pytest
import simimage

SOURCES = ["kernel/lib/string.c", "kernel/lib/printf.c", "kernel/mm/elf.c"]
TEXT = 0x10000  # near 0, where what is missing is taken to be
GCC = ("riscv64-linux-gnu-gcc", "riscv64-unknown-elf-gcc")


@pytest.fixture(scope="module", name="program")
def build_program(tmp_path_factory):
    return simimage.build(tmp_path_factory.mktemp("simimage"))


def binutils(tool):
    """A tool of whichever of the toolchains is there."""
    for kind in ("gnu", "elf"):
        found = subprocess.run(["sh", os.path.join(machine.ROOT, "tools", "toolchain.sh"), kind],
                               check=False, capture_output=True, encoding="utf-8")
        if found.returncode == 0:
            return found.stdout.split()[1] + tool
    return pytest.skip("there are no binutils for RISC-V")


def ask(command, addresses):
    said = subprocess.run(command, check=True, input="".join(f"{a:x}\n" for a in addresses),
                          capture_output=True, encoding="utf-8").stdout.splitlines()
    assert len(said) == len(addresses)
    return said


def our_places(program, elf, addresses):
    """[(file, line, symbol, offset, text)]"""
    places = [line.split("\t") for line in ask([program, "places", elf], addresses)]
    return [(file, int(line), symbol, int(offset), text)
            for _, file, line, symbol, offset, text in places]


def their_lines(elf, addresses):
    """[(file, line)], the file's last component; ("", 0) where none is known."""
    found = []
    for said in ask([binutils("addr2line"), "-e", elf], addresses):
        file, line = re.match(r"(.*):(\d+|\?)", said).groups()
        known = file != "??" and line not in "?0"
        found.append((os.path.basename(file), int(line)) if known else ("", 0))
    return found


def functions(elf):
    """[(address, size, names of all that are there)] of a size."""
    said = subprocess.run([binutils("nm"), "-S", elf], check=True, capture_output=True,
                          encoding="utf-8").stdout
    found = {}
    for address, size, name in re.findall(r"^(\w+) (\w+) [tTwW] (\S+)$", said, re.M):
        found.setdefault((int(address, 16), int(size, 16)), []).append(name)
    return [(address, size, names) for (address, size), names in sorted(found.items())]


def compare(program, elf):
    """Every instruction of every function; returns how many there were."""
    addresses, names = [], []
    for address, size, there in functions(elf):
        inside = range(address, address + size, 2)
        addresses += inside
        names += [(address, there)] * len(inside)
    ours, theirs = our_places(program, elf, addresses), their_lines(elf, addresses)
    for address, our, their, (start, there) in zip(addresses, ours, theirs, names):
        file, line, symbol, offset, text = our
        # For a function that a header defines, binutils name the file that includes it.
        in_header = line == their[1] and file.endswith((".h", ".def"))
        assert in_header or (os.path.basename(file), line) == their, hex(address)
        assert symbol in there and offset == address - start, hex(address)
        known = f"{os.path.basename(file)}:{line} ({symbol})"
        assert text == (known if line else f"{symbol}+0x{offset:x}" if offset else symbol)
    return sum(1 for our in ours if our[1])


def test_the_kernel(program):
    elf = os.path.join(machine.kernel_folder(), "kernel.elf")
    machine.build(targets=[os.path.relpath(elf, machine.ROOT)])
    assert compare(program, elf) > 10000


def link(tmp_path, compiler, flags, linker):
    """The sources as an executable that nobody can run."""
    objects = []
    for source in SOURCES:
        objects.append(str(tmp_path / os.path.basename(source)) + ".o")
        subprocess.run([*compiler, "-march=rv64imac", "-mabi=lp64", "-mcmodel=medany", "-w",
                        "-ffreestanding", "-Ikernel", "-idirafter", "user/include", "-DDEBUG=0",
                        *flags, "-c", source, "-o", objects[-1]], check=True, cwd=machine.ROOT)
    elf = str(tmp_path / "linked.elf")
    subprocess.run([*linker, "-nostdlib", "--unresolved-symbols=ignore-all", "-e", hex(TEXT),
                    f"-Ttext={TEXT:#x}", *objects, "-o", elf], check=True, cwd=machine.ROOT)
    return elf


@pytest.mark.parametrize("flags", ["-O2", "-O0 -mno-relax -ffunction-sections"])
@pytest.mark.parametrize("version", [2, 3, 4, 5])
@pytest.mark.parametrize("compiler", [*GCC, "clang"])
def test_versions(tmp_path, program, compiler, version, flags):
    linker = ["ld.lld"] if compiler == "clang" else [compiler[:-3] + "ld", "-m", "elf64lriscv"]
    if not shutil.which(compiler) or not shutil.which(linker[0]):
        pytest.skip(f"there is no {compiler}, or no linker for it")
    command = [compiler, "--target=riscv64-unknown-elf"] if compiler == "clang" else [compiler]
    elf = link(tmp_path, command, [f"-gdwarf-{version}", *flags.split()], linker)
    assert compare(program, elf) > 1000
