/* What programs are told of the network's interfaces: by ioctl, and by the messages of netlink,
 * with which the C library looks for addresses. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <stddef.h>
#include "sockets.h"

/* ---- ioctl ---- */

static struct ifreq asked(int fd, unsigned long what, const char *name) {
    struct ifreq r = {0};
    strcpy(r.ifr_name, name);
    CHECK(ioctl(fd, what, &r) == 0);
    return r;
}

static int is_trellis(void) {
    struct utsname u;
    return uname(&u) == 0 && strstr(u.release, "trellis") != NULL;
}

static in_addr_t ip_of(const struct sockaddr *a) {
    CHECK(a->sa_family == AF_INET);
    return ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr);
}

static void check_requests(int domain) {
    int fd = socket(domain, SOCK_DGRAM, 0), n[2];
    struct ifreq r[2] = {0};
    struct ifconf all = {.ifc_len = sizeof(r), .ifc_req = r};
    CHECK(fd >= 0);
    CHECK(ioctl(fd, SIOCGIFCONF, &all) == 0 && all.ifc_len == sizeof(r[0]));
    CHECK(!strcmp(r[0].ifr_name, "lo") && ip_of(&r[0].ifr_addr) == INADDR_LOOPBACK);
    all.ifc_req = NULL;
    CHECK(ioctl(fd, SIOCGIFCONF, &all) == 0 && all.ifc_len == sizeof(r[0]));
    all = (struct ifconf){.ifc_len = 39, .ifc_req = r + 1};
    CHECK(ioctl(fd, SIOCGIFCONF, &all) == 0 && all.ifc_len == 0 && !r[1].ifr_name[0]);
    r[1] = asked(fd, SIOCGIFFLAGS, "lo");
    CHECK_EQ(r[1].ifr_flags, IFF_UP | IFF_LOOPBACK | IFF_RUNNING);
    CHECK(ioctl(fd, SIOCSIFFLAGS, &r[1]) == 0);
    r[1].ifr_flags = 0;
    if (is_trellis()) /* any other kernel would do it */
        CHECK(ioctl(fd, SIOCSIFFLAGS, &r[1]) == -1 && errno == EPERM);
    r[1] = asked(fd, SIOCGIFADDR, "lo");
    CHECK(ip_of(&r[1].ifr_addr) == INADDR_LOOPBACK);
    r[1] = asked(fd, SIOCGIFNETMASK, "lo");
    CHECK(ip_of(&r[1].ifr_netmask) == 0xff000000);
    CHECK(asked(fd, SIOCGIFMTU, "lo").ifr_mtu == 65536);
    CHECK(asked(fd, SIOCGIFHWADDR, "lo").ifr_hwaddr.sa_family == ARPHRD_LOOPBACK);
    CHECK(asked(fd, SIOCGIFINDEX, "lo").ifr_ifindex == 1);
    strcpy(r[1].ifr_name, "eth0");
    CHECK(ioctl(fd, SIOCGIFFLAGS, &r[1]) == -1 && errno == ENODEV);
    memset(r[1].ifr_name, 'l', sizeof(r[1].ifr_name));
    CHECK(ioctl(fd, SIOCGIFFLAGS, &r[1]) == -1 && errno == ENODEV);
    CHECK(ioctl(fd, SIOCGIFADDR, (void *)-16L) == -1 && errno == EFAULT);
    CHECK(ioctl(fd, SIOCGIFCONF, (void *)-16L) == -1 && errno == EFAULT);
    CHECK(ioctl(fd, 0x89ff, &r[1]) == -1 && errno == ENOTTY);
    CHECK(pipe(n) == 0 && ioctl(n[0], SIOCGIFADDR, &r[0]) == -1 && errno == ENOTTY);
    CHECK(close(n[0]) == 0 && close(n[1]) == 0 && close(fd) == 0);
}

/* ---- the C library ---- */

static void check_library(void) {
    char name[IF_NAMESIZE];
    CHECK(if_nametoindex("lo") == 1 && if_nametoindex("eth0") == 0);
    CHECK(if_indextoname(1, name) && !strcmp(name, "lo") && !if_indextoname(2, name));
    struct if_nameindex *all = if_nameindex();
    CHECK(all && all[0].if_index == 1 && !strcmp(all[0].if_name, "lo") && !all[1].if_index);
    if_freenameindex(all);
    struct ifaddrs *found = NULL;
    int seen[3] = {0};
    CHECK(getifaddrs(&found) == 0);
    for (struct ifaddrs *a = found; a; a = a->ifa_next) {
        CHECK(!strcmp(a->ifa_name, "lo") && (a->ifa_flags & IFF_LOOPBACK) && a->ifa_addr);
        if (a->ifa_addr->sa_family == AF_INET) {
            CHECK(ip_of(a->ifa_addr) == INADDR_LOOPBACK && ip_of(a->ifa_netmask) == 0xff000000);
            seen[0]++;
        } else if (a->ifa_addr->sa_family == AF_INET6) {
            const struct sockaddr_in6 *in6 = (void *)a->ifa_addr;
            CHECK(IN6_IS_ADDR_LOOPBACK(&in6->sin6_addr));
            seen[1]++;
        } else {
            seen[2] += a->ifa_addr->sa_family == AF_PACKET;
        }
    }
    CHECK(seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
    freeifaddrs(found);
}

/* ---- netlink ---- */

struct asking {
    struct nlmsghdr head;
    union {
        struct rtgenmsg any;
        struct ifinfomsg link;
    };
};

static union {
    struct nlmsghdr head;
    char bytes[4096];
} got;

/* How many bytes the answer has. */
static int ask(int fd, struct asking *a) {
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK}, from;
    socklen_t n = sizeof(from);
    a->head.nlmsg_len = sizeof(*a);
    CHECK(sendto(fd, a, sizeof(*a), 0, (struct sockaddr *)&kernel, sizeof(kernel)) == sizeof(*a));
    int bytes = (int)recvfrom(fd, &got, sizeof(got), MSG_DONTWAIT, (struct sockaddr *)&from, &n);
    CHECK(bytes > 0 && n == sizeof(from) && from.nl_family == AF_NETLINK && from.nl_pid == 0);
    return bytes;
}

/* How many messages of this type are in the answer, which all name the question. */
static int count(int fd, const struct asking *a, int bytes, unsigned type) {
    struct sockaddr_nl own = {0};
    socklen_t length = sizeof(own);
    int n = 0;
    CHECK(getsockname(fd, (struct sockaddr *)&own, &length) == 0 && own.nl_pid != 0);
    for (struct nlmsghdr *h = &got.head; NLMSG_OK(h, (unsigned)bytes); h = NLMSG_NEXT(h, bytes)) {
        CHECK(h->nlmsg_seq == a->head.nlmsg_seq && h->nlmsg_pid == own.nl_pid);
        n += h->nlmsg_type == type;
    }
    CHECK_EQ(bytes, 0);
    return n;
}

static int error_in(void) {
    const struct nlmsgerr *e = NLMSG_DATA(&got.head);
    return got.head.nlmsg_type == NLMSG_ERROR ? e->error : 1;
}

static void check_questions(int type) {
    int fd = socket(AF_NETLINK, type | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct pollfd p = {fd, POLLIN | POLLOUT};
    CHECK(fd >= 0 && option(fd, SO_DOMAIN) == AF_NETLINK && poll(&p, 1, 0) == 1);
    CHECK_EQ(p.revents, POLLOUT);
    struct asking a = {
        {.nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP, .nlmsg_seq = 7}};
    int n = ask(fd, &a);
    CHECK(count(fd, &a, n, RTM_NEWLINK) == 1 && count(fd, &a, n, NLMSG_DONE) == 1);
    a.head.nlmsg_type = RTM_GETADDR;
    n = ask(fd, &a);
    CHECK(count(fd, &a, n, RTM_NEWADDR) == 2 && count(fd, &a, n, NLMSG_DONE) == 1);
    a.any.rtgen_family = AF_INET6;
    n = ask(fd, &a);
    CHECK(count(fd, &a, n, RTM_NEWADDR) == 1 && count(fd, &a, n, NLMSG_DONE) == 1);
    a.head.nlmsg_type = RTM_GETROUTE;
    n = ask(fd, &a);
    CHECK(count(fd, &a, n, RTM_NEWROUTE) == 0 && count(fd, &a, n, NLMSG_DONE) == 1);
    a.head = (struct nlmsghdr){.nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
    a.link = (struct ifinfomsg){.ifi_index = 1};
    n = ask(fd, &a);
    CHECK(count(fd, &a, n, RTM_NEWLINK) == 1 && count(fd, &a, n, NLMSG_ERROR) == 1);
    a.link.ifi_index = 5;
    CHECK(ask(fd, &a) > 0 && error_in() == -ENODEV);
    a.head.nlmsg_type = RTM_GETRULE;
    CHECK(ask(fd, &a) > 0 && error_in() == -EOPNOTSUPP);
    CHECK(recv(fd, &got, sizeof(got), MSG_DONTWAIT) == -1 && errno == EAGAIN);
    CHECK(close(fd) == 0);
}

/* One interface, by its name. What was told of it: 0, or the error. */
static int by_name(int fd, int kind, const char *name, size_t bytes, int index) {
    struct {
        struct nlmsghdr head;
        struct ifinfomsg link;
        struct rtattr other; /* that comes before */
        uint32_t value;
        struct rtattr attribute;
        char name[160];
    } a = {{.nlmsg_len = offsetof(typeof(a), name) + ((bytes + 3) & ~3UL),
            .nlmsg_type = RTM_GETLINK,
            .nlmsg_flags = NLM_F_REQUEST},
           {.ifi_index = index},
           {8, IFLA_EXT_MASK},
           1,
           {(unsigned short)(sizeof(struct rtattr) + bytes), (unsigned short)kind}};
    memcpy(a.name, name, bytes);
    CHECK(send(fd, &a, a.head.nlmsg_len, 0) == (ssize_t)a.head.nlmsg_len);
    CHECK(recv(fd, &got, sizeof(got), MSG_DONTWAIT) > 0);
    return got.head.nlmsg_type == RTM_NEWLINK ? 0 : error_in();
}

static void check_names(void) {
    static const char no_end[] = "lo0", longest[] = "interface012345",
                      longer[] = "interface0123456";
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    CHECK_EQ(by_name(fd, IFLA_IFNAME, "lo", 3, 0), 0);
    CHECK_EQ(by_name(fd, IFLA_IFNAME, no_end, 2, 0), 0);
    CHECK_EQ(by_name(fd, IFLA_IFNAME, no_end, 3, 0), -ENODEV);
    CHECK_EQ(by_name(fd, IFLA_IFNAME, "eth0", 5, 0), -ENODEV);
    CHECK_EQ(by_name(fd, IFLA_IFNAME, "", 1, 0), -ENODEV);
    CHECK_EQ(by_name(fd, IFLA_IFNAME, longest, sizeof(longest), 0), -ENODEV);
    CHECK_EQ(by_name(fd, IFLA_IFNAME, longer, sizeof(longer), 0), -ERANGE);
    CHECK_EQ(by_name(fd, 53, "lo", 3, 0), 0); /* IFLA_ALT_IFNAME */
    CHECK_EQ(by_name(fd, 53, longer, sizeof(longer), 0), -ENODEV);
    CHECK_EQ(by_name(fd, IFLA_MTU, "lo", 3, 0), -EINVAL); /* by neither */
    CHECK_EQ(by_name(fd, IFLA_IFNAME, "eth0", 5, 1), 0);  /* the number counts */
    CHECK(close(fd) == 0);
}

/* Questions that are none, answers that nobody reads, and what cannot be done. */
static void check_edges(void) {
    int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), n = 0;
    struct sockaddr_nl to = {.nl_family = AF_NETLINK, .nl_pid = 77};
    struct asking a = {
        {.nlmsg_len = sizeof(a), .nlmsg_type = RTM_GETADDR, .nlmsg_flags = NLM_F_DUMP}};
    CHECK(sendto(fd, &a, sizeof(a), 0, (struct sockaddr *)&to, sizeof(to)) == -1);
    CHECK(bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    socklen_t length = sizeof(to);
    CHECK(getsockname(fd, (struct sockaddr *)&to, &length) == 0 && to.nl_pid == 77);
    CHECK(send(fd, &a, sizeof(a), 0) == sizeof(a) && send(fd, &a, 7, 0) == 7);
    a.head.nlmsg_len = 0xfffffff0;
    CHECK(send(fd, &a, sizeof(a), 0) == sizeof(a) && send(fd, (void *)-16L, 20, 0) == -1);
    a.head.nlmsg_len = 3;
    CHECK(send(fd, &a, sizeof(a), 0) == sizeof(a));
    static const char zeros[1000]; /* all of a buffer, of which nothing is a question */
    CHECK(send(fd, zeros, sizeof(zeros), 0) == sizeof(zeros));
    CHECK(recv(fd, &got, sizeof(got), 0) > 0 && got.head.nlmsg_type == RTM_NEWADDR);
    CHECK(recv(fd, &got, sizeof(got), MSG_DONTWAIT) == -1 && errno == EAGAIN);
    a.head.nlmsg_len = sizeof(a);
    while (n < 5000 && send(fd, &a, sizeof(a), 0) == sizeof(a))
        n++;
    CHECK_EQ(errno, ENOBUFS);
    CHECK(n > 10 && n < 5000 && recv(fd, &got, 10, MSG_TRUNC) > 10 && close(fd) == 0);
    CHECK(socket(AF_NETLINK, SOCK_STREAM, 0) == -1 && errno == ESOCKTNOSUPPORT);
    CHECK(socket(AF_NETLINK, SOCK_RAW, 9) == -1 && errno == EPROTONOSUPPORT);
    CHECK(socket(AF_INET, SOCK_RAW, 0) == -1 && errno == ESOCKTNOSUPPORT);
}

int main(void) {
    check_requests(AF_INET);
    check_requests(AF_UNIX);
    check_library();
    check_questions(SOCK_RAW);
    check_questions(SOCK_DGRAM);
    check_names();
    check_edges();
    return tell_end();
}
