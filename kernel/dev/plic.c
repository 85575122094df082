/* The platform-level interrupt controller (RISC-V PLIC specification 1.0).
 *
 * Each hart's supervisor mode is a context of the PLIC: entry c of the node's
 * "interrupts-extended" is context c, a pair of the phandle of the hart's own
 * interrupt controller and the interrupt that it raises there. The tables are
 * filled at boot by hart 0 and only read afterwards. */
#include "arch/hart.h"
#include "dev/fdt.h"
#include "dev/irq.h"
#include "dev/mmio.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/kmap.h"

#define PLIC_SOURCES 1024
#define PLIC_PRIORITY(irq) (4 * (uint64_t)(irq))
#define PLIC_ENABLE(context, irq) (0x2000 + 0x80 * (uint64_t)(context) + 4 * (uint64_t)((irq) / 32))
#define PLIC_THRESHOLD(context) (0x200000 + 0x1000 * (uint64_t)(context))
#define PLIC_CLAIM(context) (PLIC_THRESHOLD(context) + 4)

#define SUPERVISOR_EXTERNAL 9 /* the cause, on the hart's own controller */
#define NO_CONTEXT UINT32_MAX
#define MAX_HANDLERS 16

struct handler {
    void (*call)(void *ctx);
    void *ctx;
};

static struct {
    char *base; /* NULL: none */
    uint64_t size;
    uint32_t sources;        /* highest interrupt number */
    uint32_t context[NHART]; /* by hart->index */
    bool ready[NHART];
    uint32_t handlers; /* in use, from [1] on */
    struct handler handler[MAX_HANDLERS + 1];
    uint8_t handler_of[PLIC_SOURCES]; /* by interrupt; 0: none */
} plic;

static uint32_t plic_read(uint64_t offset) { return mmio_read32(plic.base + offset); }
static void plic_write(uint64_t offset, uint32_t v) { mmio_write32(plic.base + offset, v); }

/* The index of the hart whose own interrupt controller has this phandle, or NHART. */
static uint32_t hart_of_controller(uint32_t phandle) {
    for (fdt_node cpu = fdt_child(fdt_path("/cpus")); cpu != FDT_NONE; cpu = fdt_sibling(cpu)) {
        struct fdt_reg reg;
        uint32_t found;
        fdt_node controller = fdt_child(cpu);
        while (controller != FDT_NONE && !fdt_prop(controller, "interrupt-controller", NULL))
            controller = fdt_sibling(controller);
        if (fdt_cell(controller, "phandle", 0, &found) || found != phandle || fdt_reg(cpu, 0, &reg))
            continue;
        for (uint32_t i = 0; i < hart_count; i++)
            if (harts[i].hartid == reg.start)
                return i;
    }
    return NHART;
}

static void find_contexts(fdt_node node) {
    for (uint32_t i = 0; i < NHART; i++)
        plic.context[i] = NO_CONTEXT;
    uint32_t phandle, cause;
    for (uint32_t c = 0; fdt_cell(node, "interrupts-extended", 2 * c, &phandle) == 0 &&
                         fdt_cell(node, "interrupts-extended", 2 * c + 1, &cause) == 0;
         c++) {
        if (cause != SUPERVISOR_EXTERNAL || PLIC_CLAIM(c) + 4 > plic.size)
            continue;
        uint32_t hart = hart_of_controller(phandle);
        if (hart < NHART)
            plic.context[hart] = c;
    }
}

int irq_init(void) {
    static const char *const names[] = {"sifive,plic-1.0.0", "riscv,plic0"};
    fdt_node node = FDT_NONE;
    for (uint32_t i = 0; i < ARRAY_LEN(names) && node == FDT_NONE; i++)
        node = fdt_next_compatible(FDT_NONE, names[i]);
    struct fdt_reg reg;
    if (node == FDT_NONE || fdt_reg(node, 0, &reg))
        return -K_ENODEV;
    plic.base = kmap_device(reg.start, reg.size);
    if (!plic.base)
        return -K_ENODEV;
    plic.size = reg.size;
    if (fdt_cell(node, "riscv,ndev", 0, &plic.sources) || plic.sources >= PLIC_SOURCES)
        plic.sources = PLIC_SOURCES - 1;
    find_contexts(node);
    return 0;
}

static void enable_source(uint32_t context, uint32_t irq) {
    uint64_t word = PLIC_ENABLE(context, irq);
    plic_write(word, plic_read(word) | 1U << irq % 32);
}

int irq_of_node(fdt_node node, uint32_t *irq) {
    /* A device may name its interrupt's parent too; there is one PLIC. */
    if (fdt_cell(node, "interrupts", 0, irq) && fdt_cell(node, "interrupts-extended", 1, irq))
        return -K_ENOENT;
    return *irq > 0 && *irq <= plic.sources && plic.base ? 0 : -K_ENOENT;
}

void irq_register(uint32_t irq, void (*handler)(void *ctx), void *ctx) {
    ASSERT(plic.base);
    ASSERT(irq > 0 && irq <= plic.sources);
    ASSERT(plic.handler_of[irq] == 0);
    ASSERT(plic.handlers < MAX_HANDLERS);
    plic.handler[++plic.handlers] = (struct handler){handler, ctx};
    plic.handler_of[irq] = (uint8_t)plic.handlers;
    plic_write(PLIC_PRIORITY(irq), 1);
    for (uint32_t i = 0; i < NHART; i++)
        if (plic.ready[i])
            enable_source(plic.context[i], irq);
}

void irq_init_hart(void) {
    uint32_t hart = hart_self()->index;
    uint32_t context = plic.context[hart];
    if (!plic.base)
        return;
    if (context == NO_CONTEXT) {
        kprintf("plic: hart %u gets no interrupts: the device tree has no context for it\n", hart);
        return;
    }
    for (uint32_t irq = 0; irq <= plic.sources; irq += 32)
        plic_write(PLIC_ENABLE(context, irq), 0); /* what the firmware left */
    for (uint32_t irq = 1; irq <= plic.sources; irq++)
        if (plic.handler_of[irq])
            enable_source(context, irq);
    plic_write(PLIC_THRESHOLD(context), 0);
    plic.ready[hart] = true;
}

void irq_serve(void) {
    uint32_t hart = hart_self()->index;
    if (!plic.ready[hart])
        return;
    uint64_t claim = PLIC_CLAIM(plic.context[hart]);
    for (uint32_t irq; (irq = plic_read(claim)) != 0; plic_write(claim, irq)) {
        /* Only sources with a handler were enabled. */
        struct handler *h = irq < PLIC_SOURCES ? &plic.handler[plic.handler_of[irq]] : NULL;
        if (h && h->call)
            h->call(h->ctx);
    }
}
