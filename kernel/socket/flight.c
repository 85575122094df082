/* Sockets on their way: see flight.h. */
#include "socket/flight.h"
#include "lib/errno.h"

/* Guards in_flight, carries and part_of of all sockets. */
static struct spinlock lock = SPINLOCK_INIT(RANK_SOCKET_FLIGHT);

static uint32_t sockets_in(const struct carried *files) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < files->n; i++)
        n += socket_of(files->file[i]) ? 1 : 0;
    return n;
}

static bool may_fly_locked(const struct socket *to, const struct carried *files) {
    ASSERT_LOCKED(&lock);
    const struct socket *whole = to->part_of ? to->part_of : to;
    if (whole->in_flight > 0)
        return false;
    for (uint32_t i = 0; i < files->n; i++) {
        const struct socket *s = socket_of(files->file[i]);
        if (s && (s == whole || s->carries > 0))
            return false;
    }
    return true;
}

static void carry_locked(struct socket *to, uint32_t more) {
    ASSERT_LOCKED(&lock);
    to->carries += more;
    if (to->part_of)
        to->part_of->carries += more;
}

static void count_locked(struct socket *to, const struct carried *files, int more) {
    ASSERT_LOCKED(&lock);
    for (uint32_t i = 0; i < files->n; i++) {
        struct socket *s = socket_of(files->file[i]);
        if (!s)
            continue;
        s->in_flight += (uint32_t)more;
        carry_locked(to, (uint32_t)more);
    }
}

int flight_begin(struct socket *to, const struct carried *files) {
    if (sockets_in(files) == 0)
        return 0;
    spin_lock(&lock);
    bool may = may_fly_locked(to, files);
    if (may)
        count_locked(to, files, 1);
    spin_unlock(&lock);
    return may ? 0 : -K_ETOOMANYREFS;
}

void flight_end(struct socket *to, const struct carried *files) {
    if (sockets_in(files) == 0)
        return;
    spin_lock(&lock);
    count_locked(to, files, -1);
    spin_unlock(&lock);
}

void flight_drop(struct socket *to, struct carried *files) {
    for (uint32_t i = 0; i < files->n; i++) {
        struct socket *s = socket_of(files->file[i]);
        if (s)
            socket_get(s);
        file_put(files->file[i]);
        if (!s)
            continue;
        spin_lock(&lock);
        s->in_flight--;
        carry_locked(to, -1u);
        spin_unlock(&lock);
        socket_put(s);
    }
    files->n = 0;
    carried_free(files);
}

void flight_wait(struct socket *s, struct socket *listener) { s->part_of = socket_get(listener); }

void flight_accepted(struct socket *s) {
    spin_lock(&lock);
    struct socket *listener = s->part_of;
    if (listener)
        listener->carries -= s->carries;
    s->part_of = NULL;
    spin_unlock(&lock);
    if (listener)
        socket_put(listener);
}
