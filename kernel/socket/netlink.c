/* Netlink's questions about interfaces, addresses and routes (RFC 3549): a socket that asks, and is
 * answered at once, in its own queue. There is nothing to be changed, and nobody else to talk to;
 * so who waits for changes waits for ever. */
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "socket/loopback.h"
#include "socket/sock.h"

#define ASKED_MOST 256 /* bytes of all questions of one call; what is behind is not looked at */
#define ANSWER_MOST 256

/* Numbers of messages. A question is one of the first three, and its answer is two less. */
#define GET_LINK 18
#define GET_ADDRESS 22
#define GET_ROUTE 26
#define ANSWER_OF(question) ((question)-2)
#define ERROR 2
#define DONE 3

/* Flags. */
#define MULTI 2u /* of an answer: others follow, the last one says DONE */
#define WANTS_ACK 4u
#define ALL 0x300u /* both bits: of all that there are */

struct head {
    uint32_t bytes; /* with this */
    uint16_t type, flags;
    uint32_t number; /* that its asker has given it */
    uint32_t pid;    /* of the asker's socket */
};

struct link {
    uint8_t family, pad;
    uint16_t hardware;
    int32_t index;
    uint32_t flags, change;
};

struct address {
    uint8_t family, prefix, flags, scope;
    uint32_t index;
};

#define FAMILY_V4 2
#define FAMILY_V6 10
#define PERMANENT 0x80
#define SCOPE_HOST 254
/* Attributes. */
enum {
    LINK_HARDWARE = 1,
    LINK_BROADCAST,
    LINK_NAME,
    LINK_MTU,
    LINK_QUEUE = 13,
    LINK_OTHER_NAME = 53
};
#define LINK_NAME_MOST 15 /* bytes, without the end */
#define LINK_OTHER_NAME_MOST 127
#define ATTRIBUTE_KIND 0x3fffu /* of an attribute's number; the rest says how it is made */
enum { ADDRESS_PEER = 1, ADDRESS_OWN, ADDRESS_LABEL };

/* Messages, one behind the other, each at a multiple of four bytes. */
struct answer {
    uint32_t bytes, begun; /* where the last message begins */
    _Alignas(uint64_t) char text[ANSWER_MOST];
};

static void put(struct answer *a, const void *from, size_t n) {
    ASSERT(a->bytes + n <= sizeof(a->text));
    memcpy(a->text + a->bytes, from, n);
    a->bytes = (uint32_t)ROUND_UP(a->bytes + n, sizeof(uint32_t));
}

static void put_attribute(struct answer *a, uint16_t kind, const void *value, size_t n) {
    const uint16_t head[2] = {(uint16_t)(sizeof(head) + n), kind};
    put(a, head, sizeof(head));
    put(a, value, n);
}

static void begin(struct answer *a, const struct head *asked, uint16_t type, uint32_t flags) {
    const struct head h = {
        .type = type, .flags = (uint16_t)flags, .number = asked->number, .pid = asked->pid};
    a->begun = a->bytes;
    put(a, &h, sizeof(h));
}

static void end(struct answer *a) {
    uint32_t bytes = a->bytes - a->begun;
    memcpy(a->text + a->begun, &bytes, sizeof(bytes));
}

/* ---- answers ---- */

static void tell_link(struct answer *a, const struct head *asked, uint32_t flags) {
    static const struct link link = {.hardware = LOOPBACK_HARDWARE,
                                     .index = LOOPBACK_INDEX,
                                     .flags = LOOPBACK_FLAGS | LOOPBACK_LOWER_UP};
    static const uint8_t none[6];
    static const uint32_t mtu = LOOPBACK_MTU, queue = LOOPBACK_QUEUE;
    begin(a, asked, ANSWER_OF(GET_LINK), flags);
    put(a, &link, sizeof(link));
    put_attribute(a, LINK_NAME, LOOPBACK_NAME, sizeof(LOOPBACK_NAME));
    put_attribute(a, LINK_MTU, &mtu, sizeof(mtu));
    put_attribute(a, LINK_QUEUE, &queue, sizeof(queue));
    put_attribute(a, LINK_HARDWARE, none, sizeof(none));
    put_attribute(a, LINK_BROADCAST, none, sizeof(none));
    end(a);
}

static void tell_address(struct answer *a, const struct head *asked, bool v4) {
    static const uint8_t ip_v4[4] = {127, 0, 0, 1}, ip_v6[16] = {[15] = 1};
    const struct address address = {.family = v4 ? FAMILY_V4 : FAMILY_V6,
                                    .prefix = v4 ? 8 : 128,
                                    .flags = PERMANENT,
                                    .scope = SCOPE_HOST,
                                    .index = LOOPBACK_INDEX};
    begin(a, asked, ANSWER_OF(GET_ADDRESS), MULTI);
    put(a, &address, sizeof(address));
    put_attribute(a, ADDRESS_PEER, v4 ? ip_v4 : ip_v6, v4 ? sizeof(ip_v4) : sizeof(ip_v6));
    if (v4) {
        put_attribute(a, ADDRESS_OWN, ip_v4, sizeof(ip_v4));
        put_attribute(a, ADDRESS_LABEL, LOOPBACK_NAME, sizeof(LOOPBACK_NAME));
    }
    end(a);
}

/* An error, with the question's head; 0: it was done. */
static void tell_error(struct answer *a, const struct head *asked, int32_t err) {
    begin(a, asked, ERROR, 0);
    put(a, &err, sizeof(err));
    put(a, asked, sizeof(*asked));
    end(a);
}

/* family: whose addresses; 0: of all. */
static void tell_all(struct answer *a, const struct head *asked, uint8_t family) {
    static const int32_t well = 0;
    if (asked->type == GET_LINK)
        tell_link(a, asked, MULTI);
    if (asked->type == GET_ADDRESS && (family == 0 || family == FAMILY_V4))
        tell_address(a, asked, true);
    if (asked->type == GET_ADDRESS && (family == 0 || family == FAMILY_V6))
        tell_address(a, asked, false);
    begin(a, asked, DONE, MULTI);
    put(a, &well, sizeof(well));
    end(a);
}

/* Of a question: the text of its last attribute of this kind; NULL: there is none. */
static const char *attribute_of(const char *text, uint32_t n, uint16_t kind, uint16_t *bytes) {
    const char *found = NULL;
    uint16_t head[2];
    uint32_t at = sizeof(struct head) + sizeof(struct link);
    for (; at + sizeof(head) <= n; at += (uint32_t)ROUND_UP(head[0], sizeof(uint32_t))) {
        memcpy(head, text + at, sizeof(head));
        if (head[0] < sizeof(head) || head[0] > n - at)
            break;
        if ((head[1] & ATTRIBUTE_KIND) == kind) {
            *bytes = (uint16_t)(head[0] - sizeof(head));
            found = text + at + sizeof(head);
        }
    }
    return found;
}

/* Whether a question for one interface is for the one that there is: by its number, or else by a
 * name, which may have its end or not. -K_EINVAL: by neither; -K_ENODEV; -K_ERANGE: no interface
 * can have that name. */
static int check_which(const char *text, uint32_t n) {
    int32_t index;
    uint16_t bytes;
    if (n < sizeof(struct head) + sizeof(struct link))
        return -K_EINVAL;
    memcpy(&index, text + sizeof(struct head) + offsetof(struct link, index), sizeof(index));
    if (index > 0)
        return index == LOOPBACK_INDEX ? 0 : -K_ENODEV;
    const char *name = attribute_of(text, n, LINK_NAME, &bytes);
    uint16_t most = LINK_NAME_MOST;
    if (!name) {
        name = attribute_of(text, n, LINK_OTHER_NAME, &bytes);
        most = LINK_OTHER_NAME_MOST;
    }
    if (!name)
        return -K_EINVAL;
    size_t length = strnlen(name, bytes);
    if (length > most)
        return -K_ERANGE;
    bool here = length == sizeof(LOOPBACK_NAME) - 1 && !memcmp(name, LOOPBACK_NAME, length);
    return here ? 0 : -K_ENODEV;
}

/* One question, of which so many bytes are there, its head among them. */
static void reply(struct answer *a, const struct head *asked, const char *text, uint32_t n) {
    bool known = asked->type == GET_LINK || asked->type == GET_ADDRESS || asked->type == GET_ROUTE;
    uint8_t family = n > sizeof(*asked) ? (uint8_t)text[sizeof(*asked)] : 0;
    if (known && (asked->flags & ALL) == ALL) {
        tell_all(a, asked, family);
        return;
    }
    int err = asked->type == GET_LINK ? check_which(text, n) : -K_ENOTSUP;
    if (!err)
        tell_link(a, asked, 0);
    if (err || (asked->flags & (WANTS_ACK | ALL)) == WANTS_ACK)
        tell_error(a, asked, err);
}

/* ---- the socket ---- */

static uint32_t pid_of(struct socket *s) {
    return __atomic_load_n(&s->place.address.length, __ATOMIC_ACQUIRE)
               ? s->place.address.netlink.pid
               : 0;
}

/* The numbers of sockets are for who sends to others than the kernel, which nobody can: so a
 * process may have one for several. */
static int netlink_bind(struct socket *s, struct node *start, const struct socket_address *a,
                        uint16_t mode) {
    uint32_t pid = a->netlink.pid;
    s->place.address.netlink.pid = pid ? pid : (uint32_t)proc_self()->pid;
    __atomic_store_n(&s->place.address.length, sizeof(a->netlink), __ATOMIC_RELEASE);
    return 0;
}

static void have_number(struct socket *s) {
    const struct socket_address any = {.length = sizeof(any.netlink)};
    if (!pid_of(s) && !name_claim(s)) {
        (void)!netlink_bind(s, NULL, &any, 0);
        name_claim_end(s);
    }
}

/* One datagram for each question. */
static int answer_one(struct socket *s, const struct head *asked, const char *text, uint32_t n) {
    struct answer a = {.bytes = 0};
    struct message *m;
    reply(&a, asked, text, n);
    int err = message_of(a.text, a.bytes, &m);
    if (err)
        return err;
    err = socket_enqueue(s, m);
    if (err)
        socket_message_done(m);
    return err ? -K_ENOBUFS : 0;
}

static int ask(struct socket *s, struct socket_sending *what, size_t *done) {
    _Alignas(uint64_t) char text[ASKED_MOST];
    size_t copied;
    struct head h;
    if (what->to && what->to->netlink.pid)
        return -K_ECONNREFUSED;
    /* Programs send all of their buffer: what is behind the questions is zeros. */
    int err = span_in(&what->span, text, MIN(what->bytes, sizeof(text)), &copied);
    if (!err)
        have_number(s);
    for (size_t at = 0; !err && at + sizeof(h) <= copied; at += ROUND_UP(h.bytes, 4UL)) {
        memcpy(&h, text + at, sizeof(h));
        if (h.bytes < sizeof(h) || h.bytes > copied - at)
            break;
        h.pid = pid_of(s);
        err = answer_one(s, &h, text + at, h.bytes);
    }
    *done = err ? 0 : what->bytes;
    return err;
}

static int netlink_aim(struct socket *s, struct node *start, const struct socket_address *a) {
    if (a && a->netlink.pid)
        return -K_ECONNREFUSED;
    spin_lock(&s->lock);
    s->state = a ? SOCKET_CONNECTED : SOCKET_IDLE;
    spin_unlock(&s->lock);
    return 0;
}

static void netlink_name(struct socket *s, struct socket_address *a) {
    *a = (struct socket_address){.length = sizeof(a->netlink), .netlink = {pid_of(s)}};
}

/* The kernel's number is 0. */
static void netlink_sender(const struct message *m, struct socket_address *a) {
    *a = (struct socket_address){.length = sizeof(a->netlink)};
}

static int netlink_peer_name(struct socket *s, struct socket_address *a) {
    *a = (struct socket_address){.length = sizeof(a->netlink)};
    return 0;
}

static void netlink_leave(struct socket *s) {}

const struct socket_family socket_netlink = {
    .bind = netlink_bind,
    .aim = netlink_aim,
    .ask = ask,
    .name = netlink_name,
    .sender = netlink_sender,
    .peer_name = netlink_peer_name,
    .leave = netlink_leave,
    .drops = true,
};
