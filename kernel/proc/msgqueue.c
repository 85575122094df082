/* Queues of messages of System V: see msgqueue.h. */
#include "proc/msgqueue.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "proc/proc.h"

/* A message's bytes are in records of two sizes. */
struct piece {
    struct piece *next;
    uint32_t size; /* index in sizes */
    uint32_t bytes;
    char data[];
};

struct letter {
    struct letter *next;
    int64_t type;
    size_t bytes;
    uint64_t cost; /* of its records */
    struct piece *first;
};

struct msgqueue {
    struct msgqueue_about about;
    struct letter *first;
    uint32_t waiting; /* threads; the last of them frees a queue that was removed */
    struct wait_channel came, went;
};

static struct ipc_table table = IPC_TABLE_INIT(RANK_MSGQUEUES);
static struct slab queues = SLAB_INIT(queues, sizeof(struct msgqueue));
static struct slab letters = SLAB_INIT(letters, sizeof(struct letter));
static struct slab sizes[] = {SLAB_INIT(sizes[0], 96), SLAB_INIT(sizes[1], 1008)};

/* Of memory that messages may take, on the whole machine: nobody's account has what stays without a
 * process. Guarded by the table's lock. */
#define COST_MOST MIB(2)
static uint64_t cost;

/* ---- messages ---- */

static void letter_give(struct letter *l) {
    for (struct piece *p = l->first, *next; p; p = next) {
        next = p->next;
        slab_give(&sizes[p->size], p);
    }
    slab_give(&letters, l);
}

/* A list of them. */
static void letters_give(struct letter *l) {
    for (struct letter *next; l; l = next) {
        next = l->next;
        letter_give(l);
    }
}

static int fill(struct letter *l, uaddr_t from, size_t n) {
    struct piece **end = &l->first;
    while (l->bytes < n) {
        size_t left = n - l->bytes;
        uint32_t size = left > sizes[0].size - sizeof(struct piece);
        struct piece *p = slab_take(&sizes[size]);
        if (!p)
            return -K_ENOMEM;
        size_t bytes = MIN(left, sizes[size].size - sizeof(*p));
        *p = (struct piece){.size = size, .bytes = (uint32_t)bytes};
        *end = p;
        end = &p->next;
        l->cost += sizes[size].size;
        int err = copyin(p->data, UA(from.v + l->bytes), bytes);
        if (err)
            return err;
        l->bytes += bytes;
    }
    return 0;
}

static int letter_make(int64_t type, uaddr_t from, size_t n, struct letter **out) {
    struct letter *l = slab_take(&letters);
    if (!l)
        return -K_ENOMEM;
    *l = (struct letter){.type = type, .cost = sizeof(*l)};
    int err = fill(l, from, n);
    if (err)
        letter_give(l);
    *out = l;
    return err;
}

static int tell(const struct letter *l, uaddr_t to, size_t n) {
    int err = 0;
    for (const struct piece *p = l->first; p && n > 0 && !err; p = p->next) {
        size_t bytes = MIN(n, (size_t)p->bytes);
        err = copyout(to, p->data, bytes);
        to.v += bytes;
        n -= bytes;
    }
    return err;
}

/* ---- queues ---- */

static struct msgqueue *of_thing(struct ipc_thing *t) {
    return t ? CONTAINER_OF(t, struct msgqueue, about.common) : NULL;
}

static struct msgqueue *find_locked(int32_t id) {
    ASSERT_LOCKED(&table.lock);
    return of_thing(ipc_find_locked(&table, id));
}

static int look(const struct ipc_wish *w, struct msgqueue **fresh, int32_t *id) {
    struct ipc_thing *found;
    spin_lock(&table.lock);
    int err = ipc_look_locked(&table, w, &found);
    if (!err && !found && *fresh) {
        found = &(*fresh)->about.common;
        err = ipc_add_locked(&table, found);
        if (!err)
            *fresh = NULL;
    }
    *id = !err && found ? found->id : -1;
    spin_unlock(&table.lock);
    return err;
}

int msgqueue_get(const struct ipc_wish *w, int32_t *id) {
    struct msgqueue *fresh = NULL;
    int err = look(w, &fresh, id);
    if (err || *id >= 0)
        return err;
    fresh = slab_take(&queues);
    if (!fresh)
        return -K_ENOMEM;
    *fresh = (struct msgqueue){
        .about = {.common = {.key = w->key, .mode = w->mode, .changed = ipc_now()},
                  .most = MSGQUEUE_BYTES}};
    wait_channel_init(&fresh->came);
    wait_channel_init(&fresh->went);
    err = look(w, &fresh, id);
    if (fresh)
        slab_give(&queues, fresh);
    return err;
}

static void free_unused_locked(struct msgqueue *q) {
    ASSERT_LOCKED(&table.lock);
    if (q->about.common.removed && q->waiting == 0)
        slab_give(&queues, q);
}

int msgqueue_remove(int32_t id) {
    struct letter *left = NULL;
    spin_lock(&table.lock);
    struct msgqueue *q = find_locked(id);
    if (q) {
        ipc_take_locked(&table, &q->about.common);
        q->about.common.removed = true;
        left = q->first;
        for (const struct letter *l = left; l; l = l->next)
            cost -= l->cost;
        wakeup(&q->came);
        wakeup(&q->went);
        free_unused_locked(q);
    }
    spin_unlock(&table.lock);
    letters_give(left);
    return q ? 0 : -K_EINVAL;
}

/* Waits for a change of the queue. -K_EINTR; -K_EIDRM: it is gone, and is nobody's. */
static int wait_locked(struct msgqueue *q, struct wait_channel *change) {
    ASSERT_LOCKED(&table.lock);
    if (proc_interrupted())
        return -K_EINTR;
    q->waiting++;
    sleep_on(change, &table.lock);
    q->waiting--;
    if (!q->about.common.removed)
        return 0;
    free_unused_locked(q);
    return -K_EIDRM;
}

/* ---- sending and receiving ---- */

static bool has_room_locked(const struct msgqueue *q, const struct letter *l) {
    ASSERT_LOCKED(&table.lock);
    const struct msgqueue_about *a = &q->about;
    return a->letters < MIN((uint64_t)MSGQUEUE_LETTERS, a->most) && a->bytes + l->bytes <= a->most;
}

static void add_locked(struct msgqueue *q, struct letter *l) {
    ASSERT_LOCKED(&table.lock);
    struct letter **end = &q->first;
    while (*end)
        end = &(*end)->next;
    *end = l;
    q->about.bytes += l->bytes;
    q->about.letters++;
    q->about.sender = proc_self()->pid;
    q->about.sent_at = ipc_now();
    cost += l->cost;
    wakeup(&q->came);
}

static int send_locked(int32_t id, struct letter *l, bool waits) {
    ASSERT_LOCKED(&table.lock);
    struct msgqueue *q = find_locked(id);
    int err = q ? 0 : -K_EINVAL;
    while (!err && !has_room_locked(q, l))
        err = waits ? wait_locked(q, &q->went) : -K_EAGAIN;
    if (!err && cost + l->cost > COST_MOST)
        err = -K_ENOMEM;
    if (!err)
        add_locked(q, l);
    return err;
}

int msgqueue_send(int32_t id, int64_t type, uaddr_t from, size_t n, bool waits) {
    struct letter *l;
    if (n > MSGQUEUE_LONGEST || type < 1)
        return -K_EINVAL;
    int err = letter_make(type, from, n, &l);
    if (err)
        return err;
    spin_lock(&table.lock);
    err = send_locked(id, l, waits);
    spin_unlock(&table.lock);
    if (err)
        letter_give(l);
    return err;
}

static bool fits(const struct letter *l, const struct msgqueue_choice *c) {
    if (c->but)
        return l->type != c->type;
    return c->type >= 0 ? c->type == 0 || l->type == c->type
                        : l->type <= (c->type == INT64_MIN ? INT64_MAX : -c->type);
}

/* Where the one is that was asked for; NULL: there is none. */
static struct letter **choose_locked(struct msgqueue *q, const struct msgqueue_choice *c) {
    ASSERT_LOCKED(&table.lock);
    struct letter **found = NULL;
    for (struct letter **at = &q->first; *at; at = &(*at)->next) {
        if (!fits(*at, c) || (found && (*found)->type <= (*at)->type))
            continue;
        found = at;
        if (c->but || c->type >= 0)
            break;
    }
    return found;
}

static void take_locked(struct msgqueue *q, struct letter **at, struct letter **out) {
    ASSERT_LOCKED(&table.lock);
    struct letter *l = *at;
    *at = l->next;
    q->about.bytes -= l->bytes;
    q->about.letters--;
    q->about.receiver = proc_self()->pid;
    q->about.received_at = ipc_now();
    cost -= l->cost;
    wakeup(&q->went);
    *out = l;
}

static int receive_locked(int32_t id, const struct msgqueue_choice *c, size_t room,
                          struct letter **out) {
    ASSERT_LOCKED(&table.lock);
    struct msgqueue *q = find_locked(id);
    struct letter **at = NULL;
    int err = q ? 0 : -K_EINVAL;
    while (!err && !(at = choose_locked(q, c)))
        err = c->waits ? wait_locked(q, &q->came) : -K_ENOMSG;
    if (!err && (*at)->bytes > room && !c->cut)
        err = -K_E2BIG;
    if (!err)
        take_locked(q, at, out);
    return err;
}

int msgqueue_receive(int32_t id, const struct msgqueue_choice *c, uaddr_t to, size_t *n,
                     int64_t *type) {
    struct letter *l = NULL;
    spin_lock(&table.lock);
    int err = receive_locked(id, c, *n, &l);
    spin_unlock(&table.lock);
    if (err)
        return err;
    *n = MIN(*n, l->bytes);
    *type = l->type;
    err = tell(l, to, *n);
    letter_give(l);
    return err;
}

/* ---- what is known of them ---- */

int msgqueue_look(int32_t id, bool by_place, struct msgqueue_about *out) {
    spin_lock(&table.lock);
    struct msgqueue *q = by_place ? of_thing(ipc_at_locked(&table, (uint32_t)id)) : find_locked(id);
    if (q)
        *out = q->about;
    spin_unlock(&table.lock);
    return q ? 0 : -K_EINVAL;
}

int msgqueue_set(int32_t id, uint32_t uid, uint32_t gid, uint32_t mode, uint64_t most) {
    if (most > MSGQUEUE_BYTES)
        return -K_EPERM;
    spin_lock(&table.lock);
    struct msgqueue *q = find_locked(id);
    if (q) {
        ipc_set_locked(&table, &q->about.common, uid, gid, mode);
        q->about.most = most;
        wakeup(&q->went);
    }
    spin_unlock(&table.lock);
    return q ? 0 : -K_EINVAL;
}

struct msgqueue_sums msgqueue_sums(void) {
    spin_lock(&table.lock);
    struct msgqueue_sums s = {.used = table.used, .places = ipc_places_locked(&table)};
    for (uint32_t i = 0; i < s.places; i++) {
        const struct msgqueue *q = of_thing(table.thing[i]);
        s.letters += q ? (uint32_t)q->about.letters : 0;
        s.bytes += q ? (uint32_t)q->about.bytes : 0;
    }
    spin_unlock(&table.lock);
    return s;
}
