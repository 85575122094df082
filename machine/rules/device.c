/* What a device is told: addresses where there is memory, and a ring whose entries it sees before
 * their index (virtio 1.2, 2.7.13).
 *
 * A fence is needed between the store of an entry of the available ring and that of the ring's
 * index, and between the latter and the notification. The page that the ring is in is watched from
 * the first notification on, so those stores come here. */
#include "machine/cpu/memory.h"
#include "machine/finding.h"
#include "machine/rules/rules.h"
#include <inttypes.h>
#include <stdio.h>

enum { RING_INDEX = 2, RING_ENTRIES = 4, ENTRY = 2, TEXT_BYTES = 1024 };

void rules_no_ram(struct sim *sim, uint64_t pa, uint64_t bytes, bool write) {
    char text[TEXT_BYTES], where[PLACE_BYTES];
    const struct hart *hart = sim->running;
    if (!(sim->options.checks & SIM_CHECK_DEVICE) ||
        !finding_first_time(sim, SIM_DEVICE_ADDRESS, hart ? hart->pc : 0, write))
        return;
    snprintf(text, sizeof(text),
             "device address: a device is told to %s %" PRIu64 " bytes at 0x%" PRIx64
             ", where there is no RAM or not all of it%s%s.",
             write ? "write" : "read", bytes, pa, hart ? "; it was notified at " : "",
             hart ? finding_place(sim, hart->pc, where) : "");
    finding_tell(sim, &(struct sim_finding){SIM_DEVICE_ADDRESS, text, -1, hart ? hart->pc : 0, 0});
}

static bool is_unfenced(const struct hart *hart, const struct ring_store *store) {
    return store->when > hart->rules.fenced && store->hart == hart->id;
}

static void tell(struct sim *sim, const struct hart *hart, const struct ring_store *before,
                 const char *what, const char *first) {
    char text[TEXT_BYTES], where[PLACE_BYTES], there[PLACE_BYTES];
    if (!finding_first_time(sim, SIM_RING_ORDER, hart->pc, before->pc))
        return;
    snprintf(text, sizeof(text),
             "ring order: hart %u %s at %s, and no fence stands between that and its store of %s "
             "at %s: the device may see them the other way round.",
             hart->id, what, finding_place(sim, hart->pc, where), first,
             finding_place(sim, before->pc, there));
    finding_tell(sim,
                 &(struct sim_finding){SIM_RING_ORDER, text, (int)hart->id, hart->pc, before->pc});
}

void rules_ring_written(struct sim *sim, uint64_t pa, uint64_t bytes) {
    const struct hart *hart = sim->running;
    if (hart == NULL)
        return;
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++) {
        const struct virtio_blk *blk = &sim->blk[i];
        struct ring_order *order = &sim->rules.rings[i];
        struct ring_store now = {hart->pc, sim_now(sim), (uint8_t)hart->id};
        if (!blk->present || !blk->ready)
            continue;
        if (pa < blk->avail + RING_ENTRIES && pa + bytes > blk->avail + RING_INDEX) {
            if (is_unfenced(hart, &order->entry))
                tell(sim, hart, &order->entry, "stores the index of a disk's ring", "an entry");
            order->index = now;
        } else if (pa - blk->avail - RING_ENTRIES < (uint64_t)ENTRY * blk->num) {
            order->entry = now;
        }
    }
}

void rules_notified(struct sim *sim, const struct hart *hart, unsigned disk) {
    const struct virtio_blk *blk = &sim->blk[disk];
    if (!(sim->options.checks & SIM_CHECK_DEVICE) || !blk->present || !blk->ready ||
        !ram_has(sim, blk->avail, RING_ENTRIES))
        return;
    if (is_unfenced(hart, &sim->rules.rings[disk].index))
        tell(sim, hart, &sim->rules.rings[disk].index, "notifies a disk", "the ring's index");
    watch_page(sim, blk->avail, PAGE_RING);
}
