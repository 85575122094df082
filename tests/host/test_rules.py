"""The rules about the source hold, and their checker finds each planted violation."""
import os
import re

import machine
import pytest
import rules


def test_the_rules_hold():
    assert rules.check(machine.ROOT) == []


def test_unit_tests_use_what_every_cmocka_has():
    """These names are cmocka 1's alone, or deprecated by cmocka 2; see between.h."""
    folder = os.path.join(machine.ROOT, "tests", "host")
    for name in os.listdir(folder):
        if name.endswith((".c", ".h")) and name != "between.h":
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                assert not re.search(r"assert_(?:not_)?in_(?:range|set)\b|LargestIntegralType",
                                     f.read()), name


@pytest.fixture
def tree(tmp_path):
    """A source tree without a violation."""
    for path, text in {
            "kernel/lib/string.h": "#pragma once\n#include <stddef.h>\n",
            "kernel/arch/csr.h": "#define SATP_SV39 8\n"
                                 "static void f(void) { asm(\"\" ::\"r\"(SATP_SV39)); }\n",
            "kernel/arch/entry.S": "    csrr a0, sstatus\n",
            "kernel/mm/pt.c": '#include "arch/pte.h"\n#include "lib/string.h"\n'
                              "int x = PTE_W; /* asm sstatus */\nchar *s = \"asm sstatus\";\n",
            "kernel/mm/tlb.c": '#include "arch/csr.h"\n'
                               "void f(void) { csr_write(satp, SATP_SV39); sfence_all(); }\n",
            "kernel/mm/kmap.c": "int x = PTE_R | PTE_G;\n",
            "kernel/trap/trap.c": '#include "arch/csr.h"\n'
                                  "void f(void) { csr_clear(sstatus, SSTATUS_SIE); }\n",
            "kernel/fs/held.c": "static int n_locked(void);\nint n_locked(\n    void) {\n"
                                "    ASSERT_LOCKED(&lock);\n    return 1;\n}\n",
            "kernel/fs/dir.c": '#include "mm/pt.h"\n#include "fs/inode.h"\n'}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert rules.check(str(tmp_path)) == []
    return tmp_path


def test_builds_are_not_looked_at(tree):
    (tree / "build-x" / "walk").mkdir(parents=True)
    (tree / "build-x" / "walk" / "symbols.S").write_text("\ttab")
    assert rules.check(str(tree)) == []


@pytest.mark.parametrize("path, text, says", [
    ("machine/cpu/x.c", '#include "mm/pt.h"\n', "which it may not know"),
    ("machine/dev/x.c", '#include "machine/sim.c"\n', "which it may not know"),
    ("kernel/lib/up.c", '#include "arch/hart.h"\n', "stands right of it"),
    ("kernel/mm/up.c", '#include "proc/proc.h"\n', "stands right of it"),
    ("kernel/dev/up.c", '  #  include "fs/log.h"\n', "stands right of it"),
    ("kernel/proc/near.c", '#include "proc.h"\n', "names no layer"),
    ("kernel/net/new.c", "int x;\n", "net is no layer"),
    ("kernel/mm/insn.c", 'void f(void) { __asm__ volatile("nop"); }\n', "assembly in mm"),
    ("kernel/trap/vec.S", "    nop\n", "assembly outside kernel/arch"),
    ("kernel/dev/csr.c", "long f(void) { return csr_read(sstatus); }\n", "a CSR in dev"),
    ("kernel/proc/csr.c", "void f(void) { csr_write(sie, 0); }\n", "a CSR in proc"),
    ("kernel/proc/csr.h", '#include "arch/csr.h"\n', "is not its subject"),
    ("kernel/init/csr.c", "void f(void) { csr_write(satp, kernel_satp); }\n", "a CSR in init"),
    ("kernel/mm/other.c", "long f(void) { return csr_read(satp); }\n", "a CSR in mm"),
    ("kernel/mm/tlb.c", "void f(void) { csr_set( sstatus, 2); }\n", "a CSR of traps in mm"),
    ("kernel/mm/tlb.c", "int x = SSTATUS_SUM;\n", "a CSR of traps in mm"),
    ("kernel/trap/satp.c", "void f(void) { csr_write(satp, 0); }\n", "satp in trap"),
    ("kernel/trap/mode.c", "long x = SATP_SV39;\n", "satp in trap"),
    ("kernel/syscall/cause.c", "int f(long c) { return c == CAUSE_TIMER; }\n", "of traps in"),
    ("kernel/mm/fence.c", "void f(void) { sfence_all(); }\n", "a TLB fence in mm"),
    ("kernel/fs/pte.c", "int f(int e) { return e & PTE_R; }\n", "an entry in fs"),
    ("kernel/trap/pte.c", "int f(int e) { return pte_valid(e); }\n", "an entry in trap"),
    ("kernel/proc/pte.c", '#include "arch/pte.h"\n', "is not its subject"),
    ("kernel/fs/old.h", "#define OLD_SIZE 9\n", "nothing uses OLD_SIZE"),
    ("kernel/fs/old.h", "int old_size(int n) must_check;\n", "nothing uses old_size"),
    ("kernel/fs/old.h", "static inline int old(void) { return 1; }\n", "nothing uses old"),
    ("kernel/fs/old.h", "extern struct dir old_dirs[N];\n", "nothing uses old_dirs"),
    ("kernel/fs/old.h", "struct old {\n    int x;\n};\n", "nothing uses old"),
    ("kernel/mm/man.c", "/* A hart, and his table. */\n", '"his"'),
    ("docs/man.md", "It is made anew.\n", '"anew"'),
    ("kernel/mm/global.c", "int x = PTE_G;\n", "a global entry's bit in mm"),
    ("kernel/mm/kmap.c", "int x = PTE_A;\n", "a bit that hardware sets in mm"),
    ("kernel/mm/check.c", "int x = PTE_V;\n", "a valid bit in mm"),
    ("kernel/mm/bits.c", "#define PTE_MINE (1 << 8)\n", "the number of a CSR or entry bit"),
    ("kernel/mm/which.c", "#ifdef DESIGN_WALK\n#endif\n", "a conditional about designs"),
    ("kernel/lib/cheat.c", "void f(long *e) { *e |= 1U << 6; }\n", "a bit without a name"),
    ("kernel/dev/cheat.c", "void f(long *e) { *e |= 1U << 6; }\n", "a bit without a name"),
    ("kernel/fs/cheat.h", "#define IT 1U << 6\nlong x = IT;\n", "a bit without a name"),
    ("kernel/mm/cheat.c", "void f(long *e) { if (design.name[0] == 'm') *e |= 4; }\n",
     "asks for the design's name"),
    ("kernel/lib/cheat.c", "void f(long *e) { *e |= 1U << 6; }\n", "a bit without a name"),
    ("kernel/dev/cheat.c", "void f(long *e) { *e |= 1U << 6; }\n", "a bit without a name"),
    ("kernel/fs/cheat.h", "#define IT 1U << 6\nlong x = IT;\n", "a bit without a name"),
    ("kernel/mm/cheat.c", "void f(long *e) { *e |= 1ULL<<2; }\n", "a bit without a name"),
    ("kernel/mm/levels.c", "bool f(unsigned level) { return level == 2; }\n", "counts the levels"),
    ("kernel/proc/levels.c", "int f(struct pt *p) { return pt_init(p, 3, &m); }\n",
     "counts the levels"),
    ("kernel/mm/giga.c", "long f(long va) { return va / GIB(1); }\n", "counts the levels"),
    ("kernel/mm/index.c", "int f(vaddr_t va) { return va_index(VA(va.v), 2); }\n",
     "counts the levels"),
    ("user/bin/vmnew.c", "long half = 1ul << 38;\n", "counts the levels"),
    ("user/bin/crash.c", "long trapframe = 0x3fffffe000;\n", "counts the levels"),
    ("kernel/fs/null.c", "int f(int *p) { return p == NULL; }\n", "a comparison with NULL"),
    ("kernel/dev/size.c", "long f(int n) { return sizeof n; }\n", "sizeof without"),
    ("kernel/dev/error.c", "int f(void) { int error = 0; return error; }\n", "not err"),
    ("kernel/fs/held.c", "static int find_locked(int n) {\n    return n;\n}\n", "assert its lock"),
    ("kernel/fs/held.h", "static inline int a_locked(void) { return 1; }\n"
     "int x = a_locked();\n", "assert its lock"),
    ("kernel/mm/void.c", "void f(int x) {\n    (void)x;\n}\n", "cast to void"),
    ("kernel/lib/tab.c", "\tint x;\n", "a tab"),
    ("user/bin/blank.c", "int x; \n", "a blank at the end"),
    ("user/bin/wide.c", "int " + "x" * 100 + ";\n", "105 columns"),
    ("docs/a.md", "see " + "/".join(["", "home", "me", "x"]) + "\n", "a path of somebody's"),
    ("docs/a.md", "text", "no newline at the end")])
def test_checker_finds(tree, path, text, says):
    (tree / path).parent.mkdir(parents=True, exist_ok=True)
    (tree / path).write_text(text)
    found = rules.check(str(tree))
    assert len(found) == 1 and says in found[0] and os.fspath(path) in found[0], found


def test_function_that_only_its_file_and_tests_call(tree):
    folder = tree / "kernel" / "mm"
    (folder / "half.h").write_text("int half(int n) must_check;\n")
    (folder / "half.c").write_text('#include "mm/half.h"\nint half(int n) { return n / 2; }\n'
                                   "int quarter(int n) { return half(half(n)); }\n")
    assert rules.check(str(tree)) == ["kernel/mm/half.h:1: only the file of half uses it"]
    (folder / "user.c").write_text('#include "mm/half.h"\nint f(void) { return half(7); }\n')
    assert not rules.check(str(tree))
