#!/usr/bin/env python3
"""Checks the layers on what the compiler made of the kernel: prints each violation.

    tools/layers.py [FOLDER...]     kernels' objects; by default the release kernel's

What tools/rules.py reads in the text, the compiler says for certain:

- headers: by the dependency files, an object's layer includes itself and layers left of it in
      lib < arch < sync < mm < proc < dev < vfs < socket < fs < ext2 < tmpfs < procfs < syscall <
      trap < init
- symbols: an object uses nothing that a layer right of its own defines, however it was
      declared, but for the operations in UPWARD below. One of these that is used no
      more is named, too
- instructions: those that only the kernel may execute, and those that read the machine's
      clocks, stand where MAY says, whoever wrote the assembly
"""
import glob
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine  # noqa: E402
from rules import LAYERS  # noqa: E402

# What a layer calls though it is defined further right: symbol, who may use it.
UPWARD = {
    "panic": LAYERS,  # the end, from everywhere
    "kernel_main": ("arch",), "kernel_main_secondary": ("arch",),  # boot goes up
    "kernel_satp": ("arch",),  # what a hart starts on
    "trap_kernel": ("arch",), "trap_stack_unusable": ("arch",), "trap_user": ("proc",),
    "thread_return_to_user": ("proc",), "proc_first_ended": ("proc",),
    "proc_files_clone": ("proc",), "proc_files_drop": ("proc",),
}
# Instruction or CSR: where besides arch it may be executed, most of them by arch's inline calls.
MAY = {
    "satp": ("mm/tlb.c",), "sfence.vma": ("mm/tlb.c",),
    "sstatus": ("mm/sumcopy.c", "proc", "trap"),
    "scause": ("trap",), "sepc": ("trap",), "stval": ("trap",), "stvec": ("trap",),
    "sie": ("trap",), "sip": ("trap",), "scounteren": ("trap",),
    "wfi": ("proc", "trap"), "rdtime": ("mm/mapping.c", "proc", "init"),
    "fence.i": ("mm/fault.c", "mm/tlb.c", "proc", "syscall"),
}
PRIVILEGED = re.compile(r"csr\w*|sfence\.\w+|sinval\.\w+|hfence\.\w+|[su]ret|wfi|ecall|"
                        r"rdtime|rdcycle|rdinstret|fence\.i")


def right_of(one, other):
    return LAYERS.index(one) > LAYERS.index(other)


def check_headers(layer, name, dependencies):
    """dependencies: the text of a compiler's .d file."""
    for path in sorted(set(re.findall(r"\bkernel/\S+?\.[hcS]\b", dependencies))):
        target = path.split("/")[1]
        if target not in LAYERS:
            yield f"{name}: includes {path}, which is in no layer"
        elif right_of(target, layer):
            yield f"{name}: {layer} includes {path}, which stands right of it"


def symbols(listing):
    """(defined, used) of nm's output."""
    defined, used = set(), set()
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) >= 2 and fields[-2] == "U":
            used.add(fields[-1])
        elif len(fields) == 3 and fields[1].isupper() and fields[1] != "W":
            defined.add(fields[2])
    return defined, used


def check_symbols(objects, upward):
    """objects: {(layer, name): nm's output}. What is used of UPWARD is added to upward."""
    home = {}
    for (layer, _), listing in objects.items():
        for symbol in symbols(listing)[0]:
            home[symbol] = layer
    for (layer, name), listing in sorted(objects.items()):
        for symbol in sorted(symbols(listing)[1]):
            if symbol not in home or not right_of(home[symbol], layer):
                continue
            if layer in UPWARD.get(symbol, ()):
                upward.add(symbol)
            else:
                yield f"{name}: {layer} uses {symbol}, which {home[symbol]} defines"


def check_instructions(layer, name, listing):
    """listing: a disassembly."""
    seen = set()
    for line in listing.splitlines():
        fields = line.split("\t")
        if len(fields) < 2 or not re.fullmatch(r" *[0-9a-f]+: *", fields[0]):
            continue
        instruction, *operands = re.split(r"[\s,]+", " ".join(fields[1:]).strip())
        if PRIVILEGED.fullmatch(instruction):
            # csrr rd, CSR; csrrw rd, CSR, rs; csrw CSR, rs
            is_csr = instruction.startswith("csr")
            seen.add(operands[instruction.startswith("csrr")] if is_csr else instruction)
    where = name.removeprefix("kernel/")
    for what in sorted(seen):
        if not any(where.startswith(place) for place in MAY.get(what, ())):
            yield f"{name}: {what} in {layer}"


def tool(name):
    for candidate in (f"riscv64-linux-gnu-{name}", f"riscv64-unknown-elf-{name}", f"llvm-{name}"):
        if shutil.which(candidate):
            return candidate
    raise machine.Unusable(f"there is no {name} for RISC-V")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, encoding="utf-8").stdout


def names_in(path):
    return run(tool("nm"), path)


def disassembly(path):
    return run(tool("objdump"), "-d", "--no-show-raw-insn", path)


def check_folder(folder, upward):
    paths = sorted(glob.glob(os.path.join(folder, "*", "*.o")))
    if not paths:
        raise machine.Unusable(f"{folder}: no objects; build a kernel first")
    problems, listings = [], {}
    for path in paths:
        layer, file = os.path.relpath(path, folder).split(os.sep)
        name = f"kernel/{layer}/{file.removesuffix('.o')}"
        if not os.path.exists(os.path.join(machine.ROOT, name)):
            continue  # its source is gone
        with open(path.removesuffix(".o") + ".d", encoding="utf-8") as f:
            problems += check_headers(layer, name, f.read())
        listings[layer, name] = names_in(path)
        if layer != "arch":
            problems += check_instructions(layer, name, disassembly(path))
    return problems + list(check_symbols(listings, upward))


def check(folders):
    upward = set()
    problems = [p for folder in folders for p in check_folder(folder, upward)]
    return list(dict.fromkeys(problems)) + [
        f"tools/layers.py: {symbol} is in UPWARD, and nothing uses it so"
        for symbol in UPWARD if symbol not in upward]


def main(args):
    try:
        problems = check(args or [machine.kernel_folder()])
    except (machine.Unusable, OSError) as e:
        print(f"layers: {e}", file=sys.stderr)
        return 2
    for text in problems:
        print(text)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
