/* Whose a page table is: see processes.h. */
#include "machine/cpu/bits.h"
#include "machine/machine.h"

enum { V = 1, R_W_X = 0xe, SLOTS_MOST = 4096, POINTER_BYTES = 8 };

/* ---- names ------------------------------------------------------------------------------------
 */
static struct field field_of(const struct profile_field *named) {
    return (struct field){.of = named->of, .name = named->name};
}

static void find_fields(struct processes *p, const struct profile_processes *named,
                        const struct elf *elf) {
    struct field fields[2 + PROCESS_TABLES * PROCESS_STEPS];
    unsigned count = 0;
    fields[count++] = field_of(&named->pid);
    fields[count++] = field_of(&named->name);
    for (unsigned i = 0; i < named->tables; i++)
        for (unsigned j = 0; j < PROCESS_STEPS && named->table[i][j].of[0]; j++)
            fields[count++] = field_of(&named->table[i][j]);
    fields_find(elf, fields, count);
    p->pid = fields[0];
    p->name = fields[1];
    count = 2;
    for (unsigned i = 0; i < named->tables; i++) {
        struct field *steps = p->table[p->tables];
        unsigned n = 0;
        bool found = true;
        for (; n < PROCESS_STEPS && named->table[i][n].of[0]; n++) {
            steps[n] = fields[count++];
            found = found && steps[n].found;
        }
        p->steps[p->tables] = n;
        p->tables += found;
    }
}

static uint64_t size_of(const struct symbols *symbols, uint64_t address) {
    for (size_t i = 0; i < symbols->count; i++)
        if (symbols->list[i].address == address && symbols->list[i].end > address)
            return symbols->list[i].end - address;
    return 0;
}

void processes_init(struct sim *sim) {
    const struct profile_processes *named = &sim->frames.profile.processes;
    const struct symbols *symbols = &sim->kernel.symbols;
    struct processes *p = &sim->processes;
    *p = (struct processes){.pointer = named->pointer};
    if (!sim->options.events || !named->array[0] ||
        !symbols_address(symbols, named->array, &p->array) ||
        (p->pointer && !symbols_address(symbols, named->count, &p->count)))
        return;
    find_fields(p, named, &sim->kernel.elf);
    p->bytes = p->pid.bytes;
    p->known = p->pid.found && p->tables > 0 && p->bytes > 0;
    if (p->known && !p->pointer)
        p->most = size_of(symbols, p->array) / p->bytes;
}

/* ---- memory of the kernel
 * ------------------------------------------------------------------------ */
/* Where a root's tables have va. */
static bool walk(const struct sim *sim, const struct sim_root *root, uint64_t va, uint64_t *pa) {
    uint64_t table = root->pa;
    for (unsigned level = root->levels; level-- > 0;) {
        uint64_t at = table + 8 * field(va, 12 + 9 * level, 9), pte;
        if (!sim_memory(sim, at, &pte, sizeof(pte)) || !(pte & V))
            return false;
        table = field(pte, 10, 44) << 12;
        uint64_t inside = (1ull << (12 + 9 * level)) - 1;
        if (pte & R_W_X) {
            *pa = (table & ~inside) | (va & inside);
            return true;
        }
    }
    return false;
}

/* Bytes that the kernel has at va: where its file puts them, or any of its tables has them. A view
 * of user mode has not all of the kernel, so others are asked, too. */
static bool read_kernel(const struct sim *sim, uint64_t va, void *to, size_t bytes) {
    uint64_t pa = place_physical(&sim->kernel, va);
    if (sim_memory(sim, pa, to, bytes))
        return true;
    for (unsigned i = 0; i < sim->events.roots_count; i++)
        if (walk(sim, &sim->events.roots[i], va, &pa) && sim_memory(sim, pa, to, bytes))
            return true;
    return false;
}

/* ---- who
 * ------------------------------------------------------------------------------------------ */
/* A table's address, of that or of a value of satp. */
static uint64_t root_of(uint64_t value) { return value >> 60 ? field(value, 0, 44) << 12 : value; }

static bool has_table(const struct sim *sim, uint64_t process, uint64_t root) {
    const struct processes *p = &sim->processes;
    for (unsigned i = 0; i < p->tables; i++) {
        uint64_t value = process;
        bool good = true;
        for (unsigned j = 0; good && j < p->steps[i]; j++)
            good = value != 0 &&
                   read_kernel(sim, value + p->table[i][j].offset, &value, POINTER_BYTES);
        if (good && root_of(value) == root)
            return true;
    }
    return false;
}

bool sim_owner(const struct sim *sim, uint64_t root, struct sim_owner *owner) {
    const struct processes *p = &sim->processes;
    uint64_t first = p->array, count = p->most;
    uint32_t slots;
    if (!p->known || (p->pointer && !read_kernel(sim, p->array, &first, POINTER_BYTES)) ||
        (p->count && !read_kernel(sim, p->count, &slots, sizeof(slots))))
        return false;
    if (p->count)
        count = slots;
    for (uint64_t i = 0; i < count && i < SLOTS_MOST; i++) {
        uint64_t at = first + i * p->bytes;
        *owner = (struct sim_owner){.pid = 0};
        if (!read_kernel(sim, at + p->pid.offset, &owner->pid, sizeof(owner->pid)))
            return false; /* there is no table yet */
        if (owner->pid == 0 || !has_table(sim, at, root))
            continue;
        if (p->name.found)
            read_kernel(sim, at + p->name.offset, owner->name, sizeof(owner->name) - 1);
        return true;
    }
    return false;
}
