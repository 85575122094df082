/* What programs ask of the network's interfaces by ioctl. There is one, and it cannot be changed.
 * The same by messages: socket/netlink.c. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/socket.h"
#include "mm/uaccess.h"
#include "socket/loopback.h"

#define SIOCGIFNAME 0x8910
#define SIOCGIFCONF 0x8912
#define SIOCGIFFLAGS 0x8913
#define SIOCSIFFLAGS 0x8914
#define SIOCGIFADDR 0x8915
#define SIOCGIFDSTADDR 0x8917
#define SIOCGIFBRDADDR 0x8919
#define SIOCGIFNETMASK 0x891b
#define SIOCGIFMETRIC 0x891d
#define SIOCGIFMTU 0x8921
#define SIOCGIFHWADDR 0x8927
#define SIOCGIFINDEX 0x8933
#define SIOCGIFTXQLEN 0x8942
#define SIOCGIFMAP 0x8970

#define FLAG_UP 1

struct address_v4 {
    uint16_t family, port;
    uint8_t ip[4], pad[8];
};
#define FAMILY_V4 2
static const struct address_v4 here = {.family = FAMILY_V4, .ip = {127, 0, 0, 1}};
static const struct address_v4 mask = {.family = FAMILY_V4, .ip = {255}};
static const struct address_v4 none = {.family = FAMILY_V4};

/* struct ifreq */
struct question {
    char name[16];
    union {
        struct address_v4 address;
        uint16_t flags;
        int32_t number;
        uint8_t bytes[24];
    };
};
_Static_assert(sizeof(struct question) == 40, "struct ifreq");

/* struct ifconf */
struct list_request {
    int32_t bytes, pad;
    uint64_t at; /* 0: how many bytes the list has is asked */
};

static int tell_list(uint64_t at) {
    const struct question one = {.name = LOOPBACK_NAME, .address = here};
    struct list_request r;
    int err = copyin(&r, UA(at), sizeof(r));
    if (err)
        return err;
    bool fits = !r.at || r.bytes >= (int32_t)sizeof(one);
    if (r.at && fits)
        err = copyout(UA(r.at), &one, sizeof(one));
    r.bytes = fits ? sizeof(one) : 0;
    return err ? err : copyout(UA(at), &r, sizeof(r));
}

static int tell_name(struct question *q) {
    if (q->number != LOOPBACK_INDEX)
        return -K_ENODEV;
    memset(q->name, 0, sizeof(q->name));
    memcpy(q->name, LOOPBACK_NAME, sizeof(LOOPBACK_NAME));
    return 0;
}

/* q: zeros behind the name. */
static int tell_of_loopback(uint64_t what, struct question *q) {
    switch (what) {
    case SIOCGIFFLAGS: q->flags = LOOPBACK_FLAGS; return 0;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR: q->address = here; return 0;
    case SIOCGIFBRDADDR: q->address = none; return 0;
    case SIOCGIFNETMASK: q->address = mask; return 0;
    case SIOCGIFMTU: q->number = LOOPBACK_MTU; return 0;
    case SIOCGIFHWADDR: q->flags = LOOPBACK_HARDWARE; return 0;
    case SIOCGIFINDEX: q->number = LOOPBACK_INDEX; return 0;
    case SIOCGIFTXQLEN: q->number = LOOPBACK_QUEUE; return 0;
    case SIOCGIFMETRIC:
    case SIOCGIFMAP: return 0;
    default: return -K_ENOTTY;
    }
}

static bool is_known(uint64_t what) {
    struct question q;
    return what == SIOCGIFNAME || what == SIOCSIFFLAGS || tell_of_loopback(what, &q) == 0;
}

/* Scripts begin with that. */
static int set_flags(const struct question *q) { return q->flags & FLAG_UP ? 0 : -K_EPERM; }

int linux_interface(uint64_t what, uint64_t at) {
    struct question q;
    what = (uint32_t)what;
    if (what == SIOCGIFCONF)
        return tell_list(at);
    if (!is_known(what))
        return -K_ENOTTY;
    int err = copyin(&q, UA(at), sizeof(q));
    if (err)
        return err;
    if (what != SIOCGIFNAME && strncmp(q.name, LOOPBACK_NAME, sizeof(q.name)))
        return -K_ENODEV;
    if (what == SIOCSIFFLAGS)
        return set_flags(&q);
    if (what != SIOCGIFNAME)
        memset(q.bytes, 0, sizeof(q.bytes));
    err = what == SIOCGIFNAME ? tell_name(&q) : tell_of_loopback(what, &q);
    return err ? err : copyout(UA(at), &q, sizeof(q));
}
