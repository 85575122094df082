/* A run of the machine does not depend on how it is divided into calls of sim_run; and what
 * sim.h shows of the inside. */
/* sources: machine */
#include "machine/sim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

enum { HARTS = 2, ROUNDS = 300, DATA = 0x1004, ASKED = 1000000 };
#define BASE 0x80000000ull

/* Each hart counts by LR and SC, and makes itself known in a number that depends on the order. */
static const uint32_t program[] = {
    0xf1402473, /*    csrr s0, mhartid */
    0x00001497, /*    auipc s1, 1 */
    0x12c00913, /*    li s2, ROUNDS */
    0x1004a2af, /* 1: lr.w t0, (s1) */
    0x00128293, /*    addi t0, t0, 1 */
    0x1854a32f, /*    sc.w t1, t0, (s1) */
    0xfe031ae3, /*    bnez t1, 1b */
    0x0084a383, /*    lw t2, 8(s1) */
    0x00539e13, /*    slli t3, t2, 5 */
    0x407e03b3, /*    sub t2, t3, t2 */
    0x008383b3, /*    add t2, t2, s0 */
    0x0074a423, /*    sw t2, 8(s1) */
    0xfff90913, /*    addi s2, s2, -1 */
    0xfc091ce3, /*    bnez s2, 1b */
    0x00100293, /*    li t0, 1 */
    0x01048313, /*    addi t1, s1, 16 */
    0x005322af, /*    amoadd.w t0, t0, (t1) */
    0x0104a283, /* 2: lw t0, 16(s1) */
    0x00200313, /*    li t1, HARTS */
    0xfe629ce3, /*    bne t0, t1, 2b */
    0x00041a63, /*    bnez s0, 3f */
    0x001002b7, /*    li t0, the finisher */
    0x00005337, /*    li t1, that all is well */
    0x5553031b, /*      " */
    0x0062a023, /*    sw t1, (t0) */
    0x10500073, /* 3: wfi */
    0xffdff06f, /*    j 3b */
};

struct outcome {
    uint64_t instructions, nanoseconds;
    uint64_t registers[HARTS][SIM_REGISTERS];
    uint32_t data[5]; /* the count, its neighbour, the order, and how many are done */
    int how;
};

static struct sim *create(uint64_t seed) {
    struct sim_options options = sim_defaults();
    char error[200];
    options.harts = HARTS;
    options.seed = seed;
    options.machine_mode = true;
    options.ram_bytes = 32u << 20;
    options.kernel = (struct sim_image){(const uint8_t *)program, sizeof(program), "program"};
    struct sim *sim = sim_create(&options, error, sizeof(error));
    assert_non_null(sim);
    return sim;
}

/* Runs it to its end, so many instructions at a time. */
static struct outcome run(uint64_t seed, uint64_t piece) {
    struct sim *sim = create(seed);
    struct outcome o;
    struct sim_end end = {.how = SIM_RUNS};
    memset(&o, 0, sizeof(o));
    while (end.how == SIM_RUNS && sim_instructions(sim) < ASKED) {
        uint64_t before = sim_instructions(sim);
        end = sim_run(sim, piece);
        assert_true(sim_instructions(sim) - before <= piece);
    }
    o.how = (int)end.how;
    o.instructions = sim_instructions(sim);
    o.nanoseconds = sim_nanoseconds(sim);
    for (unsigned hart = 0; hart < HARTS; hart++)
        for (unsigned i = 0; i < SIM_REGISTERS; i++)
            o.registers[hart][i] = sim_register(sim, hart, i);
    assert_true(sim_memory(sim, BASE + DATA, o.data, sizeof(o.data)));
    sim_destroy(sim);
    return o;
}

static void pieces(void **state) {
    bool differs = false;
    struct outcome first = run(1, ASKED);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct outcome whole = run(seed, ASKED);
        assert_int_equal(whole.how, SIM_POWERED_OFF);
        assert_int_equal(whole.data[0], HARTS * ROUNDS);
        differs |= whole.data[2] != first.data[2];
        for (uint64_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
            struct outcome divided = run(seed, piece);
            assert_memory_equal(&divided, &whole, sizeof(whole));
        }
    }
    assert_true(differs); /* the order depends on the seed, so it was looked at */
}

static void inside(void **state) {
    struct sim *sim = create(1);
    char text[40];
    uint32_t word = 7;
    assert_int_equal(sim_register(sim, 1, SIM_PC), BASE);
    assert_int_equal(sim_register(sim, 1, SIM_PRIVILEGE), 3);
    assert_int_equal(sim_register(sim, 1, SIM_STATE), 1);
    assert_int_equal(sim_register(sim, 1, 10), 1); /* a0: its number */
    assert_int_equal(sim_register(sim, HARTS, SIM_PC), 0);
    assert_int_equal(sim_register(sim, 0, SIM_REGISTERS), 0);
    sim_run(sim, 1);
    assert_int_equal(sim_register(sim, sim_last_hart(sim), SIM_PC), BASE + 4);
    assert_true(sim_memory(sim, BASE + 4, &word, 4));
    assert_int_equal(word, program[1]);
    assert_false(sim_memory(sim, BASE - 1, &word, 4));
    assert_false(sim_memory(sim, BASE + (32u << 20) - 3, &word, 4));
    assert_false(sim_memory(sim, UINT64_MAX, &word, 4));
    assert_int_equal(word, program[1]);
    sim_place(sim, BASE + 4, text, sizeof(text)); /* it has no symbols */
    assert_string_equal(text, "0x80000004");
    sim_destroy(sim);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces),
        cmocka_unit_test(inside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
