"""The stack of 8 MiB that our programs are linked with: it comes when it is touched, and only as
far as there is memory; what is below it is an overflow."""
import re

import guest

STATUS = "; echo $?"
NO_MEMORY = r"no memory is left for it: the stack was granted lazily, without a promise\n"


def test_deep_stacks(design):
    done = guest.run("--design", design, "-c", "; ".join(way + STATUS for way in (
        "stacktest deep 7168", "stacktest deep 8180", "stacktest fork", "stacktest exec hello",
        "stacktest deep 8193", "stacktest fork", "vmmap")))
    report, regions = done.stdout.split("ADDRESSES")
    assert re.fullmatch(
        r"0\n0\n0\nhello\n0\n\d+ stacktest: killed by store page fault: .*\nthe walk of .*\n"
        r"(?:.* level .*\n)+"
        r"guard page below the stack, which is 0x10000 to 0x810000, 8192 KiB: an overflow\n"
        r"255\n0\nprocess .*\n", report), done.stdout
    assert re.search(r" 4 +- +- +- the guard page below the stack\n"
                     r"0x0{11}10000-0x0{10}7fffff rw- +8128 +0 +0 +- stack, not promised\n"
                     r"0x0{10}800000-0x0{10}80ffff rw- +64 +1 +0 +- stack\n"
                     r"0x0{10}810000-0x\w+ r-x .* text, from byte 0x1000\n", regions), regions


def test_a_touch_without_memory_kills_that_process_alone(design):
    """Where nothing can be promised any more, what was promised of the stack is there."""
    done = guest.run("--design", design, "--mem", "32M", "-c",
                     f"stacktest full{STATUS}; stacktest deep 7168{STATUS}")
    assert re.fullmatch(
        r"Trellis: sbrk is refused .*\n56 KiB\n\d+ stacktest: killed by store page fault: .*\n"
        rf"the walk of .*\n(?:.* level .*\n)+{NO_MEMORY}255\n0\n", done.stdout), done.stdout
