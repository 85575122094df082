"""docs/system-calls.md has each call of kernel/lib/calls.def, and no error that the call cannot
return; and the list is the only one."""
import glob
import os
import re

import machine
import pytest
from docpages import read

LIST = re.compile(r"^(CALL|XV6|WRAPPED|WRAPPED_OWN)"
                  r"\((\d+), (?:_Noreturn )?([^,]+), (\w+), \((.*)\)\)$", re.M)
SECTION = re.compile(r"^## (\w+) \((\d+)\)\n    (.*)\n((?:(?!## ).*\n)*)", re.M)
GROUPS = {"path errors": ("EFAULT", "ENAMETOOLONG", "ENOENT", "ENOTDIR", "ELOOP", "EIO",
                          "ENFILE"),
          "disk errors": ("EIO", "EROFS")}
# A function, as clang-format prints it: its name and its body.
FUNCTION = re.compile(r"^(static )?(?:inline )?(?:const )?[a-z][\w ]*?[ *](\w+)\([^;{}]*\)\s*"
                      r"(?:\w+ )?\{(?:([^\n]+)\}$|\n(.*?)^\})", re.M | re.S)


def calls():
    """{name: (number, prototype)} of the list."""
    return {m[4]: (m[2], f"{m[3]} {m[4]}({m[5]})".replace("* ", "*"))
            for m in LIST.finditer(read("kernel/lib/calls.def"))}


def sections():
    return {m[1]: m for m in SECTION.finditer(read("docs/system-calls.md"))}


def test_each_call_has_its_section():
    listed = calls()
    assert len(listed) >= 30
    assert list(listed) == list(sections())
    for name, section in sections().items():
        assert (section[2], section[3]) == listed[name]


class Kernel:
    """Which errors a function can return, by name: those in it and in all that it may call."""

    def __init__(self):
        self.body = {}       # (file, name): body
        self.places = {}     # name: files where it can be called from elsewhere
        self.operations = {} # name of a function pointer: the functions that are put there
        for path in glob.glob(os.path.join(machine.ROOT, "kernel", "*", "*.[ch]")):
            text = re.sub(r"/\*.*?\*/", "", read(os.path.relpath(path, machine.ROOT)), flags=re.S)
            for m in FUNCTION.finditer(text):
                self.body[path, m[2]] = m[3] or m[4]
                if not m[1] or path.endswith(".h"):
                    self.places.setdefault(m[2], []).append(path)
            for pointer, function in re.findall(r"\.(\w+) = (\w+)", text):
                self.operations.setdefault(pointer, []).append((path, function))

    def called(self, path, body):
        for word in set(re.findall(r"\w+", body)):
            if (path, word) in self.body:
                yield path, word
            else:
                yield from ((p, word) for p in self.places.get(word, []))
        for pointer in set(re.findall(r"ops(?:\(\w+\))?->(\w+)\(", body)):
            yield from (f for f in self.operations.get(pointer, []) if f in self.body)

    def errors(self, name):
        seen, todo, found = set(), [(p, name) for p in self.places[name]], set()
        while todo:
            at = todo.pop()
            if at not in seen:
                seen.add(at)
                found |= set(re.findall(r"-K_(E\w+)", self.body[at]))
                todo += self.called(at[0], self.body[at])
        return found


@pytest.fixture(scope="module")
def kernel():
    return Kernel()


def named(text):
    errors = set(re.findall(r"`(E[A-Z0-9]+)`", text))
    for group, members in GROUPS.items():
        if group in text:
            errors |= set(members)
    return errors


@pytest.mark.parametrize("name", calls())
def test_errors_can_be_returned(kernel, name):
    assert named(sections()[name][4]) <= kernel.errors("sys_" + name)


@pytest.mark.parametrize("name, errors", [
    ("getpid", set()), ("uptime", set()), ("sleep", {"EINTR"})])
def test_simple_calls_return_these_alone(kernel, name, errors):
    assert kernel.errors("sys_" + name) == named(sections()[name][4]) == errors


def headers():
    """{call: the errors that a header of the library names}: `read: EBADF, path errors`."""
    found = {}
    for path in glob.glob(os.path.join(machine.ROOT, "user", "include", "**", "*.h"),
                          recursive=True):
        text = read(os.path.relpath(path, machine.ROOT))
        for name, errors in re.findall(r"^ \* (\w+): ((?:.*\n \*     )*.*)$", text, re.M):
            if name in calls():
                assert name not in found, name
                words = re.findall(r"path errors|disk errors|E[A-Z0-9]+", errors)
                found[name] = named(" ".join(w if " " in w else f"`{w}`" for w in words))
    return found


def test_headers_name_the_errors():
    assert headers() == {name: named(section[4]) for name, section in sections().items()
                         if named(section[4])}


def test_programs_know_each_error():
    """By its name and its number, and in words."""
    of_kernel = re.findall(r"K_(E\w+) = (\d+)", read("kernel/lib/errno.h"))
    of_programs = dict(re.findall(r"#define (E\w+) (\d+)", read("user/include/errno.h")))
    assert len(of_kernel) > 30 and set(of_kernel) <= set(of_programs.items())
    words = re.findall(r"^    \{(E\w+), \"(.+)\"\},$", read("user/lib/error.c"), re.M)
    assert dict(words).keys() == of_programs.keys()
    assert len({text for _, text in words}) == len(words)


def test_an_error_that_cannot_be_is_none(kernel):
    assert "EPIPE" not in kernel.errors("sys_kill") and "ECHILD" not in kernel.errors("sys_open")


def test_groups_are_as_the_page_says():
    text = read("docs/system-calls.md")
    for group, members in GROUPS.items():
        item = re.search(rf"^- \*\*{group}\*\*: (.*?)\n(?:- |\n)", text, re.M | re.S)[1]
        assert set(re.findall(r"`(E[A-Z]+)`", item)) == set(members)


def test_there_is_one_list():
    """Each call's handler is defined once, and a number is written nowhere else."""
    sources = {p: read(os.path.relpath(p, machine.ROOT)) for folder in ("kernel", "user") for p in
               glob.glob(os.path.join(machine.ROOT, folder, "*", "*.[chS]"))}
    for name in calls():
        handlers = re.findall(rf"\bsys_{name}\(const uint64_t arg\[6\], uint64_t \*result\) *[;{{]",
                              "\n".join(sources.values()))
        assert len(handlers) == 1, name
    number = re.compile(r"SYS_\w+ *= *\d+|\.equ +SYS_\w+")
    assert not [m for text in sources.values() for m in number.findall(text)]
