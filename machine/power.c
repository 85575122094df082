/* Disks that fail, and the loss of power: see sim.h. */
#include "machine/machine.h"

/* Memory is looked at, and nothing is told to those who watch it. */
static void *look(void *ctx, uint64_t pa, uint64_t bytes, bool write) {
    const struct sim *sim = ctx;
    (void)write;
    return ram_has(sim, pa, bytes) ? sim->ram + (pa - RAM_BASE) : NULL;
}

static struct dev_env looking(const struct sim *sim) {
    struct dev_env env = sim->env;
    env.ram = look;
    return env;
}

bool sim_stopped_before_read(const struct sim *sim) {
    struct dev_env env = looking(sim);
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++)
        if (sim->blk[i].present && virtio_blk_next_ns(&sim->blk[i]) <= sim_now_ns(sim))
            return virtio_blk_reads_next(&env, &sim->blk[i]);
    return false;
}

void sim_fail(struct sim *sim, unsigned disk, const struct sim_failures *failures) {
    struct disk *d = &sim->disk[disk];
    d->fail_request = failures->request;
    d->fail_from = failures->from;
    d->fail_to = failures->to;
    d->fail_reads = d->fail_writes = true;
}

static bool cut(const struct sim *from, unsigned i, uint64_t seed, struct sim *to) {
    struct dev_env env = looking(from);
    struct virtio_blk blk = from->blk[i];
    struct disk *disk = &to->disk[i];
    const struct disk own = *disk; /* for its counts, and what is to fail */
    if (!disk_copy(disk, &from->disk[i]) || !virtio_blk_cut(&env, &blk, disk, seed))
        return false;
    disk->requests = own.requests;
    disk->reads = own.reads;
    disk->writes = own.writes;
    disk->flushes = own.flushes;
    disk->failed = own.failed;
    disk->fail_request = own.fail_request;
    disk->fail_from = own.fail_from;
    disk->fail_to = own.fail_to;
    disk->fail_reads = own.fail_reads;
    disk->fail_writes = own.fail_writes;
    return true;
}

bool sim_cut(const struct sim *from, uint64_t seed, struct sim *to) {
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++)
        if (from->blk[i].present && !cut(from, i, seed + i, to))
            return false;
    return true;
}
