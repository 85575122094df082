"""Builds programs for the bare machine, and runs them on QEMU and on ours.

What the two may do differently stands in DIFFERENCES, with the reason; a test that meets one of
them says there how it is kept out of the comparison. Nothing else is let pass. What our machine
has to do there is in strict.py.
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SIM = os.path.join(ROOT, "sim")
# Of QEMU's rv64 what our machine has not is switched off.
CPU = ("rv64,h=false,zba=false,zbb=false,zbc=false,zbs=false,sstc=false,debug=false,"
       "pmu-num=0,mvendorid=0,marchid=0,mimpid=0,x-smaia=true,x-ssaia=true")
# The second hart waits; with one alone QEMU executes an AMO as a load and a store, with the
# exceptions of the load.
QEMU = ("qemu-system-riscv64", "-M", "virt", "-cpu", CPU, "-bios", "none", "-m", "128M",
        "-smp", "2", "-display", "none", "-monitor", "none", "-serial", "stdio", "-kernel")
# What QEMU does, and the specification does not ask for. What programs do wrongly on purpose is
# nothing to tell.
LIKE_QEMU = ("--svadu", "--misaligned", "--no-sstc", "--no-check", "all")

DIFFERENCES = (
    ("A and D in page tables",
     "QEMU 7.2 sets them; our machine raises a page fault (Svade) unless told --svadu, which "
     "the comparison does"),
    ("misaligned loads and stores",
     "QEMU does them all; our machine raises an exception unless told --misaligned, which the "
     "comparison does"),
    ("a misaligned SC without a reservation",
     "QEMU fails it without an exception, the specification (8.2) wants one: not generated"),
    ("SC after a store of the same hart to the reserved bytes",
     "QEMU looks at the value only; both are permitted (8.2): not generated"),
    ("SC within the reservation set, but not at LR's address or of another size",
     "both are permitted (8.2): not generated nearer than 64 bytes"),
    ("fields that are not there",
     "QEMU keeps VS, MPV, GVA, a UXL of 1 and an MPP of 2 in mstatus, H's bits in medeleg, "
     "mideleg, mie, entries of PMP with W and not R: not written, or left out where read"),
    ("counters",
     "cycle, instret and time count what each machine likes: read only where they trap"),
    ("FS after an instruction that changes no f register",
     "an implementation may say dirty more often (privileged 3.1.6.6): sequences begin with Off "
     "or Dirty, so that there is nothing to change"),
    ("mtval and stval of a breakpoint",
     "may be 0, as QEMU's, or the address (3.1.16): the handlers take its address as 0"),
    ("an AMO where there is no memory",
     "QEMU gives it the cause of a load (5), the specification (3.1.15) of a store: not generated"),
    ("a misaligned access where there is no memory",
     "QEMU's tval may be an aligned address before it: not generated"),
    ("PMP and a misaligned access over a page's end",
     "may be looked at as one access or as two (3.7.1): not generated"),
    ("the order of interrupts",
     "without AIA QEMU takes the one with the lowest number first: so AIA is switched on, with "
     "which it keeps to 3.1.9"),
    ("SFENCE.VMA that does not cover what has changed",
     "QEMU forgets all: a fence has an ASID only where no entry is global, and an address only "
     "where a leaf becomes a leaf"),
    ("MRET and SRET to S or U with MPRV",
     "QEMU 7.2 leaves MPRV, the specification (3.1.6.3) clears it: not generated"),
    ("the PLIC's threshold and a claim",
     "QEMU claims nothing below it, the specification of the PLIC (8) does: claimed with 0 only"),
    ("bits 54 to 63 of pmpaddr, 32 to 63 of mcounteren and scounteren",
     "QEMU keeps them, the specification (3.7.1, 3.1.11) has zero: not written"),
    ("bit 0 of sepc and mepc",
     "QEMU keeps what is written, the specification (3.1.14) has zero: written with zero only"),
    ("S fetches from a page of U that it has loaded from with SUM",
     "QEMU 7.2 does, the specification (4.3.1) forbids it: with SUM, fetched first only"),
    ("a page table where there is no memory",
     "QEMU 7.2 raises a page fault, the specification (4.3.2) an access fault: not generated"),
    ("PCI, flash and fw_cfg", "our machine has none: their addresses are not used"),
    ("mvendorid, marchid, mimpid", "say who made it: set to 0 in QEMU"),
    ("hpmcounters, triggers, H, Zb*, Sstc, Zfh",
     "our machine has none (or has it as an option): switched off in QEMU"),
)


class Failed(Exception):
    """A program could not be built or did not end."""


def toolchain():
    """What assembles and what disassembles, as the Makefile finds it."""
    wanted = [os.environ.get(name, "") for name in ("TOOLCHAIN", "CROSS")]
    found = subprocess.run(["sh", os.path.join(ROOT, "tools", "toolchain.sh")] + wanted,
                           capture_output=True, text=True, check=False).stdout.split()
    if not found or found[0] == "error:":
        raise Failed(" ".join(found))
    if found[0] == "llvm":
        return ["clang", "--target=riscv64-unknown-elf", "-fuse-ld=lld"], llvm_tool("llvm-objdump")
    return [found[1] + "gcc"], found[1] + "objdump"


def llvm_tool(name):
    path = subprocess.run(["clang", "-print-prog-name=" + name], capture_output=True, text=True,
                          check=False).stdout.strip()
    return path or name


def run(command, timeout=None):
    """Its status, what it printed, what it said; one that does not end is ended."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout, check=False)
        code, out, said = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        code, out, said = f"none after {timeout} s", late.stdout or b"", late.stderr or b""
    return code, out.decode(errors="replace"), said.decode(errors="replace")


def assemble(sources, path):
    """An ELF at 0x80000000, whose first section is .text.first."""
    compiler, _ = toolchain()
    script, errors = os.path.join(HERE, "bare.ld"), []
    for isa in ("rv64imafdc_zicsr_zifencei", "rv64imafdc"):
        code, _, said = run(compiler + ["-march=" + isa, "-mabi=lp64d", "-mno-relax", "-nostdlib",
                                        "-static", "-no-pie", "-Wl,-T," + script,
                                        "-Wl,--no-relax", "-Wl,--build-id=none",
                                        "-I" + HERE, "-o", path] + sources)
        if code == 0:
            return
        errors.append(said)
    raise Failed(errors[0][:3000])


def disassembly(path, symbol):
    """Of the code at a symbol and at those that begin with it and _."""
    _, objdump = toolchain()
    out = run([objdump, "-d", "--no-show-raw-insn", "-M", "no-aliases,numeric", path])[1]
    lines, inside = [], False
    for line in out.splitlines():
        if line.endswith(">:"):
            name = line.split("<")[1][:-2]
            inside = name == symbol or name.startswith(symbol + "_")
        if inside:
            lines.append(line)
    return "\n".join(lines)


def run_qemu(path, timeout=60, extra=()):
    if not shutil.which(QEMU[0]):
        raise Failed("there is no " + QEMU[0])
    return outcome(run(list(QEMU) + [path] + list(extra), timeout))


def run_sim(path, timeout=60, sim=SIM, like=LIKE_QEMU):
    if not os.path.exists(sim):
        raise Failed("there is no " + sim)
    return outcome(run([sim, "--kernel", path] + list(like), timeout))


def outcome(result):
    """What the program printed; why it did not end well."""
    code, out, said = result
    lines = out.replace("\r", "").splitlines()
    if "end" not in lines:
        lines.append(f"no end: status {code}; {said.strip()[-300:]}")
    elif code != 0:  # our machine says what rule it saw broken
        lines.append(f"status {code}: {said.strip()[-600:]}")
    return lines


def report(error):
    print(f"error: {error}", file=sys.stderr)
    return 2
