/* The checks of ELF executables: see elf.h. */
#include "mm/elf.h"
#include "arch/pte.h"
#include "lib/errno.h"
#include "lib/string.h"

#define ET_EXEC 2
#define ET_DYN 3
#define EM_RISCV 243
#define PT_LOAD 1
#define PT_GNU_STACK 0x6474e551
#define PF_X 1
#define PF_W 2

static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little-endian */, 1};

int elf_check_header(const struct elf_header *h, uint64_t file_size) {
    bool ok = memcmp(h->ident, ident, sizeof(ident)) == 0 &&
              (h->type == ET_EXEC || h->type == ET_DYN) && h->machine == EM_RISCV &&
              h->phentsize == sizeof(struct elf_phdr) && h->phnum > 0 &&
              h->phnum <= ELF_MAX_PHDRS && h->phoff <= file_size &&
              h->phnum * sizeof(struct elf_phdr) <= file_size - h->phoff;
    return ok ? 0 : -K_ENOEXEC;
}

/* Linkers put the size of the stack there when they are told one (-z stack-size=). */
static int plan_stack(struct elf_plan *plan, const struct elf_phdr *phdr, uint32_t phnum) {
    uint64_t room = USER_MAX - PAGE_SIZE - plan->end; /* the guard page; there is a page at least */
    for (uint32_t i = 0; i < phnum; i++) {
        if (phdr[i].type != PT_GNU_STACK)
            continue;
        if (phdr[i].memsz > room)
            return -K_ENOEXEC;
        plan->stack = ROUND_UP(phdr[i].memsz, PAGE_SIZE);
    }
    return 0;
}

/* No sum here can wrap once the comparisons before it have held. */
static bool phdr_ok(const struct elf_phdr *p, uint64_t file_size, uint64_t lowest) {
    uint64_t limit = USER_MAX - 2 * PAGE_SIZE; /* guard page and stack */
    return p->filesz <= p->memsz && p->offset <= file_size && p->filesz <= file_size - p->offset &&
           (IS_ALIGNED(p->vaddr, PAGE_SIZE) || IS_ALIGNED(p->vaddr - p->offset, PAGE_SIZE)) &&
           ROUND_DOWN(p->vaddr, PAGE_SIZE) >= lowest && p->vaddr <= limit &&
           p->memsz <= limit - p->vaddr;
}

static bool entry_ok(const struct elf_plan *plan) {
    for (uint32_t i = 0; i < plan->segments; i++) {
        const struct elf_segment *s = &plan->segment[i];
        if (plan->entry >= s->vaddr && plan->entry - s->vaddr < s->memsz)
            return (s->perm & PTE_X) && IS_ALIGNED(plan->entry, 2);
    }
    return false;
}

struct elf_pages elf_pages(const struct elf_segment *s) {
    uint64_t start = ROUND_DOWN(s->vaddr, PAGE_SIZE), file_end = s->vaddr + s->filesz;
    uint64_t copied = s->filesz ? ROUND_UP(file_end, PAGE_SIZE) : start;
    uint64_t shown = s->memsz > s->filesz ? MAX(start, ROUND_DOWN(file_end, PAGE_SIZE)) : copied;
    bool alike = IS_ALIGNED(s->vaddr - s->offset, PAGE_SIZE);
    return (struct elf_pages){.start = start,
                              .shown = alike ? shown : start,
                              .copied = copied,
                              .end = ROUND_UP(s->vaddr + s->memsz, PAGE_SIZE),
                              .first = s->offset / PAGE_SIZE};
}

const char *elf_name(const struct object *program, uint64_t perm) {
    return perm & PTE_X ? "text" : perm & PTE_W ? "data" : "read-only data";
}

int elf_plan(const struct elf_header *h, const struct elf_phdr *phdr, uint64_t file_size,
             struct elf_plan *plan) {
    memset(plan, 0, offsetof(struct elf_plan, segment)); /* not those that there are not */
    plan->entry = h->entry;
    plan->movable = h->type == ET_DYN;
    for (uint32_t i = 0; i < h->phnum; i++) {
        const struct elf_phdr *p = &phdr[i];
        if (p->type != PT_LOAD || (p->memsz == 0 && p->filesz == 0))
            continue;
        if (!phdr_ok(p, file_size, plan->end) || plan->segments == ELF_SEGMENTS)
            return -K_ENOEXEC;
        struct elf_segment *s = &plan->segment[plan->segments++];
        *s = (struct elf_segment){p->offset, p->filesz, p->vaddr, p->memsz,
                                  PTE_R | (p->flags & PF_W ? PTE_W : 0) |
                                      (p->flags & PF_X ? PTE_X : 0)};
        struct elf_pages pages = elf_pages(s);
        if (pages.shown > pages.start)
            plan->pages = MAX(plan->pages, pages.first + (pages.shown - pages.start) / PAGE_SIZE);
        plan->end = pages.end;
    }
    return entry_ok(plan) ? plan_stack(plan, phdr, h->phnum) : -K_ENOEXEC;
}

void elf_move(struct elf_plan *plan, uint64_t start) {
    uint64_t by = start - ROUND_DOWN(plan->segment[0].vaddr, PAGE_SIZE);
    for (uint32_t i = 0; i < plan->segments; i++)
        plan->segment[i].vaddr += by;
    plan->entry += by;
    plan->end += by;
    plan->moved = by;
}
