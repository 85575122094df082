"""Writes flattened device trees (Devicetree Specification 0.4, chapter 5).

A node is (name, {property: value}, [nodes]). A value is a string, bytes, None (a property
without one), a number (one cell), or a list of numbers (a cell each) or of strings.
"""
import struct

BEGIN_NODE, END_NODE, PROPERTY, END = 1, 2, 3, 9
HEADER_BYTES = 40


def padded(data):
    return data + bytes(-len(data) % 4)


def value_bytes(value):
    if value is None:
        return b""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode() + b"\0"
    if isinstance(value, int):
        return struct.pack(">I", value)
    return b"".join(map(value_bytes, value))


def cells64(*numbers):
    """Each number as two cells."""
    return [half for n in numbers for half in (n >> 32, n & 0xffffffff)]


class Strings:
    def __init__(self):
        self.data = b""
        self.offsets = {}

    def offset(self, name):
        if name not in self.offsets:
            self.offsets[name] = len(self.data)
            self.data += name.encode() + b"\0"
        return self.offsets[name]


def structure(node, strings):
    name, properties, children = node
    out = struct.pack(">I", BEGIN_NODE) + padded(name.encode() + b"\0")
    for key, value in properties.items():
        data = value_bytes(value)
        out += struct.pack(">III", PROPERTY, len(data), strings.offset(key)) + padded(data)
    out += b"".join(structure(child, strings) for child in children)
    return out + struct.pack(">I", END_NODE)


def blob(root):
    strings = Strings()
    tree = structure(root, strings) + struct.pack(">I", END)
    reservations = bytes(16)
    at_tree = HEADER_BYTES + len(reservations)
    total = at_tree + len(tree) + len(strings.data)
    header = struct.pack(">10I", 0xd00dfeed, total, at_tree, at_tree + len(tree), HEADER_BYTES,
                         17, 16, 0, len(strings.data), len(tree))
    return header + reservations + tree + strings.data
