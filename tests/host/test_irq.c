/* The interrupt controller: which context is whose, who is routed where, and
 * that each claim is completed once, against a simulated PLIC. */
/* sources: kernel/dev/fdt.c kernel/dev/bootargs.c kernel/lib/string.c kernel/lib/printf.c */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/devstub.c tests/host/fdtbuild.c tests/host/hostarch.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr snprintf vsnprintf */
#include "dev/plic.c" /* itself, so that each test starts with a fresh driver */

#include "devstub.h"
#include "fdtbuild.h"
#include "hostarch.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "between.h"

#define SIM 0xc000000UL
#define SOURCES 95
#define CONTEXTS 5

static struct plicsim {
    uint32_t priority[SOURCES + 1];
    uint32_t enable[CONTEXTS][32];
    uint32_t threshold[CONTEXTS];
    bool pending[SOURCES + 1];
    uint32_t claimed_by[SOURCES + 1]; /* context + 1 */
    unsigned completions;
} sims[2], *now = sims; /* the machine's; the one that is accessed */
#define sim (*now)

static uint32_t sim_claim(uint32_t context) {
    for (uint32_t irq = 1; irq <= SOURCES; irq++)
        if (sim.pending[irq] && !sim.claimed_by[irq] &&
            sim.enable[context][irq / 32] >> irq % 32 & 1 &&
            sim.priority[irq] > sim.threshold[context]) {
            sim.pending[irq] = false;
            sim.claimed_by[irq] = context + 1;
            return irq;
        }
    return 0;
}

static uint32_t sim_read(uint64_t offset, unsigned bytes) {
    if (offset >= 0x200000)
        return offset % 0x1000 == 4 ? sim_claim((uint32_t)(offset - 0x200000) / 0x1000) : 0;
    assert_between(offset, 0x2000, 0x2000 + 0x80 * CONTEXTS - 4);
    return sim.enable[(offset - 0x2000) / 0x80][offset % 0x80 / 4];
}

static void sim_write(uint64_t offset, uint32_t v, unsigned bytes) {
    if (offset < 0x1000) {
        assert_between(offset / 4, 1, SOURCES);
        sim.priority[offset / 4] = v;
    } else if (offset < 0x200000) {
        assert_between(offset, 0x2000, 0x2000 + 0x80 * CONTEXTS - 4);
        sim.enable[(offset - 0x2000) / 0x80][offset % 0x80 / 4] = v;
    } else {
        uint32_t context = (uint32_t)(offset - 0x200000) / 0x1000;
        assert_true(context < CONTEXTS);
        if (offset % 0x1000 == 0) {
            sim.threshold[context] = v;
        } else {
            assert_between(v, 1, SOURCES);
            assert_int_equal(sim.claimed_by[v], context + 1); /* completed by who claimed it */
            sim.claimed_by[v] = 0;
            sim.completions++;
        }
    }
}

static uint32_t second_read(uint64_t offset, unsigned bytes) {
    now = &sims[1];
    uint32_t v = sim_read(offset, bytes);
    now = sims;
    return v;
}

static void second_write(uint64_t offset, uint32_t v, unsigned bytes) {
    now = &sims[1];
    sim_write(offset, v, bytes);
    now = sims;
}

static void (*polled)(void);
void clock_poll(void (*fn)(void)) { polled = fn; }

static void forget_controllers(void) {
    memset(plics, 0, sizeof plics);
    plic_count = handler_count = 0;
    polled = NULL;
}

static void begin_cpus(void) {
    fdtb_begin("cpus");
    fdtb_cells("#address-cells", 1, 1u);
    fdtb_cells("#size-cells", 1, 0u);
}

static void add_cpu(const char *name, uint32_t hartid, uint32_t phandle) {
    fdtb_begin(name);
    fdtb_cells("reg", 1, hartid);
    fdtb_begin("l2-cache");
    fdtb_end();
    fdtb_begin("interrupt-controller");
    fdtb_cells("phandle", 1, phandle);
    fdtb_prop("interrupt-controller", "", 0);
    fdtb_end();
    fdtb_end();
}

/* Hart 4 has machine mode only; harts 2 and 3 are ours, in the order 3, 2. Contexts:
 * 0 M of 4, 1 M of 2, 2 S of 2, 3 M of 3, 4 S of 3. */
static int setup(void **state) {
    memset(sims, 0, sizeof sims);
    for (unsigned i = 0; i < ARRAY_LEN(sims); i++) /* left by the firmware */
        memset(sims[i].enable, 0xff, sizeof sims[i].enable);
    forget_controllers();
    stub_reset();
    stub_add_device(&(struct stub_device){SIM, 0x210000, sim_read, sim_write});
    fdtb_begin_machine(1);
    begin_cpus();
    add_cpu("cpu@4", 4, 40);
    add_cpu("cpu@2", 2, 20);
    add_cpu("cpu@3", 3, 30);
    fdtb_end();
    fdtb_begin("plic@c000000");
    fdtb_string("compatible", "riscv,plic0");
    fdtb_cells("reg", 2, (uint32_t)SIM, 0x210000u);
    fdtb_cells("riscv,ndev", 1, (uint32_t)SOURCES);
    fdtb_cells("interrupts-extended", 10, 40u, 11u, 20u, 11u, 20u, 9u, 30u, 11u, 30u, 9u);
    fdtb_end();
    fdtb_begin("device");
    fdtb_cells("interrupts", 1, 33u);
    fdtb_end();
    fdtb_begin("silent");
    fdtb_end();
    fdtb_begin("wrong");
    fdtb_cells("interrupts", 1, (uint32_t)SOURCES + 1);
    fdtb_end();
    fdtb_end_machine();
    harts[0].hartid = 3;
    harts[1].hartid = 2;
    hart_count = 2;
    host_hart_be(0);
    irq_init();
    return polled ? -1 : 0;
}

static unsigned calls[SOURCES + 1];
static void count(void *ctx) { calls[(uintptr_t)ctx]++; }

static void finds_each_harts_context(void **state) {
    assert_int_equal(plics[0].context[0], 4);
    assert_int_equal(plics[0].context[1], 2);
    for (uint32_t i = 2; i < NHART; i++)
        assert_int_equal(plics[0].context[i], NO_CONTEXT);
}

static void routes_to_all_harts(void **state) {
    irq_register(10, count, (void *)10);
    irq_init_hart();
    irq_register(33, count, (void *)33); /* before and after a hart has come */
    host_hart_be(1);
    irq_init_hart();
    static const uint32_t ours[] = {2, 4};
    for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
        assert_int_equal(sim.enable[ours[i]][0], 1u << 10);
        assert_int_equal(sim.enable[ours[i]][1], 1u << 1);
        assert_int_equal(sim.enable[ours[i]][2], 0);
    }
    assert_int_equal(sim.enable[0][0], UINT32_MAX); /* not ours to touch */
    assert_int_equal(sim.enable[3][0], UINT32_MAX);
}

static void serves_all_that_is_pending(void **state) {
    memset(calls, 0, sizeof calls);
    irq_register(1, count, (void *)1);
    irq_register(SOURCES, count, (void *)SOURCES);
    irq_serve(); /* before this hart takes part: nothing */
    irq_init_hart();
    irq_serve();
    assert_int_equal(calls[1] + calls[SOURCES], 0);
    for (int round = 0; round < 10; round++) {
        sim.pending[1] = sim.pending[SOURCES] = true;
        irq_serve();
    }
    assert_int_equal(calls[1], 10);
    assert_int_equal(calls[SOURCES], 10);
    assert_int_equal(sim.completions, 20);
}

static void reads_the_devices_interrupt(void **state) {
    uint32_t irq = 0;
    assert_int_equal(irq_of_node(fdt_path("/device"), &irq), 0);
    assert_int_equal(irq, 33);
    assert_int_equal(irq_of_node(fdt_path("/silent"), &irq), -K_ENOENT);
    assert_int_equal(irq_of_node(fdt_path("/wrong"), &irq), -K_ENOENT);
}

static void a_hart_without_a_context_is_told(void **state) {
    harts[1].hartid = 4; /* has machine mode only */
    forget_controllers();
    irq_init();
    host_hart_be(1);
    irq_init_hart();
    assert_non_null(strstr(stub_log, "hart 1"));
    irq_serve();
}

/* A node of a controller with two contexts, machine and supervisor mode of one hart. */
static void add_plic_node(const char *name, uint64_t start, uint32_t phandle, uint32_t hart) {
    fdtb_begin(name);
    fdtb_string("compatible", "sifive,plic-1.0.0");
    fdtb_cells("reg", 2, (uint32_t)start, 0x210000u);
    fdtb_cells("phandle", 1, phandle);
    fdtb_cells("riscv,ndev", 1, (uint32_t)SOURCES);
    fdtb_cells("interrupts-extended", 4, hart, 11u, hart, 9u);
    fdtb_end();
}

static void add_device(const char *name, uint32_t parent, uint32_t irq) {
    fdtb_begin(name);
    if (parent)
        fdtb_cells("interrupt-parent", 1, parent);
    fdtb_cells("interrupts", 1, irq);
    fdtb_end();
}

/* Sockets: hart 3 (index 0) is at the first controller, hart 2 (index 1) at the second, and
 * hart 4, which is not ours, at the third. */
static void two_sockets(void) {
    forget_controllers();
    stub_add_device(&(struct stub_device){2 * SIM, 0x210000, second_read, second_write});
    fdtb_begin_machine(1);
    begin_cpus();
    add_cpu("cpu@2", 2, 20);
    add_cpu("cpu@3", 3, 30);
    add_cpu("cpu@4", 4, 40);
    fdtb_end();
    add_plic_node("plic@c000000", SIM, 1, 30);
    add_plic_node("plic@18000000", 2 * SIM, 2, 20);
    add_plic_node("plic@24000000", 3 * SIM, 3, 40);
    fdtb_begin("soc");
    fdtb_cells("interrupt-parent", 1, 2u);
    add_device("own", 1, 10);
    add_device("inherits", 0, 10);
    add_device("far", 3, 10);
    add_device("lost", 4, 10);
    fdtb_end();
    add_device("nobody", 0, 10);
    fdtb_end_machine();
    irq_init();
}

static void each_device_has_its_controller(void **state) {
    two_sockets();
    uint32_t first, second, none;
    assert_int_equal(irq_of_node(fdt_path("/soc/own"), &first), 0);
    assert_int_equal(irq_of_node(fdt_path("/soc/inherits"), &second), 0);
    assert_int_equal(irq_of_node(fdt_path("/soc/far"), &none), -K_ENOENT); /* no hart of ours */
    assert_int_equal(irq_of_node(fdt_path("/soc/lost"), &none), -K_ENOENT);
    assert_int_equal(irq_of_node(fdt_path("/nobody"), &none), -K_ENOENT);
    memset(calls, 0, sizeof calls);
    irq_register(first, count, (void *)1);
    irq_register(second, count, (void *)2);
    for (uint32_t hart = 0; hart < 2; hart++) {
        host_hart_be(hart);
        irq_init_hart();
        assert_int_equal(sims[hart].enable[1][0], 1u << 10);
    }
    assert_string_equal(stub_log, "");
    sims[0].pending[10] = sims[1].pending[10] = true;
    irq_serve();
    assert_true(calls[1] == 0 && calls[2] == 1);
    host_hart_be(0);
    irq_serve();
    assert_true(calls[1] == 1 && calls[2] == 1);
    sims[0].pending[10] = sims[1].pending[10] = true; /* of which no hart is told */
    polled();
    assert_true(calls[1] == 2 && calls[2] == 2);
    assert_int_equal(sims[0].completions + sims[1].completions, 4);
}

static void an_aplic_is_named(void **state) {
    forget_controllers();
    fdtb_begin_machine(1);
    fdtb_begin("aplic");
    fdtb_string("compatible", "riscv,aplic");
    fdtb_end();
    fdtb_end_machine();
    irq_init();
    assert_non_null(strstr(stub_log, "aia=none"));
}

static void does_without_a_controller(void **state) {
    forget_controllers();
    fdtb_begin_machine(1);
    fdtb_begin("device");
    fdtb_cells("interrupts", 1, 33u);
    fdtb_end();
    fdtb_end_machine();
    uint32_t irq;
    irq_init();
    assert_non_null(strstr(stub_log, "no PLIC"));
    assert_int_equal(irq_of_node(fdt_path("/device"), &irq), -K_ENOENT);
    irq_init_hart();
    irq_serve();
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup(name, setup)
        T(finds_each_harts_context),
        T(routes_to_all_harts),
        T(serves_all_that_is_pending),
        T(reads_the_devices_interrupt),
        T(a_hart_without_a_context_is_told),
        T(each_device_has_its_controller),
        T(an_aplic_is_named),
        T(does_without_a_controller),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
