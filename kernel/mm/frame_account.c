/* What was promised of memory, and what there is: see frame_account.h. */
#include "mm/frame_account.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "mm/frame_cache.h"
#include "mm/reclaim.h"

uint64_t frame_total;
static uint64_t committed; /* atomic, <= frame_total */
static struct {
    uint64_t frames;
    bool (*granted)(uint64_t n, bool taken);
} reserve;
int64_t frame_fail_countdown;
uint64_t frame_fail_period;

static bool injected_failure(void) {
    static uint64_t commits;
    /* Not each frame_fail_period-th: a command that takes so many promises would meet one
     * each time. The multiplication scatters them, the same ones in every run (Knuth, The
     * Art of Computer Programming, 6.4: multiplicative hashing). */
    if (DEBUG && frame_fail_period) {
        uint64_t scattered = __atomic_add_fetch(&commits, 1, __ATOMIC_RELAXED) * 0x9e3779b97f4a7c15;
        if ((scattered >> 32) % frame_fail_period == 0)
            return true;
    }
    if (!DEBUG || __atomic_load_n(&frame_fail_countdown, __ATOMIC_RELAXED) <= 0)
        return false;
    return __atomic_fetch_sub(&frame_fail_countdown, 1, __ATOMIC_RELAXED) == 1;
}

void frame_keep_reserve(uint64_t frames, bool (*granted)(uint64_t n, bool taken)) {
    reserve.granted = granted;
    reserve.frames = frames;
}

int frame_commit(uint64_t n) {
    bool reserved;
    if (injected_failure())
        return -K_ENOMEM;
    uint64_t now = __atomic_load_n(&committed, __ATOMIC_RELAXED);
    do {
        if (n > frame_total - now)
            return -K_ENOMEM;
        reserved = n + reserve.frames > frame_total - now;
        if (reserved && !reserve.granted(n, false))
            return -K_ENOMEM;
    } while (!__atomic_compare_exchange_n(&committed, &now, now + n, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    if (reserved)
        reserve.granted(n, true);
    return 0;
}

void frame_uncommit(uint64_t n) {
    uint64_t before = __atomic_fetch_sub(&committed, n, __ATOMIC_RELAXED);
    ASSERT(before >= n);
}

void frame_stats(struct frame_stats *out) {
    out->total = frame_total;
    out->free = frame_cache_free();
    out->cached = reclaim_count();
    out->committed = __atomic_load_n(&committed, __ATOMIC_RELAXED) + reserve.frames;
    out->committed = MIN(out->committed, frame_total);
}
