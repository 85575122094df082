/* What /proc/net says of sockets and of the interface, as netstat, ifconfig and route read it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sockets.h"

static char text[65536];

static const char *contents(const char *name) {
    char path[64];
    size_t n = 0;
    snprintf(path, sizeof(path), "/proc/net/%s", name);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    for (ssize_t got; (got = read(fd, text + n, sizeof(text) - 1 - n)) > 0;)
        n += (size_t)got;
    text[n] = '\0';
    CHECK(close(fd) == 0);
    return text;
}

/* The number that the link of a descriptor says. */
static unsigned number_of(int fd) {
    char path[64], link[64] = "";
    unsigned number = 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK(readlink(path, link, sizeof(link) - 1) > 0);
    CHECK(sscanf(link, "socket:[%u]", &number) == 1 && number > 0);
    return number;
}

struct end {
    char ip[33];
    unsigned port;
};

/* The line with this number: what netstat takes from it. */
static int line_of(const char *name, unsigned number, struct end e[2], unsigned *state,
                   unsigned *waiting) {
    int found = 0;
    for (const char *line = strchr(contents(name), '\n'); line && line[1];
         line = strchr(line + 1, '\n')) {
        unsigned entry, out, is = 0;
        struct end there[2];
        unsigned s, in;
        int n = sscanf(
            line + 1, "%u: %32[0-9A-F]:%X %32[0-9A-F]:%X %X %X:%X %*X:%*X %*X %*d %*d %u", &entry,
            there[0].ip, &there[0].port, there[1].ip, &there[1].port, &s, &out, &in, &is);
        CHECK_EQ(n, 9);
        if (is == number) {
            memcpy(e, there, sizeof(there));
            *state = s;
            *waiting = in;
            found++;
        }
    }
    return found;
}

static int bound_at(int family, int type, const char *ip, unsigned *port) {
    union {
        struct sockaddr any;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } a = {.any.sa_family = (sa_family_t)family};
    socklen_t n = family == AF_INET ? sizeof(a.in) : sizeof(a.in6);
    void *at = family == AF_INET ? (void *)&a.in.sin_addr : &a.in6.sin6_addr;
    int fd = socket(family, type, 0);
    CHECK(inet_pton(family, ip, at) == 1 && bind(fd, &a.any, n) == 0);
    CHECK(getsockname(fd, &a.any, &n) == 0);
    *port = ntohs(a.in.sin_port);
    return fd;
}

#define HERE "0100007F"
#define HERE6 "00000000000000000000000001000000"
enum { ESTABLISHED = 1, FIN_WAIT2 = 5, CLOSE = 7, CLOSE_WAIT = 8, LISTEN = 10 };

static void check_tcp(const char *name, int family, const char *ip, const char *told) {
    unsigned port, state = 0, waiting = 0;
    struct end e[2];
    int l = bound_at(family, SOCK_STREAM, ip, &port), c = socket(family, SOCK_STREAM, 0);
    CHECK_EQ(line_of(name, number_of(l), e, &state, &waiting), 0);
    CHECK(listen(l, 3) == 0 && line_of(name, number_of(l), e, &state, &waiting) == 1);
    CHECK(state == LISTEN && !strcmp(e[0].ip, told) && e[0].port == port && e[1].port == 0);
    struct sockaddr_storage a;
    socklen_t n = sizeof(a);
    CHECK(getsockname(l, (struct sockaddr *)&a, &n) == 0 && connect(c, (void *)&a, n) == 0);
    int s = accept(l, NULL, NULL);
    CHECK(write(c, "four", 4) == 4 && line_of(name, number_of(s), e, &state, &waiting) == 1);
    CHECK(state == ESTABLISHED && waiting == 4 && e[0].port == port && !strcmp(e[1].ip, told));
    unsigned its = e[1].port;
    CHECK(line_of(name, number_of(c), e, &state, &waiting) == 1 && state == ESTABLISHED);
    CHECK(e[0].port == its && e[1].port == port && !strcmp(e[1].ip, told) && waiting == 0);
    CHECK(shutdown(c, SHUT_WR) == 0 && line_of(name, number_of(c), e, &state, &waiting) == 1);
    CHECK_EQ(state, FIN_WAIT2);
    CHECK(line_of(name, number_of(s), e, &state, &waiting) == 1 && state == CLOSE_WAIT);
    unsigned number = number_of(s);
    CHECK(close(s) == 0 && close(c) == 0 && close(l) == 0);
    CHECK_EQ(line_of(name, number, e, &state, &waiting), 0);
}

static void check_udp(const char *name, int family, const char *ip, const char *told) {
    unsigned port, state = 0, waiting = 0;
    struct end e[2];
    int fd = bound_at(family, SOCK_DGRAM, ip, &port), idle = socket(family, SOCK_DGRAM, 0);
    CHECK(line_of(name, number_of(fd), e, &state, &waiting) == 1 && state == CLOSE);
    CHECK(!strcmp(e[0].ip, told) && e[0].port == port && e[1].port == 0);
    CHECK_EQ(line_of(name, number_of(idle), e, &state, &waiting), 0);
    CHECK(close(fd) == 0 && close(idle) == 0);
}

static void check_unix(void) {
    int l = bound(SOCK_STREAM, "/tmp/procnet"), d = bound(SOCK_DGRAM, "\0hidden"), s[2];
    char wanted[200];
    CHECK(listen(l, 1) == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
    contents("unix");
    snprintf(wanted, sizeof(wanted), " 00000000 00010000 0001 01 %5u /tmp/procnet\n", number_of(l));
    CHECK(strstr(text, wanted));
    snprintf(wanted, sizeof(wanted), " 00000000 00000000 0002 01 %5u @hidden\n", number_of(d));
    CHECK(strstr(text, wanted));
    snprintf(wanted, sizeof(wanted), " 00000000 00000000 0005 03 %5u\n", number_of(s[1]));
    CHECK(strstr(text, wanted) && number_of(s[0]) != number_of(s[1]));
    CHECK(close(l) == 0 && close(d) == 0 && close(s[0]) == 0 && close(s[1]) == 0);
    CHECK(!strstr(contents("unix"), "procnet") && unlink("/tmp/procnet") == 0);
}

/* Who looks while connections are made sees each name whole, or none. */
static const char long_name[] = "\0a name that is nearly as long as one may be, so that it takes a "
                                "while until all of it stands there";

static void connect_often(int l) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    memcpy(a.sun_path, long_name, sizeof(long_name) - 1);
    for (int i = 0; i < 1000; i++) {
        int c = socket(AF_UNIX, SOCK_STREAM, 0);
        if (connect(c, (void *)&a, offsetof(struct sockaddr_un, sun_path) + sizeof(long_name) - 1))
            _exit(1);
        int s = accept(l, NULL, NULL);
        if (s < 0 || close(s) || close(c))
            _exit(2);
    }
    _exit(0);
}

static void check_whole_names(void) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int l = socket(AF_UNIX, SOCK_STREAM, 0), status = -1, looks = 0;
    memcpy(a.sun_path, long_name, sizeof(long_name) - 1);
    CHECK(bind(l, (void *)&a, offsetof(struct sockaddr_un, sun_path) + sizeof(long_name) - 1) == 0);
    CHECK(listen(l, 5) == 0);
    pid_t pid = fork();
    if (pid == 0)
        connect_often(l);
    for (; waitpid(pid, &status, WNOHANG) == 0; looks++) {
        contents("unix");
        for (const char *at = strstr(text, " @"); at; at = strstr(at + 1, " @"))
            if (strncmp(at + 2, long_name + 1, sizeof(long_name) - 2)) {
                CHECK(!"a name is half there");
                puts(at);
            }
    }
    CHECK(status == 0 && looks > 0 && close(l) == 0);
}

static void check_folder(void) {
    struct stat net, file, other;
    int n = 0, seen = 0;
    DIR *dir = opendir("/proc/net");
    CHECK(dir);
    for (struct dirent *e; dir && (e = readdir(dir));)
        n++;
    CHECK(closedir(dir) == 0 && n == 12);
    dir = opendir("/proc");
    for (struct dirent *e; dir && (e = readdir(dir));)
        seen += !strcmp(e->d_name, "net") && e->d_type == DT_DIR;
    CHECK(closedir(dir) == 0 && seen == 1);
    CHECK(stat("/proc/net", &net) == 0 && S_ISDIR(net.st_mode));
    CHECK(stat("/proc/net/..", &other) == 0 && stat("/proc", &file) == 0);
    CHECK(other.st_ino == file.st_ino && net.st_ino != file.st_ino);
    CHECK(stat("/proc/net/tcp", &file) == 0 && stat("/proc/meminfo", &other) == 0);
    CHECK(S_ISREG(file.st_mode) && file.st_ino != other.st_ino && file.st_ino != net.st_ino);
    CHECK(stat("/proc/net/none", &file) == -1 && errno == ENOENT);
    CHECK(open("/proc/net/tcp", O_WRONLY) == -1 && errno == EACCES);
    CHECK(strstr(contents("raw6"), "rem_address") && strchr(text, '\n')[1] == 0);
    CHECK(strstr(contents("dev"), "    lo:") && strchr(strchr(text, '\n') + 1, '|'));
    CHECK(!strncmp(contents("route"), "Iface\tDestination\t", 18));
    CHECK(!strncmp(contents("if_inet6"), "00000000000000000000000000000001 01 80 ", 39));
}

int main(void) {
    check_tcp("tcp", AF_INET, "127.0.0.1", HERE);
    check_tcp("tcp6", AF_INET6, "::1", HERE6);
    check_udp("udp", AF_INET, "127.0.0.1", HERE);
    check_udp("udp6", AF_INET6, "::1", HERE6);
    check_unix();
    check_whole_names();
    check_folder();
    return tell_end();
}
