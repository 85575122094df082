/* Signals that are read: see signalfile.h. */
#include "vfs/signalfile.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "proc/signal.h"
#include "vfs/poll.h"

struct signal_file {
    uint64_t set; /* atomic */
};

static struct slab files = SLAB_INIT(files, sizeof(struct signal_file));

/* What is read of one, as Linux's programs know it. */
struct told {
    uint32_t signal;
    int32_t error, code;
    uint32_t pid, uid;
    int32_t fd;
    uint32_t timer, band, overrun, trap;
    int32_t status, number;
    uint64_t value, user_time, system_time, address;
    uint16_t low_bits, pad;
    int32_t call;
    uint64_t call_address;
    uint32_t arch;
    uint8_t rest[28];
};
_Static_assert(sizeof(struct told) == 128, "struct signalfd_siginfo");

#define SI_TIMER (-2)

static struct told tell(const struct abi_siginfo *info) {
    struct told t = {.signal = (uint32_t)info->signal,
                     .error = info->error,
                     .code = info->code,
                     .status = info->u.from.status,
                     .number = info->u.from.status,
                     .value = info->u.room[1]};
    if (info->code == SI_TIMER) {
        t.timer = (uint32_t)info->u.from.pid;
        t.overrun = info->u.from.uid;
    } else {
        t.pid = (uint32_t)info->u.from.pid;
        t.uid = info->u.from.uid;
    }
    return t;
}

static uint64_t set_of(const struct file *f) {
    const struct signal_file *s = f->object;
    return __atomic_load_n(&s->set, __ATOMIC_RELAXED);
}

/* What cannot be stored is gone, as a handler's frame would be. */
static int signal_file_read(struct file *f, uaddr_t dst, size_t n, size_t *done) {
    struct abi_siginfo info;
    int err = n < sizeof(struct told) ? -K_EINVAL : 0;
    while (!err && n - *done >= sizeof(struct told)) {
        bool waits = *done == 0 && file_waits(f);
        err = waits ? signal_wait(set_of(f), UINT64_MAX, &info)
                    : signal_take_pending(set_of(f), &info);
        if (err)
            break;
        struct told t = tell(&info);
        err = copyout(UA(dst.v + *done), &t, sizeof(t));
        *done += err ? 0 : sizeof(t);
    }
    return err;
}

static unsigned signal_file_ready(struct file *f, struct watch *w) {
    return signal_look(set_of(f), w) ? READY_READABLE : 0;
}

static uint32_t count; /* atomic */

static void uncount(void) { __atomic_fetch_sub(&count, 1, __ATOMIC_RELAXED); }

static void signal_file_close(struct file *f) {
    slab_give(&files, f->object);
    uncount();
}

static const struct file_ops signal_file_ops = {.read = signal_file_read,
                                                .ready = signal_file_ready,
                                                .close = signal_file_close,
                                                .kind = "anon_inode:[signalfd]"};

bool signal_file_is(const struct file *f) { return f->ops == &signal_file_ops; }

int signal_file_create(uint64_t set, struct file **out) {
    bool fits = __atomic_fetch_add(&count, 1, __ATOMIC_RELAXED) < SIGNAL_FILES_MOST;
    int err = fits ? file_alloc(out) : -K_ENFILE;
    if (err) {
        uncount();
        return err;
    }
    struct signal_file *s = slab_take(&files);
    if (!s) {
        file_put(*out);
        uncount();
        return -K_ENOMEM;
    }
    s->set = set;
    (*out)->ops = &signal_file_ops;
    (*out)->object = s;
    (*out)->readable = (*out)->writable = true;
    return 0;
}

int signal_file_set(struct file *f, uint64_t set) {
    struct signal_file *s = f->object;
    if (f->ops != &signal_file_ops)
        return -K_EINVAL;
    __atomic_store_n(&s->set, set, __ATOMIC_RELAXED);
    return 0;
}
