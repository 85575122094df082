"""The kinds of items that sequences are made of."""
import instructions_atomic as atomic
import instructions_compressed as compressed
import instructions_float as floating
import instructions_integer as integer
import instructions_system as system
from sequence import Kind

KINDS = (
    Kind("i", integer.integer_op, 20, straight=True),
    Kind("i", integer.constant, 5, straight=True),
    Kind("i", integer.load, 8, straight=True),
    Kind("i", integer.store, 8, straight=True),
    Kind("i", integer.fence, 1),
    Kind("i", integer.branch, 5),
    Kind("i", integer.jump, 2),
    Kind("i", integer.loop, 2),
    Kind("i", integer.patch, 1),
    Kind("m", integer.multiply, 10, straight=True),
    Kind("a", atomic.amo, 5, straight=True),
    Kind("a", atomic.reserve, 3),
    Kind("f", floating.single, 16, straight=True),
    Kind("d", floating.double, 16, straight=True),
    Kind("c", compressed.compressed, 24),
    Kind("z", system.csr, 5, straight=True),
    Kind("x", system.word, 4),
    Kind("x", system.half, 2),
    Kind("x", system.call, 1),
    Kind("x", system.nowhere, 1),
)
LETTERS = "imafdczxu"
