/* The table of ports: see port.h. */
#include "socket/port.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/pieces.h"

#define BUCKETS 256
/* Those that are given to who asks for any, as Linux has them. */
#define ANY_FIRST 32768u
#define ANY_END 61000u

/* The lock guards the lists, and of the sockets in them what the place has beside the claim. */
static struct {
    struct spinlock lock;
    struct list bucket[BUCKETS];
    uint32_t next; /* of those that are given, from the first on */
} ports = {.lock = SPINLOCK_INIT(RANK_SOCKET_NAMES)};

void port_boot_init(void) {
    for (unsigned i = 0; i < BUCKETS; i++)
        list_init(&ports.bucket[i]);
}

static struct list *bucket_of(uint16_t port) { return &ports.bucket[port % BUCKETS]; }

#define PLACE_EACH(it, port) LIST_EACH(it, bucket_of(port))
static struct socket *socket_at(struct list *it) {
    return LIST_ENTRY(it, struct socket, place.link);
}

/* ---- addresses ---- */

static const uint8_t v4_prefix[INET_V4_AT] = {[10] = 0xff, [11] = 0xff};

bool inet_is_v4(const uint8_t ip[INET_BYTES]) { return !memcmp(ip, v4_prefix, INET_V4_AT); }

bool inet_is_any(const uint8_t ip[INET_BYTES]) {
    static const uint8_t none[INET_BYTES];
    unsigned at = inet_is_v4(ip) ? INET_V4_AT : 0;
    return !memcmp(ip + at, none, INET_BYTES - at);
}

bool inet_is_here(const uint8_t ip[INET_BYTES]) {
    static const uint8_t here[INET_BYTES] = {[INET_BYTES - 1] = 1};
    return inet_is_v4(ip) ? ip[INET_V4_AT] == 127 : !memcmp(ip, here, INET_BYTES);
}

static bool same_end(const struct inet_end *a, const struct inet_end *b) {
    return a->port == b->port && !memcmp(a->ip, b->ip, INET_BYTES);
}

static bool has_option(const struct socket *s, uint32_t bit) {
    return __atomic_load_n(&s->options, __ATOMIC_RELAXED) & bit;
}

/* Whether one that is bound to `mine` is at ip: any of IPv6 are all, if it is for IPv4, too. */
static bool covers(const struct socket *s, const uint8_t mine[INET_BYTES],
                   const uint8_t ip[INET_BYTES]) {
    if (!inet_is_any(mine))
        return !memcmp(mine, ip, INET_BYTES);
    if (inet_is_v4(mine) || has_option(s, SOCKET_ONLY_V6))
        return inet_is_v4(mine) == inet_is_v4(ip);
    return true;
}

/* ---- who has which ---- */

static const uint8_t *ip_of(const struct socket *s) { return s->place.address.inet.ip; }

/* Whether two that have one port, and addresses that are partly the same, may. */
static bool may_share(const struct socket *a, const struct socket *b) {
    if (has_option(a, SOCKET_REUSES_PORT) && has_option(b, SOCKET_REUSES_PORT))
        return true;
    return has_option(a, SOCKET_REUSES_ADDRESS) && has_option(b, SOCKET_REUSES_ADDRESS) &&
           !a->place.listens && !b->place.listens;
}

static bool in_use_locked(const struct socket *s, const struct inet_end *end) {
    ASSERT_LOCKED(&ports.lock);
    PLACE_EACH(it, end->port) {
        const struct socket *o = socket_at(it);
        if (o == s || o->type != s->type || o->place.address.inet.port != end->port)
            continue;
        if ((covers(o, ip_of(o), end->ip) || covers(s, end->ip, ip_of(o))) && !may_share(s, o))
            return true;
    }
    return false;
}

/* *looked: at how many sockets, and 1. */
static bool port_in_use_locked(enum socket_type type, uint16_t port, unsigned *looked) {
    ASSERT_LOCKED(&ports.lock);
    *looked = 1;
    PLACE_EACH(it, port) {
        const struct socket *o = socket_at(it);
        if (o->type == type && o->place.address.inet.port == port)
            return true;
        ++*looked;
    }
    return false;
}

static void enter_locked(struct socket *s, const struct inet_end *end) {
    ASSERT_LOCKED(&ports.lock);
    ASSERT(s->place.claimed && s->place.address.length == 0);
    s->place.address.inet = *end;
    s->place.address.length = sizeof(*end);
    list_push_back(bucket_of(end->port), &s->place.link);
}

int port_enter(struct socket *s, const struct inet_end *end) {
    spin_lock(&ports.lock);
    bool may = !in_use_locked(s, end);
    if (may)
        enter_locked(s, end);
    spin_unlock(&ports.lock);
    return may ? 0 : -K_EADDRINUSE;
}

static bool enter_next(struct socket *s, struct inet_end *end, unsigned *looked) {
    spin_lock(&ports.lock);
    end->port = (uint16_t)(ANY_FIRST + ports.next++ % (ANY_END - ANY_FIRST));
    bool may = !port_in_use_locked(s->type, end->port, looked);
    if (may)
        enter_locked(s, end);
    spin_unlock(&ports.lock);
    return may;
}

/* Each is looked at on its own, and with breaks, so that nobody waits for one who looks at many. */
int port_enter_any(struct socket *s, const uint8_t ip[INET_BYTES]) {
    struct inet_end end;
    memcpy(end.ip, ip, INET_BYTES);
    for (unsigned i = 0; i < ANY_END - ANY_FIRST; i++) {
        unsigned looked;
        if (enter_next(s, &end, &looked))
            return 0;
        piece_done(looked);
    }
    return -K_EADDRNOTAVAIL;
}

bool port_has(struct socket *s, struct inet_end *end) {
    spin_lock(&ports.lock);
    bool has = s->place.address.length > 0;
    *end = s->place.address.inet;
    spin_unlock(&ports.lock);
    return has;
}

void port_leave(struct socket *s) {
    spin_lock(&ports.lock);
    list_remove(&s->place.link);
    s->place.listens = false;
    spin_unlock(&ports.lock);
}

/* ---- who is found ---- */

static bool another_listens_locked(const struct socket *s) {
    ASSERT_LOCKED(&ports.lock);
    PLACE_EACH(it, s->place.address.inet.port) {
        const struct socket *o = socket_at(it);
        if (o != s && o->type == s->type && o->place.listens &&
            o->place.address.inet.port == s->place.address.inet.port &&
            (covers(o, ip_of(o), ip_of(s)) || covers(s, ip_of(s), ip_of(o))) && !may_share(s, o))
            return true;
    }
    return false;
}

int port_listen(struct socket *s) {
    spin_lock(&ports.lock);
    bool may = !another_listens_locked(s);
    if (may)
        s->place.listens = true;
    spin_unlock(&ports.lock);
    return may ? 0 : -K_EADDRINUSE;
}

void port_listen_end(struct socket *s) {
    spin_lock(&ports.lock);
    s->place.listens = false;
    spin_unlock(&ports.lock);
}

void port_aim(struct socket *s, const struct inet_end *remote) {
    spin_lock(&ports.lock);
    s->place.aimed = remote;
    if (remote)
        s->place.remote = *remote;
    spin_unlock(&ports.lock);
}

void port_connected(struct socket *c, const struct inet_end *mine, const struct inet_end *remote) {
    spin_lock(&ports.lock);
    c->place.address.inet = *mine;
    c->place.address.length = sizeof(*mine);
    c->place.aimed = true;
    c->place.remote = *remote;
    spin_unlock(&ports.lock);
}

bool port_remote(struct socket *s, struct inet_end *remote) {
    spin_lock(&ports.lock);
    bool aimed = s->place.aimed;
    *remote = s->place.remote;
    spin_unlock(&ports.lock);
    return aimed;
}

/* How well s fits; 0: not at all. */
static unsigned fit_locked(const struct socket *s, enum socket_type type, const struct inet_end *to,
                           const struct inet_end *from) {
    ASSERT_LOCKED(&ports.lock);
    const struct inet_end *mine = &s->place.address.inet;
    if (s->type != type || mine->port != to->port || !covers(s, mine->ip, to->ip))
        return 0;
    if (type == SOCKET_STREAM ? !s->place.listens
                              : s->place.aimed && !same_end(&s->place.remote, from))
        return 0;
    unsigned aimed = type != SOCKET_STREAM && s->place.aimed ? 4 : 0;
    if (!inet_is_any(mine->ip))
        return aimed + 3;
    return aimed + (inet_is_v4(mine->ip) == inet_is_v4(to->ip) ? 2 : 1);
}

/* Those that fit equally well take turns: the one that is found goes to the end of its list. */
struct socket *port_find(enum socket_type type, const struct inet_end *to,
                         const struct inet_end *from) {
    struct socket *found = NULL;
    unsigned best = 0;
    spin_lock(&ports.lock);
    PLACE_EACH(it, to->port) {
        unsigned fit = fit_locked(socket_at(it), type, to, from);
        if (fit > best) {
            best = fit;
            found = socket_at(it);
        }
    }
    if (found) {
        socket_get(found);
        list_remove(&found->place.link);
        list_push_back(bucket_of(to->port), &found->place.link);
    }
    spin_unlock(&ports.lock);
    return found;
}
