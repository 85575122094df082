/* See bus.h. */
#include "machine/bus.h"
#include "machine/cpu/execute.h"
#include "machine/rules/rules.h"

enum {
    FINISHER_BASE = 0x100000,
    RTC_BASE = 0x101000,
    CLINT_BASE = 0x2000000,
    PLIC_BASE = 0xc000000,
    UART_BASE = 0x10000000,
    VIRTIO_BASE = 0x10001000,
    VIRTIO_STRIDE = 0x1000,
    SMALL = 0x1000
};

static bool in(uint64_t pa, uint64_t base, uint64_t bytes) { return pa - base < bytes; }

bool bus_read(struct sim *sim, struct hart *hart, uint64_t pa, unsigned size, uint64_t *value) {
    struct dev_env *env = &sim->env;
    if (in(pa, UART_BASE, 0x100))
        *value = uart_read(env, &sim->uart, pa - UART_BASE, size);
    else if (in(pa, PLIC_BASE, PLIC_BYTES)) {
        *value = plic_read(env, &sim->plic, pa - PLIC_BASE, size);
        hart_update_interrupts(sim, hart); /* what was claimed is no more pending */
    } else if (in(pa, CLINT_BASE, CLINT_BYTES))
        *value = clint_read(env, &sim->clint, pa - CLINT_BASE, size);
    else if (in(pa, VIRTIO_BASE, SIM_DISKS_MAX * VIRTIO_STRIDE))
        *value = virtio_blk_read(env, &sim->blk[(pa - VIRTIO_BASE) / VIRTIO_STRIDE],
                                 pa % VIRTIO_STRIDE, size);
    else if (in(pa, RTC_BASE, SMALL))
        *value = rtc_read(env, &sim->rtc, pa - RTC_BASE, size);
    else if (in(pa, FINISHER_BASE, SMALL))
        *value = finisher_read(env, &sim->finisher, pa - FINISHER_BASE, size);
    else
        return false;
    return true;
}

static void look_at_finisher(struct sim *sim) {
    switch (sim->finisher.asked) {
    case FINISHER_NOTHING: return;
    case FINISHER_PASS: sim->end.how = SIM_POWERED_OFF; return;
    case FINISHER_RESET: sim->end.how = SIM_RESET; return;
    case FINISHER_FAIL: sim->end.how = SIM_FAILED; sim->end.code = sim->finisher.code;
    }
}

static void write_disk(struct sim *sim, struct hart *hart, unsigned disk, uint64_t offset,
                       unsigned size, uint64_t value) {
    if (offset == VIRTIO_QUEUE_NOTIFY)
        rules_notified(sim, hart, disk);
    virtio_blk_write(&sim->env, &sim->blk[disk], offset, size, value);
}

bool bus_write(struct sim *sim, struct hart *hart, uint64_t pa, unsigned size, uint64_t value) {
    struct dev_env *env = &sim->env;
    if (in(pa, UART_BASE, 0x100))
        uart_write(env, &sim->uart, pa - UART_BASE, size, value);
    else if (in(pa, PLIC_BASE, PLIC_BYTES))
        plic_write(env, &sim->plic, pa - PLIC_BASE, size, value);
    else if (in(pa, CLINT_BASE, CLINT_BYTES)) {
        clint_write(env, &sim->clint, pa - CLINT_BASE, size, value);
        if (pa - CLINT_BASE < 4 * sim->options.harts && (value & 1)) /* msip */
            races_ask(sim, hart->id, (unsigned)(pa - CLINT_BASE) / 4);
    } else if (in(pa, VIRTIO_BASE, SIM_DISKS_MAX * VIRTIO_STRIDE))
        write_disk(sim, hart, (unsigned)((pa - VIRTIO_BASE) / VIRTIO_STRIDE), pa % VIRTIO_STRIDE,
                   size, value);
    else if (in(pa, RTC_BASE, SMALL))
        rtc_write(env, &sim->rtc, pa - RTC_BASE, size, value);
    else if (in(pa, FINISHER_BASE, SMALL))
        finisher_write(env, &sim->finisher, pa - FINISHER_BASE, size, value);
    else
        return false;
    look_at_finisher(sim);
    hart_yield(hart);
    return true;
}
