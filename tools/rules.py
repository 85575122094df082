#!/usr/bin/env python3
"""Checks the rules about the source that a compiler does not: prints each violation.

    tools/rules.py [ROOT]

- layers: an #include in kernel/ goes to its own layer or to one left of it in
      lib < arch < sync < mm < proc < dev < fs < syscall < trap < init
- the machine: assembly stands in kernel/arch only, and so do the numbers of CSRs
  and of page-table entry bits; by name CSRs are used besides in mm, proc, trap
  and init, entry bits in mm and trap
- designs: no #if asks which design it is
- text: no tab (but in makefiles), no blank at a line's end, at most 100 columns,
  no path of somebody's machine
"""
import os
import re
import sys

LAYERS = ("lib", "arch", "sync", "mm", "proc", "dev", "fs", "syscall", "trap", "init")
COLUMNS = 100
ASSEMBLY = re.compile(r"\b(?:asm|__asm__|__asm)\b")
CSR = re.compile(r"\b(?:csr_(?:read|write|set|clear)|sstatus|stvec|sscratch|scause|sepc|stval|"
                 r"stimecmp|scounteren|(?:SSTATUS|SATP|SIE)_\w+)\b")
CSR_LAYERS = ("mm", "proc", "trap", "init")
PTE_BIT = re.compile(r"\bPTE_[VRWXUGAD]\b")
PTE_LAYERS = ("mm", "trap")
NUMBER = re.compile(r"\s*#\s*define\s+(?:PTE|SATP|SSTATUS|SIE|CAUSE)_")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|work|root|Users)/\w")
TEXT_ENDINGS = (".c", ".h", ".S", ".ld", ".py", ".sh", ".md", ".awk", ".txt", ".yml")


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


def check_layers(path, layer, text):
    for number, name in includes(text):
        target = name.split("/")[0]
        if "/" not in name or target not in LAYERS:
            yield f"{path}:{number}: #include \"{name}\" names no layer"
        elif LAYERS.index(target) > LAYERS.index(layer):
            yield f"{path}:{number}: {layer} includes \"{name}\", which stands right of it"


def check_machine(path, layer, text):
    wrong = [("assembly", ASSEMBLY), ("the number of a CSR or entry bit", NUMBER)]
    if layer not in CSR_LAYERS:
        wrong.append(("a CSR", CSR))
    if layer not in PTE_LAYERS:
        wrong.append(("a page-table entry bit", PTE_BIT))
    for number, line in enumerate(without_comments(text).splitlines(), 1):
        for what, pattern in wrong:
            if pattern.search(line):
                yield f"{path}:{number}: {what} in {layer}"


def check_designs(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if re.match(r"\s*#\s*(?:if|ifdef|ifndef|elif)\b.*DESIGN", line):
            yield f"{path}:{number}: a conditional about designs"


def kernel_files(root):
    """(path relative to root, layer) of the kernel's sources."""
    for folder, _, names in sorted(os.walk(os.path.join(root, "kernel"))):
        for name in sorted(names):
            if name.endswith((".c", ".h", ".S")):
                path = os.path.relpath(os.path.join(folder, name), root)
                yield path, path.split(os.sep)[1]


def check_kernel(root):
    for path, layer in kernel_files(root):
        if layer not in LAYERS:
            yield f"{path}: {layer} is no layer"
            continue
        with open(os.path.join(root, path), encoding="utf-8") as f:
            text = f.read()
        yield from check_layers(path, layer, text)
        yield from check_designs(path, text)
        if layer != "arch":
            if path.endswith(".S"):
                yield f"{path}: assembly outside kernel/arch"
            yield from check_machine(path, layer, text)


def text_files(root):
    for folder, folders, names in os.walk(root):
        folders[:] = [d for d in sorted(folders)
                      if not d.startswith((".git", "build", "__pycache__", ".pytest_cache"))]
        for name in sorted(names):
            path = os.path.relpath(os.path.join(folder, name), root)
            if name.endswith(TEXT_ENDINGS) or name in ("Makefile", "run", "test", "mkfs"):
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
    return list(check_kernel(root)) + list(check_text(root))


def main(args):
    root = args[0] if args else os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    problems = check(root)
    for text in problems:
        print(text)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
