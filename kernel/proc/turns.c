/* How threads wait for a change of their space's mappings (mm/turn.h). Few do so at a time: all
 * share some channels, and look at their own space's word when they are woken. */
#include "proc/turns.h"
#include "mm/turn.h"
#include "proc/sleeplock.h"

#define CHANNELS 8

static struct channel {
    struct spinlock lock;
    struct wait_channel ended;
} channels[CHANNELS];

static struct channel *channel_of(const uint32_t *word) {
    return &channels[(uintptr_t)word / sizeof(struct aspace) % CHANNELS];
}

static void may_wait(void) { sleep_may_wait(RANK_TURN); }

static void wait(const uint32_t *word, uint32_t value) {
    struct channel *c = channel_of(word);
    spin_lock(&c->lock);
    while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
        sleep_on(&c->ended, &c->lock);
    spin_unlock(&c->lock);
}

static void wake(const uint32_t *word) {
    struct channel *c = channel_of(word);
    spin_lock(&c->lock);
    wakeup(&c->ended);
    spin_unlock(&c->lock);
}

static const struct turn_ops ops = {.may_wait = may_wait, .wait = wait, .wake = wake};

void turns_init(void) {
    for (struct channel *c = channels; c < channels + CHANNELS; c++) {
        spin_init(&c->lock, RANK_TURN_WAIT);
        wait_channel_init(&c->ended);
    }
    turn_ops = &ops;
}
