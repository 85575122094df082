"""A program that is linked with a stack of 8 MiB: it comes when it is touched, and only as
far as there is memory; what is below it is an overflow."""
import re

import guest

STATUS = "; echo $?"
NO_MEMORY = r"no memory is left for it: the stack was granted lazily, without a promise\n"


def test_deep_stacks(design):
    done = guest.run("--design", design, "-c", "; ".join(way + STATUS for way in (
        "stacktest deep 7168", "stacktest deep 8180", "stacktest fork", "stacktest exec hello",
        "stacktest deep 8193", "stacktest fork")))
    assert re.fullmatch(
        r"0\n0\n0\nhello\n0\n\d+ stacktest: killed by store page fault: .*\nthe walk of .*\n"
        r"(?:.* level .*\n)+"
        r"guard page below the stack, which is 0x10000 to 0x810000, 8192 KiB: an overflow\n"
        r"255\n0\n", done.stdout), done.stdout


def test_a_touch_without_memory_kills_that_process_alone(design):
    """Where nothing can be promised any more, what was promised of the stack is there."""
    done = guest.run("--design", design, "--mem", "32M", "-c",
                     f"stacktest full{STATUS}; stacktest deep 7168{STATUS}")
    assert re.fullmatch(
        r"Trellis: sbrk is refused .*\n56 KiB\n\d+ stacktest: killed by store page fault: .*\n"
        rf"the walk of .*\n(?:.* level .*\n)+{NO_MEMORY}255\n0\n", done.stdout), done.stdout
