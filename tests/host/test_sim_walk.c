/* Random page tables, and random accesses by two harts: what the machine does by its tlb and by
 * what harts keep is what a walk of memory says, when harts keep nothing, and when each change is
 * followed by its fences. */
/* sources: machine */
#include "machine/cpu/code.h"
#include "machine/cpu/keep.h"
#include "simguest.h"

enum { ROOTS = 2, TABLES = 8, PAGES = 16, HARTS = 2, GUESTS = 60, STEPS = 1500 };
#define TABLE(n) (RAM_BASE + 0x300000 + 4096ull * (n))
#define PAGE(n) (RAM_BASE + 0x400000 + 4096ull * (n))
#define LARGE (RAM_BASE + 0x400000) /* where pages of 2 MiB lead */
enum { V = 1, R = 2, W = 4, X = 8, U = 16, G = 32, A = 64, D = 128 };

static uint64_t state;
static uint64_t draw(uint64_t below) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 20) % below;
}

/* The slots of a table that are used: few, so that accesses meet. */
static unsigned slot(void) {
    static const unsigned slots[] = {0, 1, 2, 509};
    return slots[draw(4)];
}

static uint64_t some_va(void) {
    static const uint64_t top[] = {1, 510};
    uint64_t i = top[draw(2)];
    uint64_t va = i << 30 | (uint64_t)slot() << 21 | (uint64_t)slot() << 12;
    return i >= 256 ? va | ~((1ull << 39) - 1) : va;
}

static uint64_t some_entry(void) {
    uint64_t bits = V | A | D | R | (draw(4) ? W : 0) | (draw(3) ? 0 : X) | (draw(3) ? 0 : U);
    switch (draw(8)) {
    case 0: return draw(2) ? 0 : some_entry() & ~1ull;
    case 1:
    case 2:
    case 3: return TABLE(draw(TABLES)) >> 2 | V;
    case 4: return LARGE >> 2 | bits;
    case 5: bits &= ~(uint64_t)(draw(2) ? A | D : D); /* fall through */
    default: return PAGE(draw(PAGES)) >> 2 | bits | (draw(9) ? 0 : X) | (draw(7) ? 0 : R);
    }
}

/* ---- what the specification says: 4.3.2 ----------------------------------------------------- */
static bool allowed(const struct hart *hart, uint64_t pte, enum access access) {
    bool sum = hart->mstatus & MSTATUS_SUM, mxr = hart->mstatus & MSTATUS_MXR;
    if ((pte & U) && (!sum || access == ACCESS_FETCH))
        return false;
    if (access == ACCESS_FETCH   ? !(pte & X)
        : access == ACCESS_STORE ? !(pte & W)
                                 : !(pte & R) && !(mxr && (pte & X)))
        return false;
    return guest.svadu || ((pte & A) && (access != ACCESS_STORE || (pte & D)));
}

static bool walk(const struct hart *hart, uint64_t va, enum access access, uint64_t *pa) {
    uint64_t table = (hart->satp & ((1ull << 44) - 1)) << 12;
    for (int level = 2; level >= 0; level--) {
        unsigned shift = 12 + 9 * (unsigned)level;
        uint64_t at = table + 8 * (va >> shift & 511), pte = peek(at);
        uint64_t span = (1ull << shift) - 1, to = (pte >> 10 & ((1ull << 44) - 1)) << 12;
        if (!(pte & V) || (!(pte & R) && (pte & W)))
            return false;
        if (!(pte & (R | X))) {
            if (pte & (A | D | U))
                return false;
            table = to;
            continue;
        }
        if (!allowed(hart, pte, access) || (to & span))
            return false;
        *pa = to | (va & span);
        if (guest.svadu)
            poke(at, pte | A | (access == ACCESS_STORE ? D : 0));
        return true;
    }
    return false;
}

/* ---- what the machine does --------------------------------------------------------------------
 */
static void execute(unsigned id, uint32_t word) {
    struct hart *hart = &sim->harts[id];
    PUT(CODE_AT, word);
    code_fence(sim, hart);
    for (unsigned i = 0; i < HARTS; i++)
        sim->harts[i].waiting = i != id;
    hart->pc = CODE_AT;
    hart->scause = 0;
    sim_run(sim, 1);
}

static void fence_all(void) {
    for (unsigned i = 0; i < HARTS; i++)
        execute(i, SFENCE_VMA(0, 0));
}

static void change_entry(unsigned id) {
    uint64_t at = TABLE(draw(TABLES + ROOTS)) + 8 * slot();
    if (at == TABLE(TABLES) + 8 * 2 || at == TABLE(TABLES + 1) + 8 * 2)
        return; /* where the code is */
    sim->harts[id].x[14] = at;
    sim->harts[id].x[15] = some_entry();
    if (draw(3) == 0)
        execute(id, insn_i(0x2f, 3, 0, 14, 0x80 | 15)); /* amoswap.d */
    else if (draw(3) == 0)
        memcpy(sim->env.ram(sim->env.ctx, at, 8, true), &sim->harts[id].x[15], 8);
    else
        execute(id, SD(15, 14, 0));
    assert_int_equal(peek(at), sim->harts[id].x[15]);
    if (guest.keep)
        fence_all();
}

static void change_rules(unsigned id) {
    struct hart *hart = &sim->harts[id];
    hart->x[12] = draw(2) ? MSTATUS_SUM : MSTATUS_MXR;
    execute(id, insn_i(0x73, 2 + (unsigned)draw(2), 0, 12, CSR_SSTATUS));
}

static void change_satp(unsigned id) {
    uint64_t root = draw(ROOTS), asid = guest.keep ? root : 0;
    sim->harts[id].x[12] = 8ull << 60 | asid << 44 | TABLE(TABLES + root) >> 12;
    execute(id, CSRW(0x180, 12));
}

static unsigned granted_count, refused_count;
static void access_memory(unsigned id) {
    struct hart *hart = &sim->harts[id];
    uint64_t va = some_va(), pa = 0, value = draw(1000);
    bool store = draw(2);
    uint64_t before[512 * (TABLES + ROOTS)];
    memcpy(before, sim->ram + (TABLE(0) - RAM_BASE), sizeof(before));
    bool granted = walk(hart, va, store ? ACCESS_STORE : ACCESS_LOAD, &pa);
    uint64_t after[512 * (TABLES + ROOTS)];
    memcpy(after, sim->ram + (TABLE(0) - RAM_BASE), sizeof(after));
    memcpy(sim->ram + (TABLE(0) - RAM_BASE), before, sizeof(before));
    hart->x[10] = va;
    hart->x[11] = value;
    execute(id, store ? SD(11, 10, 8) : LD(11, 10, 0));
    granted_count += granted;
    refused_count += !granted;
    assert_int_equal(hart->scause, granted ? 0 : store ? CAUSE_STORE_PAGE : CAUSE_LOAD_PAGE);
    assert_memory_equal(sim->ram + (TABLE(0) - RAM_BASE), after, sizeof(after));
    if (granted && store)
        assert_int_equal(peek(pa + 8), value);
    else if (granted)
        assert_int_equal(hart->x[11], pa);
}

static void fetch(unsigned id) {
    struct hart *hart = &sim->harts[id];
    uint64_t va = some_va(), pa = 0;
    bool granted = walk(hart, va, ACCESS_FETCH, &pa);
    for (unsigned i = 0; i < HARTS; i++)
        sim->harts[i].waiting = i != id;
    hart->x[10] = HANDLER_AT;
    hart->x[5] = 0;
    hart->scause = 0;
    hart->pc = granted || !guest.svadu ? va + 16 : HANDLER_AT;
    if (hart->pc == HANDLER_AT)
        return;
    sim_run(sim, 2);
    assert_int_equal(hart->scause, granted ? 0 : CAUSE_FETCH_PAGE);
    if (granted)
        assert_int_equal(hart->x[5], (pa - PAGE(0)) >> 12 & 511);
}

static void start(void) {
    guest.harts = HARTS;
    guest_start();
    PUT(HANDLER_AT, HERE);
    for (unsigned i = 0; i < 512; i++) { /* all of a large page */
        poke(PAGE(i), PAGE(i));
        PUT(PAGE(i) + 16, ADDI(5, 5, (int)i), JR(10));
    }
    for (unsigned i = 0; i < TABLES; i++)
        for (unsigned n = 0; n < 12; n++)
            poke(TABLE(i) + 8 * slot(), some_entry());
    for (unsigned i = 0; i < ROOTS; i++) {
        poke(TABLE(TABLES + i) + 8, TABLE(i) >> 2 | V);
        poke(TABLE(TABLES + i) + 8 * 510, TABLE(draw(TABLES)) >> 2 | V);
        poke(TABLE(TABLES + i) + 8 * 2, RAM_BASE >> 2 | V | R | W | X | A | D);
    }
    for (unsigned i = 0; i < HARTS; i++) {
        sim->harts[i].stvec = HANDLER_AT;
        sim->harts[i].satp = 8ull << 60 | TABLE(TABLES) >> 12;
    }
}

static void test_random_tables(void **unused) {
    for (unsigned n = 0; n < GUESTS; n++) {
        state = n * 7919 + 1;
        guest.seed = n + 1;
        guest.keep = n % 2;
        guest.svadu = n % 4 / 2;
        start();
        for (unsigned step = 0; step < STEPS; step++) {
            unsigned id = (unsigned)draw(HARTS);
            switch (draw(16)) {
            case 0:
            case 1: change_entry(id); break;
            case 2: change_rules(id); break;
            case 3: change_satp(id); break;
            case 4: fetch(id); break;
            default: access_memory(id);
            }
        }
        assert_int_equal(sim_findings(sim), 0);
        guest_end(NULL);
    }
    assert_true(granted_count > GUESTS * STEPS / 10 && refused_count > GUESTS * STEPS / 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {GUEST_TEST(test_random_tables)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
