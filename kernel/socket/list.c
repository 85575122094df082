/* All sockets, for who asks what there is. One is in the list from its making until its last
 * reference has gone; so who goes along the list holds that at which it is. */
#include "lib/string.h"
#include "socket/sock.h"

static struct {
    struct spinlock lock;
    struct list sockets;
} all = {.lock = SPINLOCK_INIT(RANK_SOCKET_NAMES)};

void socket_list_boot_init(void) { list_init(&all.sockets); }

void socket_list_enter(struct socket *s) {
    spin_lock(&all.lock);
    list_push_back(&all.sockets, &s->all);
    spin_unlock(&all.lock);
}

void socket_list_leave(struct socket *s) {
    spin_lock(&all.lock);
    list_remove(&s->all);
    spin_unlock(&all.lock);
}

/* false: its last reference has gone, and whoever had it waits for the lock. */
static bool get_if_there(struct socket *s) {
    uint32_t refs = __atomic_load_n(&s->refs, __ATOMIC_RELAXED);
    while (refs > 0 && !__atomic_compare_exchange_n(&s->refs, &refs, refs + 1, true,
                                                    __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    return refs > 0;
}

struct socket *socket_next(struct socket *before) {
    struct socket *found = NULL;
    spin_lock(&all.lock);
    struct list *link = before ? before->all.next : all.sockets.next;
    for (; !found && link != &all.sockets; link = link->next) {
        struct socket *s = LIST_ENTRY(link, struct socket, all);
        found = get_if_there(s) ? s : NULL;
    }
    spin_unlock(&all.lock);
    if (before)
        socket_put(before);
    return found;
}

static enum socket_phase phase_locked(const struct socket *s) {
    ASSERT_LOCKED(&s->lock);
    if (s->closed || s->state == SOCKET_IDLE)
        return SOCKET_CLOSED;
    if (s->state != SOCKET_CONNECTED)
        return s->state == SOCKET_LISTENING ? SOCKET_LISTENS : SOCKET_CONNECTS;
    if (s->in_ended)
        return s->out_ended ? SOCKET_CLOSED : SOCKET_SENDS;
    return s->out_ended ? SOCKET_RECEIVES : SOCKET_BOTH_WAYS;
}

static uint32_t number_of(const struct socket *s) { return (uint32_t)((uint64_t)s >> 6); }

void socket_about(struct socket *s, struct socket_about *a) {
    memset(a, 0, sizeof(*a));
    spin_lock(&s->lock);
    a->phase = phase_locked(s);
    a->in_bytes = s->in_bytes;
    a->out_memory = s->out;
    spin_unlock(&s->lock);
    a->number = number_of(s);
    a->refs = __atomic_load_n(&s->refs, __ATOMIC_RELAXED) - 1;
    s->family->name(s, &a->name);
    if (a->phase < SOCKET_BOTH_WAYS || s->family->peer_name(s, &a->peer))
        a->peer.length = 0;
}

uint32_t socket_number(const struct file *f) {
    const struct socket *s = socket_of(f);
    return s ? number_of(s) : 0;
}
