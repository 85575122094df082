/* The checks of ELF executables: see elf.h. */
#include "mm/elf.h"
#include "arch/pte.h"
#include "lib/errno.h"
#include "lib/string.h"

#define ET_EXEC 2
#define EM_RISCV 243
#define PT_LOAD 1
#define PT_GNU_STACK 0x6474e551
#define PF_X 1
#define PF_W 2

static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2 /* 64 bits */, 1 /* little-endian */, 1};

int elf_check_header(const struct elf_header *h, uint64_t file_size) {
    bool ok = memcmp(h->ident, ident, sizeof(ident)) == 0 && h->type == ET_EXEC &&
              h->machine == EM_RISCV && h->phentsize == sizeof(struct elf_phdr) && h->phnum > 0 &&
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

int elf_plan(const struct elf_header *h, const struct elf_phdr *phdr, uint64_t file_size,
             struct elf_plan *plan) {
    *plan = (struct elf_plan){.entry = h->entry};
    for (uint32_t i = 0; i < h->phnum; i++) {
        const struct elf_phdr *p = &phdr[i];
        if (p->type != PT_LOAD || (p->memsz == 0 && p->filesz == 0))
            continue;
        if (!phdr_ok(p, file_size, plan->end) || plan->segments == IMAGE_SEGMENTS)
            return -K_ENOEXEC;
        struct elf_segment *s = &plan->segment[plan->segments++];
        *s = (struct elf_segment){p->offset, p->filesz, p->vaddr, p->memsz,
                                  PTE_R | (p->flags & PF_W ? PTE_W : 0) |
                                      (p->flags & PF_X ? PTE_X : 0)};
        uint64_t pages = elf_file_pages(s);
        if (pages > IMAGE_PAGES - plan->pages)
            return -K_ENOEXEC;
        plan->pages += (uint32_t)pages;
        plan->end = ROUND_UP(p->vaddr + p->memsz, PAGE_SIZE);
    }
    return entry_ok(plan) ? plan_stack(plan, phdr, h->phnum) : -K_ENOEXEC;
}
