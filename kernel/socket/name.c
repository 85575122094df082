/* The addresses of sockets: in a file system a node stands for one, other names are in the table
 * alone. */
#include "lib/errno.h"
#include "lib/string.h"
#include "socket/sock.h"
#include "vfs/names.h"

#define BUCKETS 64
#define MIX 0x9e3779b97f4a7c15ULL

/* The lock guards the lists, and who is in one. */
static struct {
    struct spinlock lock;
    struct list bucket[BUCKETS];
    uint32_t next; /* of the names that are given to who asks for any */
} names = {.lock = SPINLOCK_INIT(RANK_SOCKET_NAMES)};

void name_boot_init(void) {
    for (unsigned i = 0; i < BUCKETS; i++)
        list_init(&names.bucket[i]);
}

static struct list *bucket_of(const struct socket_address *a, const struct node *n) {
    uint64_t h = (uint64_t)n * MIX;
    for (unsigned i = 0; !n && i < a->length; i++)
        h = (h ^ (uint8_t)a->bytes[i]) * MIX;
    return &names.bucket[h >> 32 & (BUCKETS - 1)];
}

static bool is_it(const struct socket *s, enum socket_type type, const struct socket_address *a,
                  const struct node *n) {
    const struct socket_place *p = &s->place;
    if (n || p->node)
        return p->node == n;
    return s->type == type && p->address.length == a->length &&
           !memcmp(p->address.bytes, a->bytes, a->length);
}

/* Names in no file system are those of one type of sockets. */
static struct socket *find_locked(enum socket_type type, const struct socket_address *a,
                                  const struct node *n) {
    ASSERT_LOCKED(&names.lock);
    struct list *bucket = bucket_of(a, n);
    LIST_EACH(it, bucket) {
        struct socket *s = LIST_ENTRY(it, struct socket, place.link);
        if (is_it(s, type, a, n))
            return s;
    }
    return NULL;
}

int name_claim(struct socket *s) {
    spin_lock(&names.lock);
    bool may = !s->place.claimed && s->place.address.length == 0;
    s->place.claimed |= may;
    spin_unlock(&names.lock);
    return may ? 0 : -K_EINVAL;
}

void name_claim_end(struct socket *s) {
    spin_lock(&names.lock);
    s->place.claimed = false;
    spin_unlock(&names.lock);
}

void name_set(struct socket *s, const struct socket_address *a) {
    memcpy(s->place.address.bytes, a->bytes, sizeof(a->bytes));
    __atomic_store_n(&s->place.address.length, a->length, __ATOMIC_RELEASE); /* unix_name */
}

static int enter_locked(struct socket *s, const struct socket_address *a, struct node *n) {
    ASSERT_LOCKED(&names.lock);
    ASSERT(s->place.claimed && s->place.address.length == 0);
    if (find_locked(s->type, a, n))
        return -K_EADDRINUSE;
    name_set(s, a);
    s->place.node = n ? node_get(n) : NULL;
    list_push_back(bucket_of(a, n), &s->place.link);
    return 0;
}

int name_enter(struct socket *s, const struct socket_address *a, struct node *n) {
    spin_lock(&names.lock);
    int err = enter_locked(s, a, n);
    spin_unlock(&names.lock);
    return err;
}

#define ANY_DIGITS 5

/* Names of five digits, as Linux has them, in hexadecimal. */
static void next_any_locked(struct socket_address *a) {
    ASSERT_LOCKED(&names.lock);
    uint32_t n = names.next++;
    a->length = 1 + ANY_DIGITS;
    a->bytes[0] = '\0';
    for (unsigned i = ANY_DIGITS; i > 0; i--, n >>= 4)
        a->bytes[i] = "0123456789abcdef"[n & 0xf];
}

int name_enter_any(struct socket *s) {
    struct socket_address a;
    int err;
    spin_lock(&names.lock);
    do {
        next_any_locked(&a);
        err = enter_locked(s, &a, NULL);
    } while (err == -K_EADDRINUSE);
    spin_unlock(&names.lock);
    return err;
}

void name_leave(struct socket *s) {
    spin_lock(&names.lock);
    struct node *n = s->place.node;
    list_remove(&s->place.link);
    s->place.node = NULL;
    spin_unlock(&names.lock);
    if (n)
        node_put(n);
}

/* A path's node, which somebody's socket may be. */
static int find_node(enum socket_type type, struct node *start, const struct socket_address *a,
                     struct socket **out) {
    struct node *n;
    int err = path_lookup_from(start, a->bytes, true, &n);
    if (err)
        return err;
    spin_lock(&names.lock);
    *out = find_locked(type, a, n);
    if (*out)
        socket_get(*out);
    spin_unlock(&names.lock);
    node_put(n);
    return *out ? 0 : -K_ECONNREFUSED;
}

int name_find(enum socket_type type, struct node *start, const struct socket_address *a,
              struct socket **out) {
    if (a->length > 0 && a->bytes[0])
        return find_node(type, start, a, out);
    spin_lock(&names.lock);
    *out = a->length > 0 ? find_locked(type, a, NULL) : NULL;
    if (*out)
        socket_get(*out);
    spin_unlock(&names.lock);
    return *out ? 0 : -K_ECONNREFUSED;
}
