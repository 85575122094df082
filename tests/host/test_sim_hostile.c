/* Guests that do anything: random bytes as a kernel and as a disk, in both modes, with every rule
 * on and off. The machine goes on or ends in order; the sanitizers watch that it reads and writes
 * its own memory alone. */
/* sources: machine */
#include "machine/sim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

enum { MACHINES = 80, INSTRUCTIONS = 60000, CODE = 64 << 10, DISK = 64 << 10 };

static uint64_t state = 1;

static uint64_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static uint32_t itype(unsigned opcode, unsigned funct3, unsigned rd, unsigned rs1, unsigned imm) {
    return opcode | rd << 7 | funct3 << 12 | rs1 << 15 | imm << 20;
}

/* Words that do more than trap: addresses of devices and of memory into registers, stores and
 * loads there, control registers, fences, returns, calls of the firmware. */
static uint32_t lively(void) {
    static const uint32_t bases[] = {0x00100, 0x00101, 0x02000, 0x0c000, 0x0c200, 0x10000,
                                     0x10001, 0x10002, 0x80000, 0x80001, 0x80200, 0x81fff};
    static const uint32_t whole[] = {0x00000073, 0x00100073, 0x10200073, 0x30200073,
                                     0x10500073, 0x12000073, 0x0000100f, 0x0000006f};
    static const uint16_t csrs[] = {0x100, 0x104, 0x105, 0x141, 0x144, 0x180, 0x300, 0x302,
                                    0x303, 0x304, 0x305, 0x341, 0x344, 0x3a0, 0x3b0, 0x3b1};
    unsigned r = (unsigned)draw() & 31, s = (unsigned)draw() & 31, imm = (unsigned)draw() & 0xfff;
    switch (draw() % 8) {
    case 0: return 0x37 | r << 7 | bases[draw() % 12] << 12; /* LUI */
    case 1: return itype(0x03, (unsigned)draw() % 7, r, s, imm & 0x7f8);
    case 2: return itype(0x23, (unsigned)draw() % 4, r & 24, s, imm & 0xfe0);
    case 3: return itype(0x73, 1 + (unsigned)draw() % 3, r, s, csrs[draw() % 16]);
    case 4: return whole[draw() % 8];
    case 5: return itype(0x2f, 2 + (unsigned)draw() % 2, r, s, imm);
    case 6: return itype(0x13, 0, r, s, imm);
    default: return (uint32_t)draw();
    }
}

static uint64_t printed;
static void console(void *context, uint8_t byte) { printed += byte; }
static void finding(void *context, const struct sim_finding *f) {
    assert_true(strlen(f->text) > 20);
}

/* Both return how many instructions were executed. */
static uint64_t run(struct sim_options *options) {
    char error[256] = "";
    struct sim *sim = sim_create(options, error, sizeof(error));
    assert_non_null(sim);
    struct sim_end end = {.how = SIM_RUNS};
    for (int i = 0; i < 50 && (end.how == SIM_RUNS || end.how == SIM_WAITS); i++) {
        end = sim_run(sim, INSTRUCTIONS / 50);
        if (end.how == SIM_WAITS && end.next_ns != UINT64_MAX)
            sim_skip(sim, end.next_ns);
        uint8_t keys[3] = {(uint8_t)draw(), 4, 'x'};
        sim_input(sim, keys, sizeof(keys));
    }
    uint64_t executed = sim_instructions(sim);
    sim_destroy(sim);
    return executed;
}

static void test_random_kernels(void **unused) {
    static uint8_t disk[DISK];
    static uint32_t code[CODE / 4];
    uint64_t executed = 0;
    for (int n = 0; n < MACHINES; n++) {
        for (unsigned i = 0; i < CODE / 4; i++)
            code[i] = lively();
        for (unsigned i = 0; i < DISK; i++)
            disk[i] = (uint8_t)draw();
        struct sim_options options = sim_defaults();
        options.harts = 1 + (unsigned)draw() % SIM_HARTS_MAX;
        options.ram_bytes = 32 << 20;
        options.seed = draw();
        options.machine_mode = n % 2;
        options.sstc = draw() & 1;
        options.svadu = draw() & 1;
        options.misaligned = draw() & 1;
        options.keep = draw() & 1;
        options.stale_code = draw() & 1;
        options.legacy_disk = draw() & 1;
        options.kernel = (struct sim_image){(uint8_t *)code, sizeof(code), "random"};
        options.disks[0] = (struct sim_image){disk, sizeof(disk), "disk"};
        options.console = console;
        options.finding = finding;
        struct sim_options same = options;
        uint64_t before = state, first = run(&options);
        state = before;
        assert_int_equal(run(&same), first); /* and the same again */
        executed += first;
    }
    assert_true(executed > MACHINES * INSTRUCTIONS / 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random_kernels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
