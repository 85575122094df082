/* Leaves that open what they should not: kernel memory that user mode may use, pages that are free
 * and user mode's all the same, and code that the kernel may write to. */
#include "machine/cpu/bits.h"
#include "machine/cpu/keep.h"
#include "machine/cpu/pte.h"
#include "machine/finding.h"
#include "machine/frames/tables.h"
#include "machine/rules/rules.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_BYTES = 1024, SINCE_BYTES = 512, WHAT_BYTES = 240 };

static uint64_t page_of(uint64_t address) { return address & ~(uint64_t)4095; }

static uint64_t physical(const struct walked *leaf) {
    uint64_t offset = level_bytes(leaf->level) - 1;
    return ((field(leaf->value, 10, 44) << 12) & ~offset) | (leaf->va & offset);
}

/* The first page of the kernel's image that the leaf leads to; 0: none. */
static uint64_t image_in(const struct sim *sim, const struct walked *leaf) {
    uint64_t bytes = level_bytes(leaf->level), from = physical(leaf) & ~(bytes - 1);
    for (unsigned i = 0; i < sim->kernel.elf.segments; i++) {
        const struct elf_segment *s = &sim->kernel.elf.segment[i];
        if (s->paddr < from + bytes && from < s->paddr + s->size)
            return s->paddr > from ? s->paddr & ~4095ull : from;
    }
    return 0;
}

static const char *rights(uint64_t pte) {
    static const char *const names[] = {"",
                                        "read",
                                        "write",
                                        "read and write",
                                        "execute",
                                        "read and execute",
                                        "write and execute",
                                        "read, write and execute"};
    return names[field(pte, 1, 3)];
}

/* "0x12cc.. from 0x80..: that was written at vm.c:212 (mappages) by hart 0, 10 instructions ago" */
static void entry(struct sim *sim, const struct walked *leaf, char *buffer) {
    char ago[SINCE_BYTES / 2];
    finding_since(sim, leaf->pa, ago, sizeof(ago));
    snprintf(buffer, SINCE_BYTES, "By the entry 0x%" PRIx64 " of level %u at 0x%" PRIx64 ": %s.",
             leaf->value, leaf->level, leaf->pa, ago);
}

static void tell(struct sim *sim, const struct hart *hart, const struct walked *leaf,
                 enum sim_rule rule, const char *sentence) {
    char text[TEXT_BYTES], by[SINCE_BYTES];
    entry(sim, leaf, by);
    snprintf(text, sizeof(text), "%s %s", sentence, by);
    finding_tell(sim, &(struct sim_finding){rule, text, (int)hart->id, leaf->ahead ? 0 : hart->pc,
                                            finding_writer(sim, leaf->pa)});
}

/* ---- what user mode may use ------------------------------------------------------------------ */
static void tell_open(struct sim *sim, const struct hart *hart, const struct walked *leaf,
                      uint64_t pa, const char *what) {
    char sentence[TEXT_BYTES / 2];
    if (!finding_first_time(sim, SIM_OPEN_TO_USER, finding_writer(sim, leaf->pa), leaf->level))
        return;
    snprintf(sentence, sizeof(sentence),
             "open to user mode: programs of hart %u may %s what is at 0x%" PRIx64
             " (physical 0x%" PRIx64 "), and that is %s.",
             hart->id, rights(leaf->value), page_of(leaf->va), pa, what);
    tell(sim, hart, leaf, SIM_OPEN_TO_USER, sentence);
}

static void check_open(struct sim *sim, const struct hart *hart, const struct walked *leaf) {
    char what[WHAT_BYTES], where[PLACE_BYTES];
    uint64_t pa = physical(leaf) & ~4095ull, image = image_in(sim, leaf);
    struct table_use use;
    if (image != 0) {
        snprintf(what, sizeof(what), "of the kernel's image: %s", finding_place(sim, image, where));
        tell_open(sim, hart, leaf, image, what);
    } else if (leaf->level == 0 && ram_has(sim, pa, 4096) &&
               (sim->page_flags[(pa - RAM_BASE) >> 12] & PAGE_TABLE) &&
               table_in_use(sim, pa, &use)) {
        snprintf(what, sizeof(what), "a page table in use, of level %u of hart %u's satp",
                 use.level, use.hart->id);
        tell_open(sim, hart, leaf, pa, what);
    }
}

/* The kernel has given the page back, and its programs still have it. It is looked at while they
 * run: the kernel itself may clear the leaf a moment after it gave the page back. */
static void check_free(struct sim *sim, const struct hart *hart, const struct walked *leaf) {
    char sentence[TEXT_BYTES / 2], ago[SINCE_BYTES / 2];
    uint64_t pa = physical(leaf) & ~4095ull;
    if (!sim->frames.on || hart->priv != PRIV_U || !ram_has(sim, pa, 4096) || !leaf->ahead ||
        !frames_is_free(sim, pa) ||
        !finding_first_time(sim, SIM_MAPPED_FREE, frames_from(sim, pa), 0))
        return;
    frames_since(sim, pa, ago, sizeof(ago));
    snprintf(sentence, sizeof(sentence),
             "mapped after it was freed: the program on hart %u may %s what is at 0x%" PRIx64
             " (physical 0x%" PRIx64 "); the page was %s.",
             hart->id, rights(leaf->value), page_of(leaf->va), pa, ago);
    tell(sim, hart, leaf, SIM_MAPPED_FREE, sentence);
}

/* ---- code that may be written -----------------------------------------------------------------
 */
static void check_writable(struct sim *sim, const struct hart *hart, const struct walked *leaf) {
    char sentence[TEXT_BYTES / 2], where[PLACE_BYTES];
    bool user = leaf->value & PTE_U;
    if (leaf->ahead || !hart->rules.ran_user ||
        (leaf->value & (PTE_W | PTE_X)) != (PTE_W | PTE_X) ||
        !(sim->options.checks & (user ? SIM_CHECK_USER_WX : SIM_CHECK_WX)) ||
        !finding_first_time(sim, SIM_WRITABLE_CODE, finding_writer(sim, leaf->pa), user))
        return;
    snprintf(sentence, sizeof(sentence),
             "writable code: hart %u uses 0x%" PRIx64 " at %s, where %s may both write and "
             "execute.",
             hart->id, leaf->va, finding_place(sim, hart->pc, where),
             user ? "user mode" : "the kernel");
    tell(sim, hart, leaf, SIM_WRITABLE_CODE, sentence);
}

void rules_leaf(struct sim *sim, struct hart *hart, const struct walked *leaf) {
    if (leaf->value & PTE_U) {
        if (sim->options.checks & SIM_CHECK_OPEN) {
            check_open(sim, hart, leaf);
            check_free(sim, hart, leaf);
        }
    }
    check_writable(sim, hart, leaf);
}
