"""Commands for GDB that know Trellis; ./run --gdb has GDB read this file.

trellis-proc                     the processes; * runs on the hart that is selected; state and hart
                                 are those of a thread that runs, if one does
trellis-pt [-k] [PROCESS]        a process's page table, every valid entry of the low half
trellis-walk [-k] ADDRESS [PROCESS]
                                 an address's translation, level by level
trellis-break PROCESS LOCATION   stops at LOCATION in that process only

PROCESS is a number or a name; without one, the tables are those that satp names on the selected
hart. -k: the kernel's view of the process instead of its user table. When the name is that of a
program in user/bin, trellis-break knows its functions and lines: trellis-break cat main. One
program at a time, since nearly all of them are linked to one address.

Everything is read from physical memory, so the commands work wherever a hart stops, in user mode
and in the trampoline too, where the kernel is not mapped.
"""
import os

import gdb

ENTRIES, PAGE = 512, 4096
DIRECT_BASE = 0xffffffc000000000  # kernel/arch/layout.h
LEVELS = {8: 3, 9: 4, 10: 5}  # by satp's mode: Sv39, Sv48, Sv57
V, RWX = 1, 14
SIZES = ("4 KiB", "2 MiB", "1 GiB", "512 GiB", "256 TiB")
program = None  # whose symbols are loaded


# ---- memory and structures ----
def physical(address, size):
    """Bytes of physical memory; QEMU's stub reads through the hart's table unless told."""
    gdb.execute("maintenance packet Qqemu.PhyMemMode:1", to_string=True)
    try:
        return gdb.selected_inferior().read_memory(address, size).tobytes()
    finally:
        gdb.execute("maintenance packet Qqemu.PhyMemMode:0", to_string=True)


def number(data):
    return int.from_bytes(data, "little")


def kernel_value(pointer, kind):
    """What lies at an address of the direct map, as a value of that C type."""
    return gdb.Value(physical(int(pointer) - DIRECT_BASE, kind.sizeof), kind)


def kernel_global(name):
    at = gdb.parse_and_eval("&" + name)
    return kernel_value(at, at.type.target())


def kernel_array(first, n):
    """(address, value) of each element; first: its address, as a pointer."""
    kind = first.type.target()
    address, size = int(first), kind.sizeof
    data = physical(address - DIRECT_BASE, n * size) if n else b""
    for at in range(0, len(data), size):
        yield address + at, gdb.Value(data[at:at + size], kind)


def name_of(process):
    return process["name"].string(errors="replace")


def processes():
    """(address, value) of each that there is."""
    slots = kernel_array(kernel_global("procs"), int(kernel_global("proc_slots")))
    return [(at, p) for at, p in slots if int(p["pid"]) != 0]


def threads(address, p):
    """Those of the process at that address."""
    kind = gdb.lookup_type("struct thread")
    to_link = next(int(f.bitpos) // 8 for f in kind.fields() if f.name == "in_process")
    head = address + next(int(f.bitpos) // 8 for f in p.type.fields() if f.name == "threads")
    link = p["threads"]["next"]
    while int(link) != head:
        thread = kernel_value(int(link) - to_link, kind)
        yield thread
        link = thread["in_process"]["next"]


def state_of(address, p):
    """Of its threads: how many, the state of the one that is furthest on, and its hart."""
    names = ("T_RUNNING", "T_RUNNABLE", "T_SLEEPING")
    found = [(str(t["state"]), int(t["hart"])) for t in threads(address, p)]
    state, hart = min(found, default=(str(p["state"]), 0),
                      key=lambda s: names.index(s[0]) if s[0] in names else len(names))
    return len(found), state[2:].lower(), hart


def running():
    """The process on the selected hart, or None."""
    selected = gdb.selected_thread()
    hartid = selected.num - 1 if selected else 0  # QEMU's threads are its harts, in order
    for _, hart in kernel_array(gdb.parse_and_eval("&harts[0]"),
                                int(kernel_global("hart_count"))):
        if int(hart["hartid"]) == hartid and int(hart["proc"]):
            return int(hart["proc"]), kernel_value(hart["proc"], hart["proc"].type.target())
    return None


def is_process(p, wanted):
    return str(int(p["pid"])) == wanted or name_of(p) == wanted


def find(wanted):
    for _, p in processes():
        if is_process(p, wanted):
            return p
    raise gdb.GdbError(f"There is no process {wanted}; trellis-proc lists them.")


def satp_of(p, kernel):
    """Of a process's user table or, with kernel, of its kernel view."""
    space = kernel_value(p["as"], gdb.lookup_type("struct aspace"))
    return int(space["kernel_satp" if kernel else "user_satp"])


# ---- page tables ----
def span(level):
    return PAGE << 9 * level


def table_at(root):
    data = physical(root, PAGE)
    return [number(data[i:i + 8]) for i in range(0, PAGE, 8)]


def target_of(entry):
    return (entry << 10 & (1 << 64) - 1) >> 20 << 12


def is_table(entry, level):
    return entry & (V | RWX) == V and level > 0


def letters(entry):
    return "".join(c if entry >> bit & 1 else "-" for bit, c in enumerate("VRWXUGAD"))


def tree_of(satp):
    """The root's address and the number of levels."""
    satp &= (1 << 64) - 1  # GDB has registers with a sign
    if satp >> 60 not in LEVELS:
        raise gdb.GdbError("satp names no table: translation is off on this hart.")
    return (satp & (1 << 44) - 1) * PAGE, LEVELS[satp >> 60]


def print_table(table, levels, level, va=0):
    for i, entry in enumerate(table_at(table)):
        start = va + i * span(level)
        if not entry & V or start >= span(levels) // 2:
            continue
        print(".. " * (levels - 1 - level) + f"..{i}: pte 0x{entry:016x} pa "
              f"0x{target_of(entry):016x} {letters(entry)} va 0x{start:016x}")
        if is_table(entry, level):
            print_table(target_of(entry), levels, level - 1, start)


def print_walk(root, levels, va):
    half = span(levels) // 2
    if half <= va < (1 << 64) - half:
        print(f"0x{va:016x} is not canonical: every access faults")
        return
    for level in range(levels - 1, -1, -1):
        index = va // span(level) % ENTRIES
        at = root + index * 8
        entry = number(physical(at, 8))
        shown = f"level {level}: entry {index} at 0x{at:016x}: 0x{entry:016x} "
        if not entry & V:
            print(shown + "not valid")
            print("not mapped")
            return
        root = target_of(entry)
        kind = "table at" if is_table(entry, level) else "frame"
        print(f"{shown}{letters(entry)} {kind} 0x{root:016x}")
        if not is_table(entry, level):
            print(f"physical address 0x{root + va % span(level):016x}, "
                  f"a page of {SIZES[level]}")
            return


# ---- the commands ----
def words_of(argument, least, most, usage):
    """(whether -k is there, the other words)."""
    words = gdb.string_to_argv(argument)
    others = [w for w in words if w != "-k"]
    if not least <= len(others) <= most:
        raise gdb.GdbError("usage: " + usage)
    return "-k" in words, others


def chosen_tree(kernel, wanted):
    if wanted:
        return tree_of(satp_of(find(wanted[0]), kernel))
    if kernel:
        raise gdb.GdbError("-k wants a process.")
    return tree_of(int(gdb.parse_and_eval("$satp")))


class Processes(gdb.Command):
    """trellis-proc: the processes; * runs on the hart that is selected."""

    def __init__(self):
        super().__init__("trellis-proc", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        here = running()
        print("   PID STATE      HART THREADS USER SATP          KERNEL SATP        NAME")
        for at, p in processes():
            mark = "*" if here and here[0] == at else " "
            count, state, hart = state_of(at, p)
            print(f"{mark} {int(p['pid']):4} {state:10} {hart:4} {count:7} "
                  f"0x{satp_of(p, False):016x} 0x{satp_of(p, True):016x} {name_of(p)}")


class Table(gdb.Command):
    """trellis-pt [-k] [PROCESS]: a page table, every valid entry of the low half.
Without a process: the table that satp names on the selected hart. -k: the kernel's view."""

    def __init__(self):
        super().__init__("trellis-pt", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        kernel, wanted = words_of(argument, 0, 1, "trellis-pt [-k] [PROCESS]")
        root, levels = chosen_tree(kernel, wanted)
        print(f"page table 0x{root:016x}")
        print_table(root, levels, levels - 1)


class Walk(gdb.Command):
    """trellis-walk [-k] ADDRESS [PROCESS]: an address's translation, level by level.
Without a process: by the table that satp names on the selected hart. -k: the kernel's view.
ADDRESS is an expression of one word, such as 0x813008, $sp or &procs."""

    def __init__(self):
        super().__init__("trellis-walk", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        kernel, words = words_of(argument, 1, 2, "trellis-walk [-k] ADDRESS [PROCESS]")
        try:
            va = int(gdb.parse_and_eval(words[0])) & (1 << 64) - 1
        except gdb.error as e:
            raise gdb.GdbError(f"{words[0]}: {e}") from e
        print_walk(*chosen_tree(kernel, words[1:]), va)


class ProcessBreakpoint(gdb.Breakpoint):
    """One that stops in a process only."""

    def __init__(self, location, wanted):
        super().__init__(location)
        self.wanted = wanted

    def stop(self):
        here = running()
        return here is not None and is_process(here[1], self.wanted)


def load_program(name):
    """Has GDB know a program's symbols, and those of no other program."""
    global program
    path = os.path.realpath(os.path.join(BUILD, "user", "bin", name))
    if not os.path.exists(path) or program == path:
        return
    if program:
        gdb.execute(f'remove-symbol-file "{program}"', to_string=True)
    gdb.execute(f'add-symbol-file "{path}"', to_string=True)
    program = path


class Break(gdb.Command):
    """trellis-break PROCESS LOCATION: stops at LOCATION in that process only.
PROCESS is a number, or a name; the name of a program loads its symbols."""

    def __init__(self):
        super().__init__("trellis-break", gdb.COMMAND_BREAKPOINTS)

    def invoke(self, argument, from_tty):
        words = argument.split(None, 1)
        if len(words) != 2:
            raise gdb.GdbError("usage: trellis-break PROCESS LOCATION")
        load_program(words[0])
        ProcessBreakpoint(words[1], words[0])


# The kernel is in a folder of its own, beside those of the other designs and user/.
BUILD = os.path.dirname(os.path.dirname(gdb.current_progspace().filename))
for command in (Processes, Table, Walk, Break):
    command()
