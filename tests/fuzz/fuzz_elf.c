/* Any bytes as an executable: either refused, or a plan that keeps every promise of
 * elf.h, so that exec need check nothing. */
/* sources: kernel/mm/elf.c tests/host/hostarch.c */
#include "arch/pte.h"
#include "mm/elf.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds) {
    if (!holds)
        abort();
}

/* Each page of a segment is shown, copied or zero, and what is shown is in the file. */
static void check_pages(const struct elf_plan *plan, const struct elf_segment *s,
                        uint64_t file_size) {
    struct elf_pages p = elf_pages(s);
    must(p.start <= s->vaddr && p.start + PAGE_SIZE > s->vaddr);
    must(p.start <= p.shown && p.shown <= p.copied && p.copied <= p.end);
    must(p.copied == p.start || (p.copied >= s->vaddr + s->filesz && s->filesz > 0));
    must(p.end >= s->vaddr + s->memsz && p.end - s->vaddr - s->memsz < PAGE_SIZE);
    must(p.shown == p.start || s->memsz == s->filesz || p.shown <= s->vaddr + s->filesz);
    must(p.shown == p.start || p.first * PAGE_SIZE + (s->vaddr - p.start) == s->offset);
    must(p.shown == p.start || p.first + (p.shown - p.start) / PAGE_SIZE <= plan->pages);
    must(plan->pages <= (file_size + PAGE_SIZE - 1) / PAGE_SIZE);
}

static void check(const struct elf_plan *plan, uint64_t file_size) {
    uint64_t end = 0;
    bool entry_ok = false;
    must(plan->segments > 0 && plan->segments <= ELF_SEGMENTS);
    for (uint32_t i = 0; i < plan->segments; i++) {
        const struct elf_segment *s = &plan->segment[i];
        uint64_t into = s->vaddr % PAGE_SIZE;
        must((into == 0 || into == s->offset % PAGE_SIZE) && s->vaddr - into >= end);
        must(s->memsz > 0 && s->memsz >= s->filesz);
        must(s->offset <= file_size && s->filesz <= file_size - s->offset);
        must(s->vaddr < USER_MAX && s->memsz <= USER_MAX - 2 * PAGE_SIZE - s->vaddr);
        must((s->perm & PTE_R) && (s->perm & ~PTE_RWX) == 0);
        entry_ok |= (s->perm & PTE_X) && plan->entry >= s->vaddr &&
                    plan->entry < s->vaddr + s->memsz;
        end = (s->vaddr + s->memsz + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
        check_pages(plan, s, file_size);
    }
    must(entry_ok && plan->entry % 2 == 0);
    must(plan->end == end && end <= USER_MAX - 2 * PAGE_SIZE);
    must(plan->stack % PAGE_SIZE == 0 && plan->stack <= USER_MAX - PAGE_SIZE - end);
}

/* It begins there, and all keeps its distance. */
static void check_moved(const struct elf_plan *plan, uint64_t start) {
    struct elf_plan moved = *plan;
    uint64_t first = plan->segment[0].vaddr / PAGE_SIZE * PAGE_SIZE;
    elf_move(&moved, start);
    for (uint32_t i = 0; i < plan->segments; i++)
        must(moved.segment[i].vaddr - start == plan->segment[i].vaddr - first);
    must(moved.entry - start == plan->entry - first && moved.end - start == plan->end - first);
    must(moved.end >= start && moved.moved == start - first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct elf_header h;
    struct elf_phdr phdr[ELF_MAX_PHDRS];
    struct elf_plan plan;
    if (size < sizeof h)
        return 0;
    memcpy(&h, data, sizeof h);
    /* A file that is as long as its first segment says may be longer than the input. */
    uint64_t file_size = size < 4096 && h.ehsize ? (uint64_t)h.ehsize << 12 | size : size;
    if (elf_check_header(&h, file_size))
        return 0;
    must(h.phoff <= file_size && h.phnum <= ELF_MAX_PHDRS &&
         h.phnum * sizeof phdr[0] <= file_size - h.phoff);
    memset(phdr, 0, sizeof phdr);
    if (h.phoff < size) {
        uint64_t n = size - h.phoff;
        memcpy(phdr, data + h.phoff, n < sizeof phdr ? n : sizeof phdr);
    }
    if (elf_plan(&h, phdr, file_size, &plan) == 0) {
        check(&plan, file_size);
        check_moved(&plan, h.shoff / PAGE_SIZE * PAGE_SIZE % USER_MAX);
    }
    return 0;
}
