/* Page tables in the words of vmprint, as tools/ptview reads them (docs/ptview.md): neighbours
 * whose frames ascend and whose flags are alike are one line. */
#include "machine/cpu/pte.h"
#include "machine/doctor/inside.h"

enum { ENTRIES = 512, LINES_MAX = 8000, MODE_SV39 = 8, MODE_SV57 = 10 };
#define FLAGS 0x3ffull
#define FRAME_STEP (1ull << 10) /* of an entry, to the next frame */

struct printer {
    const struct sim *sim;
    struct text *to;
    unsigned levels, lines;
};

static uint64_t frame_of(uint64_t entry) { return (entry >> 10 & ((1ull << 44) - 1)) << 12; }

static bool is_pointer(uint64_t entry) { return (entry & (PTE_V | PTE_LEAF)) == PTE_V; }

/* How many entries from this one on are one line. */
static unsigned run_length(const uint64_t *entries, unsigned first, unsigned level) {
    unsigned count = 1;
    uint64_t step = FRAME_STEP << 9 * level;
    if (is_pointer(entries[first]))
        return 1;
    while (first + count < ENTRIES && entries[first + count] == entries[first] + count * step)
        count++;
    return count;
}

static void print_dots(struct printer *p, unsigned level) {
    for (unsigned depth = p->levels - level; depth > 0; depth--)
        text_add(p->to, depth > 1 ? ".. " : "..");
}

static void print_line(struct printer *p, unsigned level, unsigned first, unsigned count,
                       uint64_t entry) {
    print_dots(p, level);
    text_number(p->to, first);
    if (count > 1) {
        text_add(p->to, "-");
        text_number(p->to, first + count - 1);
    }
    text_add(p->to, ": pte ");
    text_hex(p->to, entry, 16);
    text_add(p->to, " pa ");
    text_hex(p->to, frame_of(entry), 16);
    text_add(p->to, "\n");
    p->lines++;
}

static void print_table(struct printer *p, uint64_t table, unsigned level) {
    uint64_t entries[ENTRIES];
    if (!sim_memory(p->sim, table, entries, sizeof(entries)))
        return;
    for (unsigned i = 0; i < ENTRIES && p->lines < LINES_MAX; i++) {
        if (!(entries[i] & PTE_V))
            continue;
        unsigned count = run_length(entries, i, level);
        print_line(p, level, i, count, entries[i]);
        if (is_pointer(entries[i]) && level > 0)
            print_table(p, frame_of(entries[i]), level - 1);
        i += count - 1;
    }
}

void tables_print(const struct sim *sim, uint64_t satp, struct text *to) {
    unsigned mode = (unsigned)(satp >> 60);
    if (mode < MODE_SV39 || mode > MODE_SV57)
        return;
    struct printer p = {.sim = sim, .to = to, .levels = mode - MODE_SV39 + 3};
    uint64_t root = frame_of(satp << 10);
    text_add(to, "page table ");
    text_hex(to, root, 16);
    text_add(to, "\n");
    print_table(&p, root, p.levels - 1);
}
