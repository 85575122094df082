/* The machine is made, and what its devices ask of it. */
#include "machine/cpu/code.h"
#include "machine/cpu/memory.h"
#include "machine/htif.h"
#include "machine/image/fdt.h"
#include "machine/image/load.h"
#include "machine/rules/rules.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIB = 1 << 20, FDT_ROOM = 16384, UART_SOURCE = 10, RTC_SOURCE = 11, VIRTIO_SOURCE = 1 };
enum { A0 = 10, A1 = 11, A2 = 12 };
enum { KERNEL_OFFSET = 2 * MIB, INFO_OFFSET = KERNEL_OFFSET - 4096 };

struct sim_options sim_defaults(void) {
    return (struct sim_options){.harts = 1,
                                .ram_bytes = 128ull * MIB,
                                .seed = 1,
                                .sstc = true,
                                .asid_bits = 16,
                                .levels = 5,
                                .keep = true,
                                .speculate = true,
                                .stale_code = true,
                                .frames = true,
                                .checks = SIM_CHECKS_DEFAULT};
}

bool sim_begins_in_machine_mode(const struct sim_image *kernel) {
    uint64_t entry = 0;
    if (kernel->size < 64 || memcmp(kernel->bytes, "\177ELF", 4) != 0)
        return false;
    memcpy(&entry, kernel->bytes + 24, 8);
    return entry == RAM_BASE;
}

/* ---- what devices call ------------------------------------------------------------------- */
static void raise(void *ctx, unsigned source, bool level) {
    struct sim *sim = ctx;
    plic_set(&sim->plic, source, level);
}
static void print(void *ctx, uint8_t byte) {
    struct sim *sim = ctx;
    if (sim->options.console != NULL)
        sim->options.console(sim->options.context, byte);
}
static void *ram(void *ctx, uint64_t pa, uint64_t bytes, bool write) {
    struct sim *sim = ctx;
    if (!ram_has(sim, pa, bytes)) {
        rules_no_ram(sim, pa, bytes, write);
        return NULL;
    }
    for (uint64_t at = pa; at < pa + bytes; at = (at | 4095) + 1)
        if (sim->page_flags[(at - RAM_BASE) >> 12] & PAGE_FREED)
            frames_touched(sim, NULL, at, at, write ? USE_DEVICE_WRITE : USE_DEVICE_READ);
    if (write && bytes > 0) {
        struct hart *running = sim->running;
        sim->running = NULL; /* it is not the hart that writes */
        for (unsigned i = 0; i < sim->options.harts; i++)
            sim->harts[i].reserved = false;
        memory_written(sim, pa, bytes);
        sim->running = running;
        for (uint64_t at = pa & ~4095ull; at < pa + bytes; at += 4096)
            page_changed(sim, at);
    }
    return sim->ram + (pa - RAM_BASE);
}
static uint64_t now(void *ctx) { return sim_now_ns(ctx); }

/* ---- made --------------------------------------------------------------------------------- */
void hart_reset(struct sim *sim, struct hart *hart, enum privilege priv, uint64_t pc) {
    code_drop(hart);
    uint64_t random = hart->random;
    unsigned id = hart->id;
    for (unsigned i = 0; i < hart->keeper.count; i++)
        sim->page_kept[(hart->keeper.entries[hart->keeper.live[i]].pa - RAM_BASE) >> 12]--;
    memset(hart, 0, sizeof(*hart));
    hart->id = id;
    hart->random = random;
    hart->priv = priv;
    hart->pc = pc;
    hart->mstatus = MSTATUS_UXL | MSTATUS_SXL;
    hart->stimecmp = UINT64_MAX;
    hart_forget_at_first(hart);
    if (sim->options.machine_mode)
        return;
    /* As a firmware leaves it: everything that S-mode can handle is delegated. */
    hart->medeleg = ~0ull & ~(1ull << CAUSE_ECALL_S);
    hart->mideleg = (1ull << IRQ_SSI) | (1ull << IRQ_STI) | (1ull << IRQ_SEI);
    hart->mcounteren = 7;
    hart->menvcfg = sim->options.sstc ? MENVCFG_STCE : 0;
}

static bool check_options(const struct sim_options *o, char *error, size_t size) {
    const char *wrong = NULL;
    if (o->harts < 1 || o->harts > SIM_HARTS_MAX)
        wrong = "a machine has 1 to 8 harts";
    else if (o->ram_bytes < 32ull * MIB || o->ram_bytes > 4096ull * MIB || o->ram_bytes % MIB)
        wrong = "a machine has 32 MiB to 4 GiB of memory, in whole MiB";
    else if (o->asid_bits > 16)
        wrong = "an ASID has 0 to 16 bits";
    else if (o->levels < 3 || o->levels > 5)
        wrong = "page tables have 3 to 5 levels";
    else if (o->kernel.bytes == NULL)
        wrong = "a machine needs a kernel";
    else if (o->firmware.bytes != NULL && !o->machine_mode)
        wrong = "a firmware begins in M-mode";
    if (wrong != NULL)
        snprintf(error, size, "%s", wrong);
    return wrong == NULL;
}

static bool make_memory(struct sim *sim) {
    uint64_t bytes = sim->options.ram_bytes, pages = bytes >> 12;
    if ((size_t)bytes != bytes)
        return false;
    sim->ram = calloc(1, (size_t)bytes);
    sim->page_flags = calloc((size_t)pages, 1);
    sim->page_kept = calloc((size_t)pages, sizeof(*sim->page_kept));
    if (sim->ram == NULL || sim->page_flags == NULL || sim->page_kept == NULL)
        return false;
    blocks_init(&sim->base, bytes);
    memset(sim->page_flags, PAGE_CHANGED, (size_t)pages);
    return true;
}

static bool make_disks(struct sim *sim, char *error, size_t size) {
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++) {
        const struct sim_image *image = &sim->options.disks[i];
        struct virtio_blk *blk = &sim->blk[i];
        *blk = (struct virtio_blk){.source = VIRTIO_SOURCE + i,
                                   .version = sim->options.legacy_disk ? 1 : 2,
                                   .present = image->bytes != NULL,
                                   .seed = choose(&sim->random),
                                   .sectors = (image->size + DISK_SECTOR - 1) / DISK_SECTOR};
        if (blk->present && !disk_open(&sim->disk[i], image->bytes, image->size, blk->sectors)) {
            snprintf(error, size, "%s: no memory for the disk", image->name);
            return false;
        }
        virtio_blk_reset(blk);
    }
    return true;
}

static void make_devices(struct sim *sim) {
    sim->env = (struct dev_env){.ctx = sim, .irq = raise, .console = print, .ram = ram, .now = now};
    clint_reset(&sim->clint);
    plic_reset(&sim->plic);
    sim->uart.source = UART_SOURCE;
    uart_reset(&sim->uart);
    finisher_reset(&sim->finisher);
    sim->rtc.source = RTC_SOURCE;
    rtc_reset(&sim->rtc);
}

/* Where the device tree stands, at the end of memory, and the initrd before it. */
struct places {
    uint64_t fdt, initrd;
};

static bool find_places(const struct sim_options *o, struct places *places, char *error,
                        size_t size) {
    places->fdt = places->initrd = (RAM_BASE + o->ram_bytes - FDT_ROOM) & ~4095ull;
    if (o->initrd.size > o->ram_bytes / 2) {
        snprintf(error, size, "%s: an initrd takes at most half of memory", o->initrd.name);
        return false;
    }
    places->initrd = (places->fdt - o->initrd.size) & ~4095ull;
    return true;
}

static bool build_fdt(struct sim *sim, const struct places *places, char *error, size_t size) {
    const struct sim_options *o = &sim->options;
    char isa[96];
    struct fdt_machine machine = {.harts = o->harts,
                                  .ram_base = RAM_BASE,
                                  .ram_bytes = o->ram_bytes,
                                  .isa = isa,
                                  .levels = o->levels,
                                  .bootargs = o->append,
                                  .seed = o->seed};
    snprintf(isa, sizeof(isa), "rv64imafdc_zicntr_zicsr_zifencei%s", o->sstc ? "_sstc" : "");
    if (o->initrd.bytes != NULL) {
        machine.initrd_start = places->initrd;
        machine.initrd_end = places->initrd + o->initrd.size;
    }
    if (fdt_build(&machine, sim->ram + (places->fdt - RAM_BASE), FDT_ROOM) < 0) {
        snprintf(error, size, "the kernel's arguments are too long");
        return false;
    }
    return true;
}

/* What OpenSBI's fw_dynamic is told in a2 (its docs/firmware/fw_dynamic.md): where it goes on, in
 * S-mode, and by which hart. */
static void write_info(struct sim *sim, uint64_t kernel) {
    const uint64_t info[] = {0x4942534f, 2, kernel, PRIV_S, 0, 0};
    for (unsigned i = 0; i < sizeof(info) / sizeof(info[0]); i++)
        for (unsigned byte = 0; byte < 8; byte++)
            sim->ram[INFO_OFFSET + 8 * i + byte] = (uint8_t)(info[i] >> 8 * byte);
}

/* A kernel, and what begins before it. */
static bool load_kernel(struct sim *sim, const struct image_ram *ram, uint64_t *entry, char *error,
                        size_t size) {
    const struct sim_options *o = &sim->options;
    struct image_file kernel = {o->kernel.name, o->kernel.bytes, o->kernel.size};
    struct image_file firmware = {o->firmware.name, o->firmware.bytes, o->firmware.size};
    if (firmware.bytes == NULL)
        return image_load(&kernel, ram, RAM_BASE + (o->machine_mode ? 0 : KERNEL_OFFSET), entry,
                          error, size);
    struct image_ram below = {RAM_BASE, INFO_OFFSET, ram->bytes};
    struct image_ram above = {RAM_BASE + KERNEL_OFFSET, ram->size - KERNEL_OFFSET,
                              ram->bytes + KERNEL_OFFSET};
    uint64_t kernel_entry;
    if (!image_load(&kernel, &above, above.base, &kernel_entry, error, size) ||
        !image_load(&firmware, &below, RAM_BASE, entry, error, size))
        return false;
    write_info(sim, kernel_entry);
    return true;
}

static bool load_all(struct sim *sim, uint64_t *entry, uint64_t *fdt, char *error, size_t size) {
    const struct sim_options *o = &sim->options;
    struct image_file initrd = {o->initrd.name, o->initrd.bytes, o->initrd.size};
    struct image_ram all = {RAM_BASE, o->ram_bytes, sim->ram};
    struct places places;
    if (!find_places(o, &places, error, size))
        return false;
    struct image_ram before = {RAM_BASE, places.initrd - RAM_BASE, sim->ram};
    if (!load_kernel(sim, &before, entry, error, size))
        return false;
    if (initrd.bytes != NULL && !flat_load(&initrd, &all, places.initrd, error, size))
        return false;
    *fdt = places.fdt;
    return build_fdt(sim, &places, error, size);
}

static void read_places(struct sim *sim) {
    struct image_file kernel = {sim->options.kernel.name, sim->options.kernel.bytes,
                                sim->options.kernel.size};
    struct elf elf;
    char error[256];
    if (elf_is(&kernel) && elf_open(&elf, &kernel, error, sizeof(error)))
        place_image_read(&sim->kernel, &elf);
}

static bool make(struct sim *sim, char *error, size_t size) {
    uint64_t entry, fdt;
    if (!make_memory(sim)) {
        snprintf(error, size, "no memory for a machine of %u MiB",
                 (unsigned)(sim->options.ram_bytes / MIB));
        return false;
    }
    make_devices(sim);
    if (!make_disks(sim, error, size) || !load_all(sim, &entry, &fdt, error, size))
        return false;
    read_places(sim);
    htif_init(sim);
    if (!frames_init(sim, error, size))
        return false;
    processes_init(sim);
    if (!events_init(sim)) {
        snprintf(error, size, "no memory for events");
        return false;
    }
    if (!races_init(sim, error, size) || !preempt_init(sim, error, size))
        return false;
    sim->watching = sim->races.on || sim->preempt.on;
    for (unsigned i = 0; i < sim->options.harts; i++) {
        struct hart *hart = &sim->harts[i];
        hart->id = i;
        hart->random = choose(&sim->random) | 1;
        hart_reset(sim, hart, sim->options.machine_mode ? PRIV_M : PRIV_S, entry);
        hart->state = i == 0 || sim->options.machine_mode ? HART_STARTED : HART_STOPPED;
        hart->x[A0] = i;
        hart->x[A1] = fdt;
        hart->x[A2] = sim->options.firmware.bytes != NULL ? RAM_BASE + INFO_OFFSET : 0;
    }
    return true;
}

struct sim *sim_create(const struct sim_options *options, char *error, size_t error_size) {
    if (!check_options(options, error, error_size))
        return NULL;
    struct sim *sim = calloc(1, sizeof(*sim));
    if (sim == NULL) {
        snprintf(error, error_size, "no memory for a machine");
        return NULL;
    }
    sim->options = *options;
    sim->random = options->seed * 0x9e3779b97f4a7c15ull | 1;
    if (!make(sim, error, error_size)) {
        sim_destroy(sim);
        return NULL;
    }
    return sim;
}

void sim_destroy(struct sim *sim) {
    if (sim == NULL)
        return;
    for (unsigned i = 0; i < SIM_HARTS_MAX; i++)
        code_drop(&sim->harts[i]);
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++)
        disk_close(&sim->disk[i]);
    place_image_free(&sim->kernel);
    blocks_drop(&sim->base);
    frames_free(sim);
    events_free(sim);
    free(sim->ram);
    free(sim->page_flags);
    free(sim->page_kept);
    shadow_free(&sim->races.shadow);
    preempt_free(sim);
    free(sim);
}
