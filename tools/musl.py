"""Programs linked with musl, by the cross compiler that links with glibc: with the headers, the
library and the beginnings of Debian's packages musl and musl-dev, which apt downloads.

Debian's musl was made by a newer assembler: its debug sections have relocations that older linkers
do not know, and end at (R_RISCV_SET_ULEB128). Nothing here needs them, so they are made to say
nothing."""
import functools
import glob
import os
import shutil
import struct
import subprocess

import machine
import packages

COMPILER = "riscv64-linux-gnu-gcc"
LOADER = "ld-musl-riscv64.so.1"
KERNEL_HEADERS = ("linux", "asm", "asm-generic")
SHT_RELA, SHF_ALLOC = 4, 2  # System V ABI, chapter 4
ULEB128 = (60, 61)  # RISC-V ELF psABI: R_RISCV_SET_ULEB128, R_RISCV_SUB_ULEB128


def without_uleb128(data):
    """An object file, or an archive of some."""
    data = bytearray(data)
    if data[:4] == b"\x7fELF":
        clear(data, 0)
        return data
    at = 8  # behind the archive's own head
    while at < len(data):
        if data[at + 60:at + 64] == b"\x7fELF":
            clear(data, at + 60)
        size = int(data[at + 48:at + 58])
        at += 60 + size + size % 2
    return data


def clear(data, start):
    table, = struct.unpack_from("<Q", data, start + 40)
    count, = struct.unpack_from("<H", data, start + 60)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + table + 64 * i)
                for i in range(count)]
    for _, kind, _, _, offset, size, _, about, _, _ in sections:
        if kind != SHT_RELA or sections[about][2] & SHF_ALLOC:
            continue
        for at in range(start + offset + 8, start + offset + size, 24):
            if struct.unpack_from("<I", data, at)[0] in ULEB128:
                struct.pack_into("<Q", data, at, 0)


@functools.cache
def folders():
    """(what musl-dev has in /usr, musl's folder of libraries). Unusable: apt cannot get them."""
    found = packages.get_alone(["musl", "musl-dev"])
    library, development = (os.path.join(packages.unpacked(path), "usr") for path in found)
    return development, os.path.join(library, "lib", "riscv64-linux-musl")


def gcc(*words):
    """What the compiler prints. Unusable: there is none."""
    if not shutil.which(COMPILER):
        raise machine.Unusable(f"there is no {COMPILER}")
    done = subprocess.run([COMPILER, *words], check=False, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@functools.cache
def prepared():
    """The folder with what is linked, and of the kernel's headers alone."""
    folder = machine.build_path("musl")
    os.makedirs(folder, exist_ok=True)
    for path in glob.glob(os.path.join(folders()[0], "lib", "*", "*.[oa]")):
        with open(path, "rb") as f:
            data = f.read()
        with open(os.path.join(folder, os.path.basename(path)), "wb") as f:
            f.write(without_uleb128(data))
    headers = os.path.join(gcc("-print-sysroot") or "/", "usr", "riscv64-linux-gnu", "include")
    for name in KERNEL_HEADERS:
        link = os.path.join(folder, name)
        if not os.path.islink(link):
            os.symlink(os.path.join(headers, name), link)
    return folder


def compile_with(source, program, static):
    """Its bytes."""
    made, (development, shared) = prepared(), folders()
    include = os.path.join(development, "include", "riscv64-linux-musl")
    begin, library, how = (
        ("crt1.o", [os.path.join(made, "libc.a")], ["-static"]) if static else
        ("Scrt1.o", [f"-L{shared}", "-l:libc.so"],
         ["-pie", "-fPIE", f"-Wl,-dynamic-linker,/lib/{LOADER}"]))
    gcc("-O1", "-w", *how, "-nostdlib", "-nostdinc", "-isystem", include, "-isystem", made,
        "-o", program, os.path.join(made, begin), os.path.join(made, "crti.o"), source,
        "-Wl,--start-group", *library, gcc("-print-libgcc-file-name"), "-Wl,--end-group",
        os.path.join(made, "crtn.o"))
    with open(program, "rb") as f:
        return f.read()


def loader():
    """Its bytes: it is musl's library."""
    with open(os.path.join(folders()[1], "libc.so"), "rb") as f:
        return f.read()
