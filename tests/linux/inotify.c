/* Watching files and names. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "check.h"

static int queue;
static unsigned last_cookie;

/* The next event is this one; what: without IN_ISDIR. */
static int next_is(int number, unsigned what, const char *name) {
    static char room[8192];
    static ssize_t got, at;
    if (at >= got) {
        at = 0;
        got = read(queue, room, sizeof(room));
    }
    if (got <= 0)
        return 0;
    const struct inotify_event *e = (const struct inotify_event *)(room + at);
    at += (ssize_t)sizeof(*e) + e->len;
    last_cookie = e->cookie;
    int same = e->wd == number && e->mask == what && (e->len % 16) == 0 &&
               !strcmp(e->len ? e->name : "", name);
    if (!same)
        printf("%d %x '%s', not %d %x '%s'\n", e->wd, e->mask, e->len ? e->name : "", number, what,
               name);
    return same;
}

static int nothing_more(void) {
    struct pollfd p = {queue, POLLIN, 0};
    char room[300];
    return poll(&p, 1, 0) == 0 && read(queue, room, sizeof(room)) == -1 && errno == EAGAIN;
}

static void check_names(int d) {
    int fd = open("d/f", O_CREAT | O_WRONLY, 0600);
    CHECK(next_is(d, IN_CREATE, "f") && next_is(d, IN_OPEN, "f"));
    CHECK(write(fd, "x", 1) == 1 && write(fd, "x", 1) == 1 && close(fd) == 0);
    CHECK(next_is(d, IN_MODIFY, "f")); /* one of both */
    CHECK(next_is(d, IN_CLOSE_WRITE, "f") && nothing_more());
    CHECK(chmod("d/f", 0400) == 0 && next_is(d, IN_ATTRIB, "f"));
    CHECK(mkdir("d/e", 0700) == 0 && next_is(d, IN_CREATE | IN_ISDIR, "e"));
    CHECK(rename("d/f", "d/a-longer-name-than-16") == 0 && next_is(d, IN_MOVED_FROM, "f"));
    unsigned cookie = last_cookie;
    CHECK(cookie && next_is(d, IN_MOVED_TO, "a-longer-name-than-16") && last_cookie == cookie);
    CHECK(rename("d/a-longer-name-than-16", "f") == 0);
    CHECK(next_is(d, IN_MOVED_FROM, "a-longer-name-than-16") && last_cookie != cookie);
    CHECK(link("f", "d/l") == 0 && next_is(d, IN_CREATE, "l"));
    CHECK(symlink("f", "d/s") == 0 && next_is(d, IN_CREATE, "s"));
    CHECK(unlink("d/s") == 0 && next_is(d, IN_DELETE, "s"));
    CHECK(unlink("d/l") == 0 && next_is(d, IN_DELETE, "l"));
    CHECK(rmdir("d/e") == 0 && next_is(d, IN_DELETE | IN_ISDIR, "e") && nothing_more());
    CHECK(unlink("d/none") == -1 && mkdir("d", 0700) == -1 && nothing_more());
}

static void check_itself(void) {
    char byte;
    int f = inotify_add_watch(queue, "f", IN_ALL_EVENTS), waiting = 0;
    int fd = open("f", O_RDWR);
    CHECK(f > 0 && next_is(f, IN_OPEN, "") && read(fd, &byte, 1) == 1 && next_is(f, IN_ACCESS, ""));
    CHECK(ftruncate(fd, 0) == 0 && next_is(f, IN_MODIFY, ""));
    CHECK(inotify_add_watch(queue, "f", IN_ATTRIB | IN_MASK_ADD) == f);
    CHECK(inotify_add_watch(queue, "f", IN_ATTRIB | IN_MASK_CREATE) == -1 && errno == EEXIST);
    CHECK(rename("f", "g") == 0 && ioctl(queue, FIONREAD, &waiting) == 0 && waiting == 16);
    CHECK(next_is(f, IN_MOVE_SELF, "") && link("g", "h") == 0 && next_is(f, IN_ATTRIB, ""));
    CHECK(unlink("g") == 0 && next_is(f, IN_ATTRIB, "") && unlink("h") == 0);
    CHECK(next_is(f, IN_ATTRIB, "") && nothing_more()); /* it is open still */
    CHECK(write(fd, "x", 1) == 1 && next_is(f, IN_MODIFY, "") && nothing_more());
    int other = dup(fd);
    CHECK(close(fd) == 0 && nothing_more() && close(other) == 0);
    CHECK(next_is(f, IN_CLOSE_WRITE, "") && next_is(f, IN_DELETE_SELF, ""));
    CHECK(next_is(f, IN_IGNORED, "") && nothing_more());
    CHECK(inotify_rm_watch(queue, f) == -1 && errno == EINVAL);
    CHECK(close(open("f", O_CREAT | O_RDONLY, 0600)) == 0);
    f = inotify_add_watch(queue, "f", IN_CLOSE_NOWRITE | IN_ONESHOT);
    CHECK(close(open("f", O_RDONLY)) == 0 && close(open("f", O_RDONLY)) == 0);
    CHECK(next_is(f, IN_CLOSE_NOWRITE, "") && next_is(f, IN_IGNORED, "") && nothing_more());
    int r = inotify_add_watch(queue, "f", IN_DELETE_SELF);
    CHECK(close(open("g", O_CREAT | O_RDONLY, 0600)) == 0 && rename("g", "f") == 0);
    CHECK(next_is(r, IN_DELETE_SELF, "") && next_is(r, IN_IGNORED, "") && unlink("f") == 0);
}

/* A watch that does not ask for it ends with its node, too. */
static void check_end(int d) {
    CHECK(close(open("d/f", O_CREAT | O_RDONLY, 0600)) == 0 && mkdir("d/e", 0700) == 0);
    CHECK(inotify_add_watch(queue, "d", IN_DELETE) == d);
    int f = inotify_add_watch(queue, "d/f", IN_MODIFY),
        e = inotify_add_watch(queue, "d/e", IN_OPEN);
    while (read(queue, (char[300]){0}, 300) > 0)
        ;
    CHECK(unlink("d/f") == 0 && next_is(d, IN_DELETE, "f") && next_is(f, IN_IGNORED, ""));
    CHECK(rmdir("d/e") == 0 && next_is(d, IN_DELETE | IN_ISDIR, "e"));
    CHECK(next_is(e, IN_IGNORED, "") && nothing_more());
    CHECK(inotify_rm_watch(queue, f) == -1 && errno == EINVAL);
    CHECK(inotify_add_watch(queue, "d", IN_ALL_EVENTS) == d);
}

#define MOST 4096

static void check_overflow(int d) {
    char name[16];
    for (int i = 0; i <= MOST; i++) {
        snprintf(name, sizeof(name), "d/%d", i % 2);
        CHECK(mkdir(name, 0700) == 0 && rmdir(name) == 0);
    }
    int told = 0;
    while (told < MOST) {
        snprintf(name, sizeof(name), "%d", told / 2 % 2);
        if (!next_is(d, (told % 2 ? IN_DELETE : IN_CREATE) | IN_ISDIR, name))
            break;
        told++;
    }
    CHECK_EQ(told, MOST);
    CHECK(next_is(-1, IN_Q_OVERFLOW, "") && nothing_more());
    CHECK(mkdir("d/x", 0700) == 0 && rmdir("d/x") == 0);
    CHECK(next_is(d, IN_CREATE | IN_ISDIR, "x") && next_is(d, IN_DELETE | IN_ISDIR, "x"));
}

static void check_errors(int d) {
    char small[16];
    CHECK(inotify_add_watch(queue, "none", IN_OPEN) == -1 && errno == ENOENT);
    CHECK_EQ(inotify_add_watch(queue, "d", IN_MASK_ADD | IN_CREATE | IN_UNMOUNT | IN_Q_OVERFLOW),
             d);
    CHECK(inotify_add_watch(queue, "d", 0) == -1 && errno == EINVAL);
    CHECK(inotify_add_watch(0, "d", IN_OPEN) == -1 && errno == EINVAL);
    CHECK(inotify_add_watch(99, "d", IN_OPEN) == -1 && errno == EBADF);
    CHECK(inotify_add_watch(queue, "/linux/inotify", IN_OPEN | IN_ONLYDIR) == -1);
    CHECK_EQ(errno == 0 ? 0 : inotify_init1(1), -1);
    CHECK(mkdir("d/y", 0700) == 0 && read(queue, small, 16) == -1 && errno == EINVAL);
    CHECK(read(queue, (void *)-16L, 300) == -1 && errno == EFAULT);
    CHECK(next_is(d, IN_CREATE | IN_ISDIR, "y") && rmdir("d/y") == 0);
    CHECK(next_is(d, IN_DELETE | IN_ISDIR, "y"));
    CHECK(inotify_rm_watch(queue, d) == 0 && next_is(d, IN_IGNORED, "") && nothing_more());
    CHECK(mkdir("d/y", 0700) == 0 && rmdir("d/y") == 0 && nothing_more());
}

int main(void) {
    queue = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CHECK(queue >= 0 && fcntl(queue, F_GETFD) == FD_CLOEXEC && mkdir("/tmp/inotify", 0700) == 0);
    CHECK(chdir("/tmp/inotify") == 0 && mkdir("d", 0700) == 0 && nothing_more());
    int d = inotify_add_watch(queue, "d", IN_ALL_EVENTS);
    CHECK(d > 0);
    check_names(d);
    check_itself();
    check_end(d);
    check_overflow(d);
    check_errors(d);
    int again = inotify_add_watch(queue, "d", IN_DELETE_SELF);
    CHECK(again > d && rmdir("d") == 0 && next_is(again, IN_DELETE_SELF, ""));
    CHECK(next_is(again, IN_IGNORED, "") && chdir("/tmp") == 0 && rmdir("inotify") == 0);
    CHECK(close(queue) == 0);
    return tell_end();
}
