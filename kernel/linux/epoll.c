/* Waiting for files in event sets: epoll. */
#include "lib/errno.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "vfs/descriptor.h"
#include "vfs/eventset.h"

struct epoll_event {
    uint32_t events;
    uint64_t data;
};
_Static_assert(sizeof(struct epoll_event) == 16, "struct epoll_event");
#define EVENTS_MOST (INT32_MAX / sizeof(struct epoll_event))

enum { ADD = 1, DEL, MOD };

#define EPOLLEXCLUSIVE 0x10000000U /* one is woken in any case */
#define EPOLLONESHOT 0x40000000U
#define EPOLLET 0x80000000U

static int make_set(void *ctx, struct file **out) { return event_set_create(out); }

int linux_epoll_create1(const uint64_t arg[6], uint64_t *result) {
    if ((uint32_t)arg[0] & ~LINUX_O_CLOEXEC)
        return -K_EINVAL;
    return linux_open_made(make_set, NULL, (uint32_t)arg[0], result);
}

/* ---- epoll_ctl ---- */

static struct event_wanted wanted_of(const struct epoll_event *e) {
    return (struct event_wanted){.ready = linux_ready_wanted(e->events),
                                 .edge = (e->events & EPOLLET) != 0,
                                 .once = (e->events & EPOLLONESHOT) != 0,
                                 .asked = e->events,
                                 .tag = e->data};
}

static int change_set(struct file *set, struct file *f, const uint64_t arg[6],
                      const struct epoll_event *e) {
    struct event_set *s = event_set_of(set);
    struct event_wanted wanted = wanted_of(e);
    int fd = (int)arg[2];
    if (!s || f == set)
        return -K_EINVAL;
    if ((e->events & EPOLLEXCLUSIVE) && ((int32_t)arg[1] == MOD || event_set_of(f)))
        return -K_EINVAL;
    switch ((int32_t)arg[1]) {
    case ADD: return event_add(s, f, fd, &wanted);
    case MOD: return event_change(s, f, fd, &wanted);
    case DEL: return event_remove(s, f, fd);
    default: return -K_EINVAL;
    }
}

int linux_epoll_ctl(const uint64_t arg[6], uint64_t *result) {
    struct epoll_event e = {0};
    int err = (int32_t)arg[1] == DEL ? 0 : copyin(&e, UA(arg[3]), sizeof(e));
    if (err)
        return err;
    struct file *set = fd_begin(fd_arg(arg[0])), *f = fd_begin(fd_arg(arg[2]));
    err = set && f ? change_set(set, f, arg, &e) : -K_EBADF;
    if (f)
        fd_end(f);
    if (set)
        fd_end(set);
    return err;
}

/* ---- waiting ---- */

static int tell(void *ctx, unsigned i, const struct event_wanted *wanted, unsigned found) {
    const uint64_t *array = ctx;
    struct epoll_event e = {linux_ready_told((unsigned)wanted->asked, found), wanted->tag};
    return copyout(UA(*array + i * sizeof(e)), &e, sizeof(e));
}

static int wait(struct file *f, const uint64_t arg[6], uint64_t until, uint64_t *result) {
    struct event_set *s = event_set_of(f);
    uint64_t array = arg[1];
    unsigned told;
    if (!s || (int32_t)arg[2] <= 0 || (uint32_t)arg[2] > EVENTS_MOST)
        return -K_EINVAL;
    int err = linux_mask_begin(arg[4], arg[5]);
    if (err)
        return err;
    err = event_wait(s, until, (unsigned)arg[2], tell, &array, &told);
    linux_mask_end(arg[4], err);
    *result = told;
    return err;
}

static int wait_until(const uint64_t arg[6], uint64_t until, uint64_t *result) {
    struct file *f = fd_begin(fd_arg(arg[0]));
    if (!f)
        return -K_EBADF;
    int err = wait(f, arg, until, result);
    fd_end(f);
    return err;
}

#define MILLISECOND (SECOND / 1000)

int linux_epoll_pwait(const uint64_t arg[6], uint64_t *result) {
    int32_t span = (int32_t)arg[3];
    return wait_until(arg, linux_wait_end(span < 0 ? UINT64_MAX : (uint64_t)span * MILLISECOND),
                      result);
}

int linux_epoll_pwait2(const uint64_t arg[6], uint64_t *result) {
    uint64_t until;
    int err = linux_time_limit(arg[3], &until);
    return err ? err : wait_until(arg, until, result);
}
