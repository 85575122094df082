/* Platform-level interrupt controllers (RISC-V PLIC specification 1.0). A machine may have
 * several, each for harts and devices of its own: a socket's, for example.
 *
 * Each hart's supervisor mode is a context of the PLIC: entry c of the node's
 * "interrupts-extended" is context c, a pair of the phandle of the hart's own
 * interrupt controller and the interrupt that it raises there. The tables are
 * filled at boot by hart 0 and only read afterwards.
 *
 * What irq.h calls an interrupt is source n of controller p: p * PLIC_SOURCES + n. */
#include "arch/hart.h"
#include "dev/bootargs.h"
#include "dev/fdt.h"
#include "dev/irq.h"
#include "dev/mmio.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/kmap.h"
#include "proc/clock.h"

#define PLIC_SOURCES 1024
#define PLIC_PRIORITY(irq) (4 * (uint64_t)(irq))
#define PLIC_ENABLE(context, irq) (0x2000 + 0x80 * (uint64_t)(context) + 4 * (uint64_t)((irq) / 32))
#define PLIC_THRESHOLD(context) (0x200000 + 0x1000 * (uint64_t)(context))
#define PLIC_CLAIM(context) (PLIC_THRESHOLD(context) + 4)

#define SUPERVISOR_EXTERNAL 9 /* the cause, on the hart's own controller */
#define NO_CONTEXT UINT32_MAX
#define MAX_HANDLERS 16
#define MAX_PLICS 8

struct handler {
    void (*call)(void *ctx);
    void *ctx;
};

static struct plic {
    char *base;
    uint64_t size;
    uint32_t phandle;        /* 0: nobody can name it */
    uint32_t sources;        /* highest interrupt number */
    uint32_t context[NHART]; /* by hart->index */
    bool ready[NHART];
    uint8_t handler_of[PLIC_SOURCES]; /* by interrupt; 0: none */
} plics[MAX_PLICS];
static uint32_t plic_count;

static struct handler handlers[MAX_HANDLERS + 1];
static uint32_t handler_count; /* in use, from [1] on */

static uint32_t plic_read(const struct plic *p, uint64_t offset) {
    return mmio_read32(p->base + offset);
}
static void plic_write(const struct plic *p, uint64_t offset, uint32_t v) {
    mmio_write32(p->base + offset, v);
}

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

static void find_contexts(struct plic *p, fdt_node node) {
    for (uint32_t i = 0; i < NHART; i++)
        p->context[i] = NO_CONTEXT;
    uint32_t phandle, cause;
    for (uint32_t c = 0; fdt_cell(node, "interrupts-extended", 2 * c, &phandle) == 0 &&
                         fdt_cell(node, "interrupts-extended", 2 * c + 1, &cause) == 0;
         c++) {
        if (cause != SUPERVISOR_EXTERNAL || PLIC_CLAIM(c) + 4 > p->size)
            continue;
        uint32_t hart = hart_of_controller(phandle);
        if (hart < NHART)
            p->context[hart] = c;
    }
}

static void add_plic(fdt_node node) {
    struct plic *p = &plics[plic_count];
    struct fdt_reg reg;
    if (plic_count == MAX_PLICS || fdt_reg(node, 0, &reg))
        return;
    p->base = kmap_device(reg.start, reg.size);
    if (!p->base)
        return;
    p->size = reg.size;
    if (fdt_cell(node, "phandle", 0, &p->phandle))
        p->phandle = 0;
    if (fdt_cell(node, "riscv,ndev", 0, &p->sources) || p->sources >= PLIC_SOURCES)
        p->sources = PLIC_SOURCES - 1;
    find_contexts(p, node);
    plic_count++;
}

static void serve(const struct plic *p, uint32_t context) {
    uint64_t claim = PLIC_CLAIM(context);
    for (uint32_t source; (source = plic_read(p, claim)) != 0; plic_write(p, claim, source)) {
        /* Only sources with a handler were enabled. */
        const struct handler *h = source < PLIC_SOURCES ? &handlers[p->handler_of[source]] : NULL;
        if (h && h->call)
            h->call(h->ctx);
    }
}

void irq_serve(void) {
    uint32_t hart = hart_self()->index;
    for (const struct plic *p = plics; p < plics + plic_count; p++)
        if (p->ready[hart])
            serve(p, p->context[hart]);
}

/* With several controllers. QEMU 7.2 does not connect the second socket's to its harts'
 * supervisor mode, so somebody must look at what is pending there. */
static void serve_all(void) {
    for (const struct plic *p = plics; p < plics + plic_count; p++)
        for (uint32_t i = 0; i < hart_count; i++)
            if (p->ready[i]) {
                serve(p, p->context[i]);
                break;
            }
}

void irq_init(void) {
    static const char *const names[] = {"sifive,plic-1.0.0", "riscv,plic0"};
    for (uint32_t i = 0; i < ARRAY_LEN(names) && !plic_count; i++)
        for (fdt_node node = FDT_NONE; (node = fdt_next_compatible(node, names[i])) != FDT_NONE;)
            add_plic(node);
    if (plic_count > 1)
        clock_poll(serve_all);
    if (plic_count == 0 && fdt_next_compatible(FDT_NONE, "riscv,aplic") != FDT_NONE)
        kprintf("no interrupts from devices: the machine has an APLIC, and Trellis needs a PLIC "
                "(QEMU: -machine virt,aia=none)\n");
    else if (plic_count == 0 && !boot_quiet())
        kprintf("no interrupts from devices: no PLIC in the device tree\n");
}

/* The controller of a device's interrupt, with the source there: by "interrupts-extended",
 * which names both, or by "interrupts" and the nearest "interrupt-parent" on the way to the
 * root. Where nobody names one, it is the only one. */
static struct plic *controller_of(fdt_node node, uint32_t *source) {
    uint32_t phandle = 0;
    if (fdt_cell(node, "interrupts", 0, source) == 0) {
        while (node != FDT_NONE && fdt_cell(node, "interrupt-parent", 0, &phandle))
            node = fdt_parent(node);
    } else if (fdt_cell(node, "interrupts-extended", 0, &phandle) ||
               fdt_cell(node, "interrupts-extended", 1, source)) {
        return NULL;
    }
    for (uint32_t i = 0; i < plic_count; i++)
        if (plics[i].phandle == phandle || (plic_count == 1 && !phandle))
            return &plics[i];
    return NULL;
}

static bool reaches_a_hart(const struct plic *p) {
    for (uint32_t i = 0; i < hart_count; i++)
        if (p->context[i] != NO_CONTEXT)
            return true;
    return false;
}

int irq_of_node(fdt_node node, uint32_t *irq) {
    uint32_t source;
    const struct plic *p = controller_of(node, &source);
    if (!p || source == 0 || source > p->sources || !reaches_a_hart(p))
        return -K_ENOENT;
    *irq = (uint32_t)(p - plics) * PLIC_SOURCES + source;
    return 0;
}

static void enable_source(const struct plic *p, uint32_t context, uint32_t source) {
    uint64_t word = PLIC_ENABLE(context, source);
    plic_write(p, word, plic_read(p, word) | 1U << source % 32);
}

void irq_register(uint32_t irq, void (*handler)(void *ctx), void *ctx) {
    ASSERT(irq / PLIC_SOURCES < plic_count);
    struct plic *p = &plics[irq / PLIC_SOURCES];
    uint32_t source = irq % PLIC_SOURCES;
    ASSERT(source > 0 && source <= p->sources);
    ASSERT(p->handler_of[source] == 0);
    ASSERT(handler_count < MAX_HANDLERS);
    handlers[++handler_count] = (struct handler){handler, ctx};
    p->handler_of[source] = (uint8_t)handler_count;
    plic_write(p, PLIC_PRIORITY(source), 1);
    for (uint32_t i = 0; i < NHART; i++)
        if (p->ready[i])
            enable_source(p, p->context[i], source);
}

static void init_context(struct plic *p, uint32_t hart) {
    uint32_t context = p->context[hart];
    for (uint32_t source = 0; source <= p->sources; source += 32)
        plic_write(p, PLIC_ENABLE(context, source), 0); /* what the firmware left */
    for (uint32_t source = 1; source <= p->sources; source++)
        if (p->handler_of[source])
            enable_source(p, context, source);
    plic_write(p, PLIC_THRESHOLD(context), 0);
    p->ready[hart] = true;
}

void irq_init_hart(void) {
    uint32_t hart = hart_self()->index;
    bool any = false;
    for (struct plic *p = plics; p < plics + plic_count; p++)
        if (p->context[hart] != NO_CONTEXT) {
            init_context(p, hart);
            any = true;
        }
    if (plic_count && !any)
        kprintf("plic: hart %u gets no interrupts: the device tree has no context for it\n", hart);
}
