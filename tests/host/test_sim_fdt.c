/* The simulated machine's device tree, as the kernel's own reader sees it; what QEMU makes is
 * compared in test_sim_fdt.py. */
/* sources: machine/image/fdt.c machine/image/treewrite.c kernel/dev/fdt.c kernel/dev/isa.c */
/* sources: kernel/lib/string.c tests/host/hostarch.c */
/* rename: memset memcpy memmove memcmp strlen strnlen strcmp strncmp strchr */
#include "dev/fdt.h"
#include "dev/isa.h"
#include "machine/image/fdt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static uint8_t *blob;

static struct fdt_machine some_machine(void) {
    return (struct fdt_machine){.harts = 3,
                                .ram_base = 0x80000000,
                                .ram_bytes = 128 << 20,
                                .isa = "rv64imafdc_zicntr_zicsr_zifencei_sstc",
                                .levels = 4,
                                .bootargs = "design=walk panic=exit",
                                .initrd_start = 0x84000000,
                                .initrd_end = 0x84123456,
                                .seed = 1};
}

/* Makes the tree the kernel's, in an allocation of exactly the size that it needs. */
static int64_t take(const struct fdt_machine *machine) {
    static uint8_t large[16384];
    int64_t size = fdt_build(machine, large, sizeof(large));
    assert_true(size > 0 && size % 8 == 0);
    free(blob);
    blob = malloc((size_t)size);
    assert_non_null(blob);
    assert_int_equal(fdt_build(machine, blob, (size_t)size), size);
    assert_memory_equal(blob, large, (size_t)size);
    assert_int_equal(fdt_init(blob, (size_t)size), 0);
    assert_int_equal(fdt_size(), size);
    return size;
}

static int teardown(void **state) {
    free(blob);
    blob = NULL;
    return 0;
}

static fdt_node at(const char *path) {
    fdt_node node = fdt_path(path);
    assert_int_not_equal(node, FDT_NONE);
    return node;
}

static void has_string(const char *path, const char *name, const char *value) {
    const char *found = fdt_string(at(path), name);
    assert_non_null(found);
    assert_string_equal(found, value);
}

static void has_bytes(fdt_node node, const char *name, const char *bytes, uint32_t count) {
    uint32_t length;
    const void *found = fdt_prop(node, name, &length);
    assert_non_null(found);
    assert_int_equal(length, count);
    assert_memory_equal(found, bytes, count);
}

static uint32_t cell(fdt_node node, const char *name, uint32_t i) {
    uint32_t value;
    assert_int_equal(fdt_cell(node, name, i, &value), 0);
    return value;
}

static void has_cells(fdt_node node, const char *name, uint32_t count) {
    uint32_t length;
    assert_non_null(fdt_prop(node, name, &length));
    assert_int_equal(length, 4 * count);
}

static void has_reg(fdt_node node, uint64_t start, uint64_t size) {
    struct fdt_reg reg;
    assert_int_equal(fdt_reg(node, 0, &reg), 0);
    assert_int_equal(reg.start, start);
    assert_int_equal(reg.size, size);
    assert_int_not_equal(fdt_reg(node, 1, &reg), 0);
}

static fdt_node only_compatible(const char *name) {
    fdt_node node = fdt_next_compatible(FDT_NONE, name);
    assert_int_not_equal(node, FDT_NONE);
    assert_int_equal(fdt_next_compatible(node, name), FDT_NONE);
    return node;
}

static void test_the_board(void **state) {
    struct fdt_machine machine = some_machine();
    machine.ram_bytes = 5ull << 30;
    take(&machine);
    has_string("/", "compatible", "riscv-virtio");
    assert_int_equal(cell(at("/"), "#address-cells", 0), 2);
    assert_int_equal(cell(at("/"), "#size-cells", 0), 2);
    struct fdt_reg none;
    assert_int_not_equal(fdt_reservation(0, &none), 0);
    has_string("/memory@80000000", "device_type", "memory");
    has_reg(at("/memory@80000000"), 0x80000000, 5ull << 30);
}

static void test_chosen(void **state) {
    struct fdt_machine machine = some_machine();
    take(&machine);
    uint64_t start, end;
    uint32_t length;
    has_string("/chosen", "bootargs", "design=walk panic=exit");
    has_string("/chosen", "stdout-path", "/soc/serial@10000000");
    assert_int_not_equal(fdt_path("/soc/serial@10000000"), FDT_NONE);
    assert_int_equal(fdt_number(at("/chosen"), "linux,initrd-start", &start), 0);
    assert_int_equal(fdt_number(at("/chosen"), "linux,initrd-end", &end), 0);
    assert_int_equal(start, 0x84000000);
    assert_int_equal(end, 0x84123456);

    machine.bootargs = NULL;
    machine.initrd_end = machine.initrd_start;
    take(&machine);
    assert_null(fdt_prop(at("/chosen"), "bootargs", &length));
    assert_null(fdt_prop(at("/chosen"), "linux,initrd-start", &length));
    assert_null(fdt_prop(at("/chosen"), "linux,initrd-end", &length));
    machine.bootargs = "";
    take(&machine);
    has_string("/chosen", "bootargs", "");
}

static void test_seed(void **state) {
    struct fdt_machine machine = some_machine();
    uint8_t seeds[3][32];
    for (unsigned i = 0; i < 3; i++) {
        uint32_t length;
        machine.seed = i % 2;
        take(&machine);
        const void *seed = fdt_prop(at("/chosen"), "rng-seed", &length);
        assert_non_null(seed);
        assert_int_equal(length, 32);
        memcpy(seeds[i], seed, 32);
        for (unsigned word = 8; word < 32; word += 8)
            assert_memory_not_equal(seeds[i], seeds[i] + word, 8);
    }
    assert_memory_equal(seeds[0], seeds[2], 32);
    for (unsigned word = 0; word < 32; word += 8)
        assert_memory_not_equal(seeds[0] + word, seeds[1] + word, 8);
}

static void test_harts(void **state) {
    static const char *const mmu[] = {"riscv,sv39", "riscv,sv48", "riscv,sv57"};
    struct fdt_machine machine = some_machine();
    for (machine.harts = 1; machine.harts <= FDT_HARTS_MAX; machine.harts++) {
        machine.levels = 3 + machine.harts % 3;
        take(&machine);
        assert_int_equal(cell(at("/cpus"), "timebase-frequency", 0), 10000000);
        unsigned harts = 0;
        for (fdt_node cpu = fdt_child(at("/cpus")); cpu != FDT_NONE; cpu = fdt_sibling(cpu)) {
            if (cpu == at("/cpus/cpu-map"))
                continue;
            char core[] = "/cpus/cpu-map/cluster0/core0";
            core[strlen(core) - 1] = (char)('0' + harts);
            assert_int_equal(cell(at(core), "cpu", 0), cell(cpu, "phandle", 0));
            assert_int_equal(cell(cpu, "reg", 0), harts++);
            assert_string_equal(fdt_string(cpu, "device_type"), "cpu");
            assert_string_equal(fdt_string(cpu, "status"), "okay");
            assert_string_equal(fdt_string(cpu, "riscv,isa"), machine.isa);
            assert_string_equal(fdt_string(cpu, "mmu-type"), mmu[machine.levels - 3]);
            assert_true(isa_has(cpu, "d") && isa_has(cpu, "sstc") && !isa_has(cpu, "h"));
        }
        assert_int_equal(harts, machine.harts);
    }
}

/* That every hart's interrupt controller is there, and this one's wires lead to it. */
static void has_wires(fdt_node node, unsigned harts, uint32_t first, uint32_t second) {
    has_cells(node, "interrupts-extended", 4 * harts);
    fdt_node intc = FDT_NONE;
    for (unsigned hart = 0; hart < harts; hart++) {
        intc = fdt_next_compatible(intc, "riscv,cpu-intc");
        assert_int_not_equal(intc, FDT_NONE);
        assert_int_equal(cell(fdt_parent(intc), "reg", 0), hart);
        uint32_t handle = cell(intc, "phandle", 0);
        assert_int_equal(cell(node, "interrupts-extended", 4 * hart), handle);
        assert_int_equal(cell(node, "interrupts-extended", 4 * hart + 1), first);
        assert_int_equal(cell(node, "interrupts-extended", 4 * hart + 2), handle);
        assert_int_equal(cell(node, "interrupts-extended", 4 * hart + 3), second);
    }
    assert_int_equal(fdt_next_compatible(intc, "riscv,cpu-intc"), FDT_NONE);
}

static void test_interrupt_controllers(void **state) {
    struct fdt_machine machine = some_machine();
    for (machine.harts = 1; machine.harts <= FDT_HARTS_MAX; machine.harts++) {
        take(&machine);
        fdt_node plic = only_compatible("riscv,plic0"), clint = only_compatible("riscv,clint0");
        assert_int_equal(plic, only_compatible("sifive,plic-1.0.0"));
        assert_int_equal(clint, only_compatible("sifive,clint0"));
        has_reg(plic, 0xc000000, 0x600000);
        has_reg(clint, 0x2000000, 0x10000);
        assert_int_equal(cell(plic, "riscv,ndev", 0), 95);
        has_wires(plic, machine.harts, 11, 9);
        has_wires(clint, machine.harts, 3, 7);
    }
}

static void has_irq(fdt_node node, uint32_t irq) {
    assert_int_equal(cell(node, "interrupts", 0), irq);
    assert_int_equal(cell(node, "interrupt-parent", 0),
                     cell(only_compatible("riscv,plic0"), "phandle", 0));
}

static void test_devices(void **state) {
    struct fdt_machine machine = some_machine();
    take(&machine);
    fdt_node uart = only_compatible("ns16550a"), rtc = only_compatible("google,goldfish-rtc");
    has_reg(uart, 0x10000000, 0x100);
    has_irq(uart, 10);
    assert_int_equal(cell(uart, "clock-frequency", 0), 3686400);
    has_reg(rtc, 0x101000, 0x1000);
    has_irq(rtc, 11);
    unsigned slots = 0;
    for (fdt_node node = FDT_NONE; (node = fdt_next_compatible(node, "virtio,mmio")) != FDT_NONE;
         slots++) {
        has_reg(node, 0x10001000 + 0x1000 * slots, 0x1000);
        has_irq(node, 1 + slots);
    }
    assert_int_equal(slots, 8);
}

static void test_the_end_of_the_machine(void **state) {
    struct fdt_machine machine = some_machine();
    take(&machine);
    fdt_node test = only_compatible("sifive,test0");
    has_bytes(test, "compatible", "sifive,test1\0sifive,test0\0syscon", 33);
    has_reg(test, 0x100000, 0x1000);
    static const struct {
        const char *name;
        uint32_t value;
    } ends[] = {{"syscon-poweroff", 0x5555}, {"syscon-reboot", 0x7777}};
    for (unsigned i = 0; i < 2; i++) {
        fdt_node node = only_compatible(ends[i].name);
        assert_int_equal(cell(node, "regmap", 0), cell(test, "phandle", 0));
        assert_int_equal(cell(node, "offset", 0), 0);
        assert_int_equal(cell(node, "value", 0), ends[i].value);
    }
}

/* Any room is either enough or refused, and nothing behind it is touched. */
static void test_small_rooms(void **state) {
    struct fdt_machine machine = some_machine();
    machine.harts = FDT_HARTS_MAX;
    size_t size = (size_t)take(&machine);
    assert_true(size < 8192 + strlen(machine.bootargs) + FDT_HARTS_MAX * strlen(machine.isa));
    for (size_t room = 0; room < size; room++) {
        uint8_t *small = malloc(room ? room : 1);
        assert_non_null(small);
        assert_int_equal(fdt_build(&machine, small, room), -1);
        free(small);
    }
    for (size_t room = size; room < size + 20; room++) {
        uint8_t *enough = malloc(room);
        assert_non_null(enough);
        memset(enough, 0xff, room);
        assert_int_equal(fdt_build(&machine, enough, room), size);
        assert_memory_equal(enough, blob, size);
        free(enough);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_board),
                                       cmocka_unit_test(test_chosen),
                                       cmocka_unit_test(test_seed),
                                       cmocka_unit_test(test_harts),
                                       cmocka_unit_test(test_interrupt_controllers),
                                       cmocka_unit_test(test_devices),
                                       cmocka_unit_test(test_the_end_of_the_machine),
                                       cmocka_unit_test(test_small_rooms)};
    return cmocka_run_group_tests(tests, NULL, teardown);
}
