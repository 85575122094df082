#!/usr/bin/env python3
"""Checks the rules about the source that a compiler does not: prints each violation.

    tools/rules.py [ROOT]

- layers: an #include in kernel/ goes to its own layer or to one left of it in
      lib < arch < sync < mm < proc < tty < dev < vfs < pty < socket < fs < ext2 < tmpfs <
      procfs < syscall < linux < trap < init
- the machine: assembly stands in kernel/arch only, and so do the numbers of CSRs
  and of page-table entry bits. By name a CSR is used besides where it is the
  subject: satp in mm/tlb.c, those of traps in trap. Of an entry's bits mm asks for
  permissions (R, W, X, U), kmap for G, and the checker for all but V
- levels: how many there are a tree says (struct pt), and `paging` for those of the system;
      only arch, mm/pt and mm/cursor.h may compare a level with a number above 1, index a
      table of such a level, or count in what its entries span; the programs that show
      memory (vm*, crash) ask the kernel
- designs: no #if asks which design it is, and nothing asks for its name but what shows it
- bits: a bit has a name, so outside of arch, where an entry's and a CSR's are given, no 1 is
      shifted to a literal place; dev names those of its devices' registers by #define
- dialect (docs/style.md): in kernel/ a pointer is tested by itself and not against NULL,
      sizeof has parentheses, an error number is `err`, no parameter is cast to void
- used: what a header of the kernel defines or declares, the kernel uses somewhere; its interface
      for programs, they or it. A function that it declares is called from another file than the
      one with its body: else it is static there. What is there for tests alone is a list here
- locks: a function whose name ends in _locked asserts that its lock is held (sync/spinlock.h)
- the machine of ./sim knows nothing of Trellis: what machine/ includes is its own, and of its
      parts image, fpu and dev include themselves alone; cli, wasm and doctor besides only sim.h,
      doctor the numbers of the architecture, and cli and wasm the doctor's header
- English in kernel/ and docs/: a thing is `it`, and what is done again is not done anew
- text: no tab (but in makefiles), no blank at a line's end, at most 100 columns,
  no path of somebody's machine
"""
import collections
import glob
import os
import re
import sys

LAYERS = ("lib", "arch", "sync", "mm", "proc", "tty", "dev", "vfs", "pty", "socket", "fs", "ext2",
          "tmpfs", "procfs", "syscall", "linux", "trap", "init")
COLUMNS = 100
NUMBER = re.compile(r"\s*#\s*define\s+(?:PTE|SATP|SSTATUS|SIE|CAUSE)_")
# What, how it looks, and where besides kernel/arch it may stand: layers and files.
MACHINE = (
    ("assembly", r"\b(?:asm|__asm__|__asm)\b", ()),
    ("a CSR", r"\bcsr_(?:read|write|set|clear)\b", ("mm/tlb.c", "trap")),
    ("satp", r"\bcsr_\w+\(\s*satp\b|\bSATP_\w+", ("mm/tlb.c",)),
    ("a CSR of traps", r"\bcsr_\w+\(\s*(?!satp\b)|\b(?:SSTATUS|SIE|CAUSE)_\w+|"
     r"\b(?:sstatus|stvec|sscratch|scause|sepc|stval|stimecmp|scounteren)\b", ("trap",)),
    ("a TLB fence", r"\bsfence_\w+", ("mm/tlb.c",)),
    ("an entry", r"\b(?:pte_\w+|PTE_\w+)\b", ("mm",)),
    ("a global entry's bit", r"\bPTE_G\b", ("mm/kmap.c", "mm/check.c")),
    ("a bit that hardware sets", r"\bPTE_[AD]\b", ("mm/check.c",)),
    ("a valid bit", r"\bPTE_(?:V|FLAGS)\b", ()),
)
LEVELS = re.compile(r"\bGIB\(1\)|\blevels? *(?:[=!]=|[<>]=?) *[2-9]\b|"
                    r"\b(?:va|vm)_index\(.*, *[2-9]\)|\bvm_span\([2-9]\)|"
                    r"\bpt_init\([^,]*, *\d|"
                    r"\b1(?:[uU]?[lL]{1,2}) *<< *(?:30|3[89]|4[78]|5[67])\b|\b0x3f[cf]\w{7}\b")
LEVELS_PLACES = ("arch", "mm/pt.c", "mm/pt.h", "mm/cursor.h")
# They show it.
DESIGN_NAME = ("kernel/init/main.c", "kernel/proc/inspect.c", "kernel/syscall/sysproc.c")
NAMES_BIT = re.compile(r"\s*#\s*define\s")
LITERAL_BIT = re.compile(r"\b1(?:[uU][lL]{0,2})?\s*<<\s*\d")
DIALECT = (
    ("a comparison with NULL", r"[!=]= *NULL\b|\bNULL *[!=]="),
    ("sizeof without parentheses", r"\bsizeof +[\w*&]"),
    ("an error number that is not err", r"\bint (?:error|rc|ret)\b"),
    ("a value cast to void", r"^ *\(void\) *\w+ *[,;]"),
)
# What of machine/ a part of it may include besides itself and sim.h; of others all.
MACHINE_PARTS = {"image": (), "fpu": (), "dev": (), "wasm": ("doctor/doctor.h",),
                 "cli": ("doctor/doctor.h",), "doctor": ("cpu/privileged.h", "cpu/pte.h")}
# Tests count what is in use to the frame, so they ask how many frames have records; the others are
# the host's there.
FOR_TESTS = ("mapping_frames", "shm_frames",
             "sched_yield", "host_ram_base", "host_csr_read", "host_csr_write", "host_hart")
DECLARED = r"^[a-z][^;{}()#=]*?\b(\w+)\([^;{}]*\)[^;{}]*;"
INTERFACE = "kernel/lib/abi.h"
INCLUDERS = {"arch/csr.h": ("mm/tlb.c", "trap"), "arch/pte.h": ("mm",)}
ODD_ENGLISH = re.compile(r"\b(?:anew|he|him|his|himself)\b", re.I)
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|work|root|Users)/\w")
TEXT_ENDINGS = (".c", ".h", ".S", ".ld", ".py", ".sh", ".md", ".awk", ".txt", ".yml",
                ".js", ".css", ".html", ".def")


def without_comments(text):
    """C text with comments and string contents blanked, line numbers kept."""
    def blank(m):
        s = m[0]
        if s.startswith(("/*", "//")):
            return re.sub(r"[^\n]", " ", s)
        return s[0] + " " * (len(s) - 2) + s[-1]
    return re.sub(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", blank, text,
                  flags=re.S)


def includes(text):
    """(line number, name) of each #include "name"."""
    for number, line in enumerate(text.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
        if m:
            yield number, m[1]


def permitted(path, places):
    """Whether a file of kernel/ is one of these places, or in one."""
    return any(path == f"kernel/{place}" or path.startswith(f"kernel/{place}/")
               for place in places)


def check_layers(path, layer, text):
    for number, name in includes(text):
        target = name.split("/")[0]
        if "/" not in name or target not in LAYERS:
            yield f"{path}:{number}: #include \"{name}\" names no layer"
        elif LAYERS.index(target) > LAYERS.index(layer):
            yield f"{path}:{number}: {layer} includes \"{name}\", which stands right of it"


def check_machine(path, layer, text):
    wrong = [(what, pattern) for what, pattern, places in MACHINE if not permitted(path, places)]
    wrong.append(("the number of a CSR or entry bit", NUMBER))
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        what = [what for what, pattern in wrong if re.search(pattern, line)]
        if what:
            yield f"{path}:{number}: {what[0]} in {layer}"
        elif LITERAL_BIT.search(line) and not (layer == "dev" and NAMES_BIT.match(line)):
            yield f"{path}:{number}: a bit without a name"
    for number, name in includes(text):
        if not permitted(path, INCLUDERS.get(name, (layer,))):
            yield f"{path}:{number}: {layer} includes \"{name}\", which is not its subject"


def check_levels(path, text):
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        if LEVELS.search(line):
            yield f"{path}:{number}: counts the levels of page tables"


def check_designs(path, text):
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        if path not in DESIGN_NAME and re.search(r"\bdesign\s*(?:\.|->)\s*name\b", line):
            yield f"{path}:{number}: asks for the design's name"
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*#\s*(?:if|ifdef|ifndef|elif)\b.*DESIGN", line):
            yield f"{path}:{number}: a conditional about designs"


def check_dialect(path, text):
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        for what, pattern in DIALECT:
            if re.search(pattern, line):
                yield f"{path}:{number}: {what}"


def check_locks(path, text):
    text = without_comments(text)
    for m in re.finditer(r"^[a-z][^;{}()#]*?(\w+_locked)\([^;{}]*\) \{(.*?)(?:^\}| \}$)", text,
                         re.M | re.S):
        if "ASSERT_LOCKED(" not in m[2]:
            number = text.count("\n", 0, m.start(1)) + 1
            yield f"{path}:{number}: {m[1]} does not assert its lock"


def kernel_files(root):
    """(path relative to root, layer) of the kernel's sources."""
    for folder, _, names in sorted(os.walk(os.path.join(root, "kernel"))):
        for name in sorted(names):
            if name.endswith((".c", ".h", ".S")):
                path = os.path.relpath(os.path.join(folder, name), root)
                yield path, path.split(os.sep)[1]


def check_english(root):
    for path in text_files(root):
        if path.startswith(("kernel/", "docs/")):
            with open(os.path.join(root, path), encoding="utf-8") as f:
                for number, line in enumerate(f, 1):
                    if m := ODD_ENGLISH.search(line):
                        yield f"{path}:{number}: \"{m[0]}\""


def kernel_texts(root):
    """{path: text without comments} of all that names something of the kernel's."""
    texts = {}
    for ending in ("c", "h", "S", "def", "ld"):
        for path in glob.glob(os.path.join(root, "kernel", "**", "*." + ending), recursive=True):
            with open(path, encoding="utf-8") as f:
                texts[os.path.relpath(path, root)] = without_comments(f.read())
    return texts


def count_words(texts):
    return collections.Counter(word for text in texts for word in re.findall(r"\w+", text))


def header_names(text):
    """(line number, name, how often it stands in the kernel when nothing uses it)."""
    for pattern, unused in ((r"^[ \t]*#[ \t]*define[ \t]+(\w+)", 1),
                            (r"^[a-z][^;{}()#=]*?\b(\w+)\([^;{}]*\)[^;{}()]*\{", 1),
                            (DECLARED, 2),
                            (r"^extern [^;(]*?(\w+)(?:\[\w*\])*;", 2),
                            (r"^struct (\w+) \{", 1)):
        for m in re.finditer(pattern, text, re.M):
            yield text.count("\n", 0, m.start(1)) + 1, m[1], unused


def check_used(root):
    texts = kernel_texts(root)
    words = count_words(texts.values())
    programs = collections.Counter()
    for path in glob.glob(os.path.join(root, "user", "**", "*.[ch]"), recursive=True):
        with open(path, encoding="utf-8") as f:
            programs += count_words([f.read()])
    for path in sorted(path for path in texts if path.endswith(".h")):
        for number, name, unused in header_names(texts[path]):
            used = words[name] > unused or (path == INTERFACE and programs[name])
            if not used and name not in FOR_TESTS:
                yield f"{path}:{number}: nothing uses {name}"
    yield from check_called(texts)


def check_called(texts):
    """Functions that no other file calls than the one they are in."""
    words = {path: count_words([text]) for path, text in texts.items()}
    for path in sorted(path for path in texts if path.endswith(".h") and path != INTERFACE):
        for m in re.finditer(DECLARED, texts[path], re.M):
            name, number = m[1], texts[path].count("\n", 0, m.start(1)) + 1
            users = sum(1 for other in words if other != path and words[other][name])
            if users == 1 and words[path][name] == 1 and name not in FOR_TESTS:
                yield f"{path}:{number}: only the file of {name} uses it"


def check_kernel(root):
    for path, layer in kernel_files(root):
        if layer not in LAYERS:
            yield f"{path}: {layer} is no layer"
            continue
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        yield from check_layers(path, layer, text)
        yield from check_designs(path, text)
        yield from check_dialect(path, text)
        yield from check_locks(path, text)
        if not permitted(path, LEVELS_PLACES):
            yield from check_levels(path, text)
        if layer != "arch":
            if path.endswith(".S"):
                yield f"{path}: assembly outside kernel/arch"
            yield from check_machine(path, layer, text)


def check_sim(root):
    for path in sorted(glob.glob(os.path.join(root, "machine", "**", "*.[ch]"), recursive=True)):
        path = os.path.relpath(path, root)
        part = path.split(os.sep)[1]
        may = MACHINE_PARTS.get(part, ("",))
        may = tuple(f"machine/{name}" for name in (f"{part}/", "sim.h", *may))
        with open(os.path.join(root, path), encoding="utf-8") as f:
            for number, name in includes(f.read()):
                if not name.startswith(may):
                    yield f"{path}:{number}: includes \"{name}\", which it may not know"


def check_programs(root):
    for names in ("user/*/vm*.[ch]", "user/bin/crash.c"):
        for path in sorted(glob.glob(os.path.join(root, names))):
            with open(path, encoding="utf-8") as f:
                yield from check_levels(os.path.relpath(path, root), f.read())


def text_files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [d for d in sorted(folders)
                      if not d.startswith((".git", "build", "__pycache__", ".pytest_cache"))]
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root)
            if name.endswith(TEXT_ENDINGS) or name in ("Makefile", "run", "sim", "test", "mkfs",
                                                       "ptview"):
                yield path


def check_text(root):
    for path in text_files(root):
        with open(os.path.join(root, path), encoding="utf-8") as f:
            lines = f.read().split("\n")
        code = not path.endswith((".md", ".txt", ".awk")) and "Makefile" not in path
        for number, line in enumerate(lines, 1):
            if "\t" in line and "Makefile" not in path:
                yield f"{path}:{number}: a tab"
            if line != line.rstrip():
                yield f"{path}:{number}: a blank at the end of the line"
            if code and len(line) > COLUMNS:
                yield f"{path}:{number}: {len(line)} columns"
            if MACHINE_PATH.search(line):
                yield f"{path}:{number}: a path of somebody's machine"
        if lines[-1]:
            yield f"{path}: no newline at the end"


def check(root):
    return [*check_kernel(root), *check_used(root), *check_english(root), *check_sim(root),
            *check_programs(root), *check_text(root)]


def main(args):
    root = args[0] if args else os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    problems = check(root)
    for text in problems:
        print(text)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
