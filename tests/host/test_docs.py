"""What the documentation points to exists, and both languages say it of the same things."""
import os
import re

import pytest
from docpages import (CHINESE, ENGLISH, broken_links, missing_references, pages, read, references,
                      shape, unknown_in_commands)
from guesttests import guest_tests


@pytest.mark.parametrize("path", [ENGLISH, CHINESE])
def test_references_exist(path):
    assert len(references(read(path))) > 50
    assert missing_references(read(path)) == []


@pytest.mark.parametrize("text, says", [
    ("`mm/pt.c:pt_walks`", "pt_walks is not defined"), ("`mm/ptx.c:pt_walk`", "no such file"),
    ("`mm/pt.c:pt_memory`", "not defined"), ("`mm/aspace.h:aspace_create`", "not defined"),
    ("`mm/pt.c:pt_walk()`", "pt_walk()"), ("`mm/pt.py:pt_walk`", "pt.py")])
def test_a_wrong_reference_is_found(text, says):
    found = missing_references("see `mm/pt.c:pt_walk` and " + text)
    assert len(found) == 1 and says in found[0]


@pytest.mark.parametrize("one, other", [
    (ENGLISH, CHINESE), ("README.md", "README.zh-CN.md")])
def test_both_languages_say_the_same(one, other):
    assert shape(read(one)) == shape(read(other))
    assert f"({os.path.basename(other)})" in "\n".join(read(one).split("\n")[:5])
    assert f"({os.path.basename(one)})" in "\n".join(read(other).split("\n")[:5])


@pytest.mark.parametrize("change", [
    ("## 7. ", "7. "), ("`mm/pt.c:pt_split`", "`pt_split`"), ("'vmprint -u 1'", "'vmprint -u 3'"),
    ("| c7 |", "c7 |"), ("0x87e10008", "0x87e10009"), (" \\\n        -ex delete", "")])
def test_a_difference_is_found(change):
    text = read(ENGLISH)
    assert text.count(change[0]) == 1
    assert shape(text.replace(*change)) != shape(text)


@pytest.mark.parametrize("path", [ENGLISH, CHINESE])
def test_what_commands_name_exists(path):
    assert unknown_in_commands(read(path)) == []


@pytest.mark.parametrize("command, unknown", [
    ("./run -c 'usertests no_such'", "no_such"), ("./test host/test_none", "host/test_none"),
    ("./run --design mirrored", "mirrored"), ("gdb-multiarch -x build/x/gdbinit", "x")])
def test_an_unknown_name_in_a_command_is_found(command, unknown):
    assert unknown_in_commands("    " + command) == [unknown]


@pytest.mark.parametrize("path", pages())
def test_links_lead_somewhere(path):
    assert broken_links(path, read(path)) == []


def test_a_broken_link_is_found():
    text = "[a](tlb.md) [b](../README.md#x) [c](#y) [d](https://x.org/) [e](tlb2.md) [f](a/tlb.md)"
    assert broken_links("docs/tlb.md", text) == ["tlb2.md", "a/tlb.md"]


def test_named_tests_exist():
    """docs/xv6.md: the last column."""
    cells = re.findall(r"^\|.* \|([^|]*)\|$", read("docs/xv6.md"), re.M)
    named = re.findall(r"`(\w+)`", " ".join(cells))
    assert len(cells) == 11 and len(named) >= 10 and set(named) <= guest_tests(), \
        set(named) - guest_tests()
