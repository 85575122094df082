"""Functions of an ELF file, and one instruction of it made to do nothing: for tools/stories.py."""
import struct

SFENCE_VMA, SFENCE_MASK = 0x12000073, 0xfe007fff  # privileged specification 4.2.1
NOP = 0x00000013
SHT_SYMTAB, STT_NOTYPE, STT_FUNC, PT_LOAD = 2, 0, 2, 1  # System V ABI, chapters 4 and 5


def sections(data):
    """(type, offset, size, link) of each."""
    (table,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    for i in range(count):
        _, kind, _, _, offset, length, link = struct.unpack_from("<IIQQQQI", data, table + i * size)
        yield kind, offset, length, link


def functions(data):
    """{name: (address, bytes)} of an ELF file of 64 bits; of functions without a size, 0."""
    found, all_sections = {}, list(sections(data))
    for kind, offset, length, link in all_sections:
        if kind != SHT_SYMTAB:
            continue
        names = all_sections[link][1]
        for at in range(offset, offset + length, 24):
            name, info, _, where, value, size = struct.unpack_from("<IBBHQQ", data, at)
            if where and info & 15 in (STT_FUNC, STT_NOTYPE):
                end = data.index(b"\0", names + name)
                found.setdefault(data[names + name:end].decode(), (value, size))
    return found


def in_file(data, address):
    """Where an address stands in the file; None: nowhere."""
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, offset, start, _, length = struct.unpack_from("<IIQQQQ", data, table + i * size)
        if kind == PT_LOAD and start <= address < start + length:
            return offset + address - start
    return None


def fences(data, function):
    """The places in the file of the function's sfence.vma, in their order."""
    address, size = functions(data)[function]
    start, at, found = in_file(data, address), 0, []
    while at < size:
        word = int.from_bytes(data[start + at:start + at + 4], "little")
        if word & SFENCE_MASK == SFENCE_VMA:
            found.append(start + at)
        at += 4 if word & 3 == 3 else 2
    return found
