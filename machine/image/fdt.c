/* The device tree of the machine: see fdt.h. */
#include "machine/image/fdt.h"
#include "machine/image/treewrite.h"
#include <string.h>

/* Where QEMU's virt board has its devices, and which sources they are at the PLIC. */
#define TEST_BASE 0x100000ull
#define TEST_BYTES 0x1000
#define RTC_BASE 0x101000ull
#define RTC_BYTES 0x1000
#define RTC_IRQ 11
#define CLINT_BASE 0x2000000ull
#define CLINT_BYTES 0x10000
#define PLIC_BASE 0xc000000ull
#define PLIC_BYTES 0x600000
#define PLIC_SOURCES 95 /* besides 0, which is none */
#define UART_BASE 0x10000000ull
#define UART_BYTES 0x100
#define UART_IRQ 10
#define UART_HZ 3686400
#define VIRTIO_BASE 0x10001000ull
#define VIRTIO_BYTES 0x1000
#define VIRTIO_IRQ 1
#define VIRTIO_SLOTS 8

/* What the finisher is told. */
#define TEST_PASS 0x5555
#define TEST_RESET 0x7777

/* Interrupts of a hart, as in mcause (privileged specification, 3.1.15). */
enum { IRQ_M_SOFTWARE = 3, IRQ_M_TIMER = 7, IRQ_S_EXTERNAL = 9, IRQ_M_EXTERNAL = 11 };

/* Handles by which nodes name each other. */
enum { PHANDLE_PLIC = 1, PHANDLE_TEST = 2, PHANDLE_CPU = 16, PHANDLE_INTC = 32 };

#define SEED_BYTES 32

/* A list of strings, each with its end, from a literal; the last end is that of the literal. */
#define STRINGS(t, name, literal) tree_bytes(t, name, literal, sizeof(literal))

/* Bytes that look random and follow from the seed: SplitMix64. */
static void write_seed(struct tree *t, uint64_t seed) {
    uint8_t bytes[SEED_BYTES];
    for (unsigned i = 0; i < SEED_BYTES; i += 8) {
        seed += 0x9e3779b97f4a7c15ull;
        uint64_t v = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9ull;
        v = (v ^ v >> 27) * 0x94d049bb133111ebull;
        v ^= v >> 31;
        for (unsigned j = 0; j < 8; j++)
            bytes[i + j] = (uint8_t)(v >> 8 * j);
    }
    tree_bytes(t, "rng-seed", bytes, sizeof(bytes));
}

static void write_chosen(struct tree *t, const struct fdt_machine *machine) {
    tree_begin(t, "chosen");
    if (machine->bootargs)
        tree_string(t, "bootargs", machine->bootargs);
    tree_string(t, "stdout-path", "/soc/serial@10000000");
    if (machine->initrd_end > machine->initrd_start) {
        tree_number(t, "linux,initrd-start", machine->initrd_start);
        tree_number(t, "linux,initrd-end", machine->initrd_end);
    }
    write_seed(t, machine->seed);
    tree_end(t);
}

static void write_memory(struct tree *t, const struct fdt_machine *machine) {
    tree_begin_at(t, "memory", machine->ram_base);
    tree_string(t, "device_type", "memory");
    tree_numbers(t, "reg", machine->ram_base, machine->ram_bytes);
    tree_end(t);
}

static void write_cpu(struct tree *t, const struct fdt_machine *machine, unsigned hart) {
    static const char *const mmu[] = {"riscv,sv39", "riscv,sv48", "riscv,sv57"};
    tree_begin_at(t, "cpu", hart);
    tree_string(t, "device_type", "cpu");
    tree_cell(t, "reg", hart);
    tree_string(t, "status", "okay");
    tree_string(t, "compatible", "riscv");
    tree_string(t, "riscv,isa", machine->isa);
    tree_string(t, "mmu-type", mmu[machine->levels - 3]);
    tree_cell(t, "phandle", PHANDLE_CPU + hart);
    tree_begin(t, "interrupt-controller");
    tree_cell(t, "#interrupt-cells", 1);
    tree_empty(t, "interrupt-controller");
    tree_string(t, "compatible", "riscv,cpu-intc");
    tree_cell(t, "phandle", PHANDLE_INTC + hart);
    tree_end(t);
    tree_end(t);
}

static void write_cpus(struct tree *t, const struct fdt_machine *machine) {
    tree_begin(t, "cpus");
    tree_cell(t, "#address-cells", 1);
    tree_cell(t, "#size-cells", 0);
    tree_cell(t, "timebase-frequency", FDT_TIMEBASE_HZ);
    for (unsigned hart = 0; hart < machine->harts; hart++)
        write_cpu(t, machine, hart);
    tree_begin(t, "cpu-map");
    tree_begin(t, "cluster0");
    for (unsigned hart = 0; hart < machine->harts; hart++) {
        char core[] = "core0";
        core[4] = (char)('0' + hart);
        tree_begin(t, core);
        tree_cell(t, "cpu", PHANDLE_CPU + hart);
        tree_end(t);
    }
    tree_end(t);
    tree_end(t);
    tree_end(t);
}

/* Two wires from a device to each hart. */
static void write_wires(struct tree *t, unsigned harts, uint32_t first, uint32_t second) {
    uint32_t cells[4 * FDT_HARTS_MAX];
    for (unsigned hart = 0; hart < harts; hart++) {
        cells[4 * hart] = cells[4 * hart + 2] = PHANDLE_INTC + hart;
        cells[4 * hart + 1] = first;
        cells[4 * hart + 3] = second;
    }
    tree_cells(t, "interrupts-extended", cells, 4 * harts);
}

static void write_interrupt_controllers(struct tree *t, unsigned harts) {
    tree_begin_at(t, "plic", PLIC_BASE);
    STRINGS(t, "compatible", "sifive,plic-1.0.0\0riscv,plic0");
    tree_numbers(t, "reg", PLIC_BASE, PLIC_BYTES);
    write_wires(t, harts, IRQ_M_EXTERNAL, IRQ_S_EXTERNAL);
    tree_empty(t, "interrupt-controller");
    tree_cell(t, "#interrupt-cells", 1);
    tree_cell(t, "#address-cells", 0);
    tree_cell(t, "riscv,ndev", PLIC_SOURCES);
    tree_cell(t, "phandle", PHANDLE_PLIC);
    tree_end(t);
    tree_begin_at(t, "clint", CLINT_BASE);
    STRINGS(t, "compatible", "sifive,clint0\0riscv,clint0");
    tree_numbers(t, "reg", CLINT_BASE, CLINT_BYTES);
    write_wires(t, harts, IRQ_M_SOFTWARE, IRQ_M_TIMER);
    tree_end(t);
}

/* Begins the node of a device that has an interrupt; the caller ends it. */
static void begin_device(struct tree *t, const char *node, const char *compatible, uint64_t base,
                         uint64_t bytes, uint32_t irq) {
    tree_begin_at(t, node, base);
    tree_string(t, "compatible", compatible);
    tree_numbers(t, "reg", base, bytes);
    tree_cell(t, "interrupts", irq);
    tree_cell(t, "interrupt-parent", PHANDLE_PLIC);
}

static void write_soc(struct tree *t, unsigned harts) {
    tree_begin(t, "soc");
    tree_cell(t, "#address-cells", 2);
    tree_cell(t, "#size-cells", 2);
    tree_string(t, "compatible", "simple-bus");
    tree_empty(t, "ranges");
    begin_device(t, "serial", "ns16550a", UART_BASE, UART_BYTES, UART_IRQ);
    tree_cell(t, "clock-frequency", UART_HZ);
    tree_end(t);
    begin_device(t, "rtc", "google,goldfish-rtc", RTC_BASE, RTC_BYTES, RTC_IRQ);
    tree_end(t);
    tree_begin_at(t, "test", TEST_BASE);
    STRINGS(t, "compatible", "sifive,test1\0sifive,test0\0syscon");
    tree_numbers(t, "reg", TEST_BASE, TEST_BYTES);
    tree_cell(t, "phandle", PHANDLE_TEST);
    tree_end(t);
    for (uint32_t slot = 0; slot < VIRTIO_SLOTS; slot++) {
        begin_device(t, "virtio_mmio", "virtio,mmio", VIRTIO_BASE + slot * VIRTIO_BYTES,
                     VIRTIO_BYTES, VIRTIO_IRQ + slot);
        tree_end(t);
    }
    write_interrupt_controllers(t, harts);
    tree_end(t);
}

/* What ends the machine: a value that is to be stored in the finisher. */
static void write_syscon(struct tree *t, const char *node, const char *compatible, uint32_t value) {
    tree_begin(t, node);
    tree_string(t, "compatible", compatible);
    tree_cell(t, "regmap", PHANDLE_TEST);
    tree_cell(t, "offset", 0);
    tree_cell(t, "value", value);
    tree_end(t);
}

int64_t fdt_build(const struct fdt_machine *machine, uint8_t *out, size_t room) {
    struct tree tree, *t = &tree;
    tree_start(t, out, room);
    tree_begin(t, "");
    tree_cell(t, "#address-cells", 2);
    tree_cell(t, "#size-cells", 2);
    tree_string(t, "compatible", "riscv-virtio");
    tree_string(t, "model", "riscv-virtio,qemu");
    write_chosen(t, machine);
    write_memory(t, machine);
    write_cpus(t, machine);
    write_syscon(t, "poweroff", "syscon-poweroff", TEST_PASS);
    write_syscon(t, "reboot", "syscon-reboot", TEST_RESET);
    write_soc(t, machine->harts);
    tree_end(t);
    return tree_finish(t);
}
