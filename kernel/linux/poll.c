/* Waiting until files are ready: poll and select. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/signal.h"
#include "vfs/descriptor.h"
#include "vfs/poll.h"

/* ---- how long, and with which signals ---- */

uint64_t linux_wait_end(uint64_t span) {
    uint64_t until = span == UINT64_MAX ? span : span ? clock_after(span) : 0;
    uint64_t end = signal_resume_until(until); /* asked in any case: it is this call's */
    return until ? end : 0;
}

int linux_time_limit(uint64_t address, uint64_t *until) {
    uint64_t span = UINT64_MAX;
    int err = address ? linux_time(address, &span) : 0;
    if (!err)
        *until = linux_wait_end(span);
    return err;
}

/* What is left of it; a program that has it in memory that cannot be written does not hear. */
static void tell_left(uint64_t address, uint64_t until) {
    if (address && until != UINT64_MAX)
        (void)!linux_tell_time(address, clock_left(until));
}

int linux_mask_begin(uint64_t address, uint64_t bytes) {
    uint64_t mask;
    if (!address)
        return 0;
    if (bytes != sizeof(mask))
        return -K_EINVAL;
    int err = copyin(&mask, UA(address), sizeof(mask));
    return err ? err : signal_mask_begin(mask);
}

void linux_mask_end(uint64_t address, int err) {
    if (address)
        signal_mask_end(err);
}

static int wait_with_mask(struct poll_set *s, uint64_t until, uint64_t mask_at, uint64_t mask_bytes,
                          unsigned *ready) {
    int err = linux_mask_begin(mask_at, mask_bytes);
    if (err)
        return err;
    err = poll_wait(s, until, ready);
    linux_mask_end(mask_at, err);
    return err;
}

/* ---- poll ---- */

struct pollfd {
    int32_t fd;
    int16_t events, revents;
};
#define POLLNVAL 0x20
#define POLLRDNORM 0x40
#define POLLWRNORM 0x100
#define READY_ALWAYS (READY_ERROR | READY_HANGUP)

unsigned linux_ready_wanted(unsigned events) {
    return (events & (READY_READABLE | READY_WRITABLE | READY_LAST)) |
           (events & POLLRDNORM ? READY_READABLE : 0) | (events & POLLWRNORM ? READY_WRITABLE : 0) |
           READY_ALWAYS;
}

unsigned linux_ready_told(unsigned events, unsigned found) {
    unsigned others = (found & READY_READABLE ? POLLRDNORM : 0) |
                      (found & READY_WRITABLE ? POLLWRNORM : 0);
    return (found | others) & (events | READY_ALWAYS);
}

/* The rest of the entry is the program's, which may change it while it waits. */
static int tell_entry(uint64_t at, unsigned what, uint64_t *ready) {
    int16_t told = (int16_t)what;
    *ready += what != 0;
    return copyout(UA(at + offsetof(struct pollfd, revents)), &told, sizeof(told));
}

/* What is kept of an entry: its number, and what was asked of it. */
static uint64_t tag_of(uint64_t i, int16_t events) { return i << 16 | (uint16_t)events; }
static unsigned events_of(uint64_t tag) { return tag & UINT16_MAX; }
static uint64_t entry_at(uint64_t array, uint64_t i) { return array + i * sizeof(struct pollfd); }

/* Adds an entry's file; one that has none is told at once. */
static int add_entry(struct poll_set *s, uint64_t array, uint64_t i, uint64_t *ready) {
    struct pollfd p;
    int err = copyin(&p, UA(entry_at(array, i)), sizeof(p));
    if (err)
        return err;
    struct file *f = p.fd < 0 ? NULL : fd_begin(fd_arg((uint64_t)p.fd));
    if (!f)
        return tell_entry(entry_at(array, i), p.fd < 0 ? 0 : POLLNVAL, ready);
    uint64_t tag = tag_of(i, p.events);
    err = poll_add(s, f, linux_ready_wanted(events_of(tag)), tag);
    fd_end(f);
    return err;
}

static int tell_entries(const struct poll_set *s, uint64_t array, uint64_t *ready) {
    int err = 0;
    for (const struct polled *at = s->first; at && !err; at = at->next)
        err = tell_entry(entry_at(array, at->tag >> 16),
                         linux_ready_told(events_of(at->tag), at->found), ready);
    return err;
}

int linux_ppoll(const uint64_t arg[6], uint64_t *result) {
    struct poll_set s;
    uint64_t until;
    unsigned ready;
    if (arg[1] > ABI_NOFILE)
        return -K_EINVAL;
    int err = linux_time_limit(arg[2], &until);
    if (err)
        return err;
    poll_begin(&s);
    for (uint64_t i = 0; i < arg[1] && !err; i++)
        err = add_entry(&s, arg[0], i, result);
    if (!err)
        err = wait_with_mask(&s, *result ? 0 : until, arg[3], arg[4], &ready);
    if (!err)
        err = tell_entries(&s, arg[0], result);
    poll_end(&s);
    if (err != -K_EINTR)
        tell_left(arg[2], until);
    return err;
}

/* ---- select ---- */

#define SETS 3 /* to read, to write, and what there never is: exceptions */
struct sets {
    uint64_t word[SETS][ABI_NOFILE / 64];
};

static const unsigned wanted_in[SETS] = {READY_READABLE | READY_HANGUP | READY_ERROR,
                                         READY_WRITABLE | READY_ERROR, 0};

static uint64_t set_bytes(uint64_t n) { return ROUND_UP(n, 64) / 8; }

static int read_sets(struct sets *sets, const uint64_t arg[4]) {
    int err = 0;
    memset(sets, 0, sizeof(*sets));
    for (unsigned i = 0; i < SETS && !err; i++)
        if (arg[1 + i])
            err = copyin(sets->word[i], UA(arg[1 + i]), set_bytes(arg[0]));
    return err;
}

static int write_sets(const struct sets *sets, const uint64_t arg[4]) {
    int err = 0;
    for (unsigned i = 0; i < SETS && !err; i++)
        if (arg[1 + i])
            err = copyout(UA(arg[1 + i]), sets->word[i], set_bytes(arg[0]));
    return err;
}

static int add_selected(struct poll_set *s, const struct sets *sets, uint64_t fd) {
    unsigned events = 0;
    bool asked = false;
    for (unsigned i = 0; i < SETS; i++)
        if (sets->word[i][fd / 64] >> fd % 64 & 1) {
            events |= wanted_in[i];
            asked = true;
        }
    if (!asked)
        return 0;
    struct file *f = fd_begin(fd);
    if (!f)
        return -K_EBADF;
    int err = poll_add(s, f, events, fd);
    fd_end(f);
    return err;
}

/* Leaves the bits of what is ready, and counts them. */
static uint64_t keep_ready(const struct poll_set *s, struct sets *sets) {
    uint64_t bits = 0;
    struct sets asked = *sets;
    memset(sets, 0, sizeof(*sets));
    for (const struct polled *at = s->first; at; at = at->next)
        for (unsigned i = 0; i < SETS; i++) {
            uint64_t bit = 1ULL << at->tag % 64;
            if (!(asked.word[i][at->tag / 64] & bit) || !(at->found & wanted_in[i]))
                continue;
            sets->word[i][at->tag / 64] |= bit;
            bits++;
        }
    return bits;
}

/* Where the mask is and how long; 0: there is none. */
static int read_mask_place(uint64_t address, uint64_t place[2]) {
    place[0] = place[1] = 0;
    return address ? copyin(place, UA(address), 2 * sizeof(place[0])) : 0;
}

int linux_pselect6(const uint64_t arg[6], uint64_t *result) {
    struct poll_set s;
    struct sets sets;
    uint64_t until, mask[2];
    unsigned ready;
    if ((int32_t)arg[0] < 0)
        return -K_EINVAL;
    const uint64_t bounded[4] = {MIN(arg[0], (uint64_t)ABI_NOFILE), arg[1], arg[2], arg[3]};
    int err = linux_time_limit(arg[4], &until);
    if (!err)
        err = read_mask_place(arg[5], mask);
    if (!err)
        err = read_sets(&sets, bounded);
    if (err)
        return err;
    poll_begin(&s);
    for (uint64_t fd = 0; fd < bounded[0] && !err; fd++)
        err = add_selected(&s, &sets, fd);
    if (!err)
        err = wait_with_mask(&s, until, mask[0], mask[1], &ready);
    if (!err) {
        *result = keep_ready(&s, &sets);
        err = write_sets(&sets, bounded);
    }
    poll_end(&s);
    if (err != -K_EINTR)
        tell_left(arg[4], until);
    return err;
}
