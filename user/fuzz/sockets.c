/* Arguments of the calls of sockets: kinds that there are, names that meet, messages. */
#include "fuzz.h"

#define NONBLOCK 04000UL
#define CLOSE_ON_EXEC 02000000UL
#define UNIX 1
#define INET 2
#define INET6 10
#define NETLINK 16
#define LOOPBACK 0x0100007fU /* 127.0.0.1, in the order of networks */
#define RIGHTS 1UL
#define CREDENTIALS 2UL

uint64_t usual_family = UNIX;

/* Mostly the one of this round, so that a socket's address is one of its own. */
uint64_t any_family(void) {
    return one_in(15)   ? below(50)
           : one_in(20) ? NETLINK
           : one_in(3)  ? (one_in(3)   ? UNIX
                           : one_in(2) ? INET
                                       : INET6)
                        : usual_family;
}

uint64_t any_kind(void) {
    static const uint64_t kinds[] = {1, 1, 2, 2, 5, 5, 1, 3};
    return CHOICE(kinds) | (one_in(3) ? 0 : NONBLOCK) | (one_in(4) ? CLOSE_ON_EXEC : 0);
}

/* ---- names ---- */

static size_t unix_name(char *name) {
    static const char *const names[] = {"s0", "s1", "d0/s2",   "f0", "n0",
                                        "n0", "n0", "none/s3", "n1", ""};
    const char *chosen = CHOICE(names);
    size_t n = strlen(chosen);
    char *to = name + 2 + (chosen[0] == 'n' && n == 2); /* those have no file */
    memcpy(to, chosen, n);
    return (size_t)(to - name) + n + (one_in(2) && n > 0);
}

static size_t inet_name(char *name, uint16_t family) {
    static const uint32_t addresses[] = {LOOPBACK, LOOPBACK, 0, 0x0200007f, 0x08080808};
    uint16_t port = (uint16_t)(one_in(6) ? 0 : (4000 + below(3)) << 8 | 0x0f);
    uint32_t address = CHOICE(addresses);
    memcpy(name + 2, &port, sizeof(port));
    if (family == INET) {
        memcpy(name + 4, &address, sizeof(address));
        return 16;
    }
    if (one_in(3)) /* one of IPv4's, in its place among those of IPv6 */
        memcpy(name + 18, "\xff\xff\x7f\0\0\1", 6);
    else
        name[23] = (char)one_in(2);
    return 28;
}

/* Cut short or too long now and then. */
struct socket_name any_name(void) {
    struct socket_name n;
    char name[128] = {0};
    uint16_t family = (uint16_t)any_family();
    memcpy(name, &family, sizeof(family));
    n.bytes = family == UNIX                      ? unix_name(name)
              : family == INET || family == INET6 ? inet_name(name, family)
              : family == NETLINK                 ? 12
                                                  : below(sizeof(name));
    if (one_in(10))
        n.bytes = below(sizeof(name) + 8);
    n.at = one_in(20) ? any_address() : scratch(sizeof(name));
    if (n.at >= SCRATCH && n.at <= SCRATCH + SCRATCH_PAGES * PAGE - sizeof(name))
        memcpy((void *)n.at, name, sizeof(name));
    return n;
}

/* Room for a name, and its size, which the call changes. */
uint64_t any_name_size(void) {
    uint64_t size = one_in(4) ? below(20) : 128;
    return one_in(8) ? 0 : put_words(&size, 1);
}

/* ---- messages ---- */

#define MESSAGE_WORDS 7 /* struct msghdr; struct mmsghdr has one more */

static void put_control(uint64_t words[4], uint64_t *bytes) {
    words[0] = 16 + 4 * (1 + below(3)); /* its length: some descriptors */
    words[1] = 1 | (one_in(4) ? CREDENTIALS : RIGHTS) << 32;
    words[2] = (uint32_t)any_fd() | any_fd() << 32;
    words[3] = (uint32_t)any_fd();
    *bytes = one_in(6) ? any_size() : 32;
    if (one_in(10))
        words[below(4)] = random64();
}

static void put_message(uint64_t words[MESSAGE_WORDS]) {
    struct socket_name name = {0, 0};
    uint64_t control[4] = {0}, control_bytes = 0;
    if (one_in(4))
        name = any_name();
    if (one_in(3))
        put_control(control, &control_bytes);
    words[0] = name.at;
    words[1] = name.bytes;
    words[2] = argument('v');
    words[3] = one_in(12) ? any_size() : below(5);
    words[4] = control_bytes ? put_words(control, 4) : 0;
    words[5] = control_bytes;
    words[6] = 0;
}

uint64_t any_message(void) {
    uint64_t words[MESSAGE_WORDS];
    put_message(words);
    return put_words(words, MESSAGE_WORDS);
}

uint64_t any_messages(void) {
    uint64_t words[2 * (MESSAGE_WORDS + 1)] = {0};
    put_message(words);
    put_message(words + MESSAGE_WORDS + 1);
    return put_words(words, 2 * (MESSAGE_WORDS + 1));
}

/* Those that change something, and any. */
uint64_t any_message_flags(void) {
    static const uint64_t flags[] = {0, 0, 0x40, 0x40, 0x42, 2, 0x4000, 0x20, 0x100, 1, 0x60};
    return one_in(10) ? any_flags() : CHOICE(flags);
}

void refine_option(uint64_t a[6]) {
    static const uint64_t levels[] = {1, 1, 1, 6, 41, 0, 17};
    uint64_t small[2] = {below(4) ? below(3) : random64(), 0};
    a[1] = one_in(12) ? a[1] : CHOICE(levels);
    a[2] = one_in(12) ? a[2] : below(60);
    a[3] = one_in(4) ? a[3] : put_words(small, 2);
}
