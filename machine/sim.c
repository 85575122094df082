/* The machine runs, and what it tells. */
#include "machine/cpu/code.h"
#include "machine/cpu/execute.h"
#include "machine/cpu/keep.h"
#include "machine/htif.h"
#include "machine/rules/rules.h"

/* A turn is long enough for LR/SC loops and short enough that harts meet. */
enum { TURN_ALONE = 100000, TURN_LEAST = 200, TURN_SPREAD = 1800 };

/* The nanosecond at which something happens by itself; UINT64_MAX: never. */
static uint64_t next_event(struct sim *sim) {
    uint64_t next = rtc_next_ns(&sim->env, &sim->rtc);
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++)
        if (sim->blk[i].present && virtio_blk_next_ns(&sim->blk[i]) < next)
            next = virtio_blk_next_ns(&sim->blk[i]);
    for (unsigned i = 0; i < sim->options.harts; i++) {
        const struct hart *hart = &sim->harts[i];
        uint64_t at = clint_next_ns(&sim->env, &sim->clint, i);
        if (at < next && !(hart->mip >> IRQ_MTI & 1))
            next = at;
        at = clint_when_ns(&sim->env, &sim->clint, hart->stimecmp);
        if (at < next && hart_has_stimecmp(sim, hart) && !(hart->mip >> IRQ_STI & 1))
            next = at;
    }
    return next;
}

/* The disks do what is due. false: the request that is next is the one to stop before. */
static bool serve_disks(struct sim *sim) {
    uint64_t ns = sim_now_ns(sim);
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++)
        while (sim->blk[i].present && virtio_blk_next_ns(&sim->blk[i]) <= ns) {
            if (sim->stop_before != 0 && sim_requests(sim) + 1 == sim->stop_before)
                return false;
            virtio_blk_step(&sim->env, &sim->blk[i], &sim->disk[i]);
        }
    return true;
}

/* Devices do what is due; harts learn of it. An interrupt that is pending ends a wfi, enabled for
 * the mode or not: privileged specification 3.3.3. false: as above. */
static bool happen(struct sim *sim) {
    if (!serve_disks(sim))
        return false;
    rtc_run(&sim->env, &sim->rtc);
    htif_look(sim);
    for (unsigned i = 0; i < sim->options.harts; i++) {
        struct hart *hart = &sim->harts[i];
        hart_update_interrupts(sim, hart);
        if (!(hart->mip & hart->mie))
            continue;
        if (hart->waiting)
            races_asked(sim, hart); /* it may never take the interrupt */
        hart->waiting = false;
    }
    return true;
}

static bool runs(const struct hart *hart) { return hart->state == HART_STARTED && !hart->waiting; }

/* The hart whose turn it is; NULL: all wait. */
static struct hart *next_hart(struct sim *sim) {
    if (sim->preempt.on)
        return preempt_choose(sim);
    for (unsigned i = 0; i < sim->options.harts; i++) {
        struct hart *hart = &sim->harts[(sim->turn_of + i) % sim->options.harts];
        if (runs(hart)) {
            sim->turn_of = (hart->id + 1) % sim->options.harts;
            return hart;
        }
    }
    return NULL;
}

static int64_t turn_length(struct sim *sim) {
    uint64_t length = sim->options.harts == 1 ? TURN_ALONE
                                              : TURN_LEAST + choose(&sim->random) % TURN_SPREAD;
    uint64_t event = next_event(sim), ns = sim_now_ns(sim);
    if (event != UINT64_MAX && event > ns && (event - ns) * sim->turn_runs < length)
        length = (event - ns) * sim->turn_runs;
    return (int64_t)length;
}

static struct sim_end begin_turn(struct sim *sim) {
    if (!happen(sim))
        return (struct sim_end){.how = SIM_AT_REQUEST};
    if (sim->end.how != SIM_RUNS)
        return sim->end;
    struct hart *hart = next_hart(sim);
    rules_expire(sim, hart == NULL && next_event(sim) == UINT64_MAX);
    if (hart == NULL)
        return (struct sim_end){.how = SIM_WAITS, .next_ns = next_event(sim)};
    sim->turn_hart = hart->id;
    sim->turn_runs = sim->turn_done = 0;
    for (unsigned i = 0; i < sim->options.harts; i++)
        sim->turn_runs += runs(&sim->harts[i]);
    sim->turn_left = turn_length(sim);
    if (hart->caches.code_pages > CODE_PAGES)
        code_drop(hart);
    keep_expire(sim, hart);
    hart->yielded = false;
    return (struct sim_end){.how = SIM_RUNS};
}

/* At most so many instructions of the turn. What it is divided into by sim_run's callers leaves
 * no trace: devices, other harts and reservations wait for its end. */
static void go_on(struct sim *sim, uint64_t most) {
    struct hart *hart = &sim->harts[sim->turn_hart];
    int64_t asked = (uint64_t)sim->turn_left < most ? sim->turn_left : (int64_t)most;
    sim->running = hart;
    int64_t done = hart_run(sim, hart, asked);
    sim->running = NULL;
    sim->executed += (uint64_t)done;
    sim->turn_left -= done;
    sim->turn_done += (uint64_t)done;
    hart->turn = hart->left = 0;
    if (done < asked || hart->yielded || hart->waiting || hart->state != HART_STARTED)
        sim->turn_left = 0;
    if (sim->turn_left == 0 && sim->options.harts > 1) {
        hart->reserved = false;
        sim->waited += sim->turn_done * (sim->options.harts - sim->turn_runs) / sim->turn_runs;
    }
}

struct sim_end sim_run(struct sim *sim, uint64_t instructions) {
    uint64_t until = instructions < UINT64_MAX - sim->executed ? sim->executed + instructions
                                                               : UINT64_MAX;
    while (sim->executed < until && sim->end.how == SIM_RUNS) {
        struct sim_end begun = {.how = SIM_RUNS};
        if (sim->turn_left == 0)
            begun = begin_turn(sim);
        if (begun.how != SIM_RUNS)
            return begun;
        go_on(sim, until - sim->executed);
        if (sim->end.how != SIM_RUNS)
            rules_expire(sim, true);
    }
    return sim->end;
}

void sim_skip(struct sim *sim, uint64_t ns) {
    uint64_t at = sim_now_ns(sim);
    if (ns > at)
        sim->skipped += ns - at;
}

size_t sim_input(struct sim *sim, const uint8_t *bytes, size_t count) {
    size_t taken = 0;
    while (taken < count && uart_input(&sim->env, &sim->uart, bytes[taken]))
        taken++;
    return taken;
}

bool sim_disk_read(const struct sim *sim, unsigned disk, uint64_t at, void *to, size_t bytes) {
    return disk < SIM_DISKS_MAX && disk_peek(&sim->disk[disk], at, to, bytes);
}

void sim_stop_before(struct sim *sim, uint64_t request) { sim->stop_before = request; }

uint64_t sim_requests(const struct sim *sim) {
    uint64_t requests = 0;
    for (unsigned i = 0; i < SIM_DISKS_MAX; i++)
        requests += sim->disk[i].requests;
    return requests;
}

uint64_t sim_instructions(const struct sim *sim) { return sim_now(sim); }
uint64_t sim_instructions_in(const struct sim *sim, unsigned privilege) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < sim->options.harts; i++) {
        const struct hart *hart = &sim->harts[i];
        sum += privilege <= PRIV_M ? hart->in_mode[privilege] : 0;
        if (hart->priv == privilege)
            sum += hart_instret(hart) - hart->mode_since;
    }
    return sum;
}
uint64_t sim_nanoseconds(const struct sim *sim) { return sim_now_ns(sim); }
uint64_t sim_findings(const struct sim *sim) { return sim->told_count; }
uint64_t sim_steps(const struct sim *sim) { return sim->preempt.steps; }
