/* What a process says of itself, or asks: prctl. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/proc.h"
#include "proc/signal.h"

enum {
    PR_SET_PDEATHSIG = 1,
    PR_GET_PDEATHSIG = 2,
    PR_GET_DUMPABLE = 3,
    PR_SET_DUMPABLE = 4,
    PR_GET_KEEPCAPS = 7,
    PR_SET_KEEPCAPS = 8,
    PR_SET_NAME = 15,
    PR_GET_NAME = 16,
    PR_GET_SECCOMP = 21,
    PR_CAPBSET_READ = 23,
    PR_GET_SECUREBITS = 27,
    PR_SET_TIMERSLACK = 29,
    PR_GET_TIMERSLACK = 30,
    PR_SET_NO_NEW_PRIVS = 38,
    PR_GET_NO_NEW_PRIVS = 39,
    PR_CAP_AMBIENT = 47,
};

/* proc.noted: what is only asked for again. */
#define NOT_DUMPABLE 1U
#define KEEP_CAPS 2U
#define NO_NEW_PRIVS NOTED_FOR_EVER
#define CAP_LAST 40
enum { AMBIENT_IS_SET = 1, AMBIENT_RAISE, AMBIENT_LOWER, AMBIENT_CLEAR_ALL };
#define SLACK 50000 /* nanoseconds that Linux's timers may be late; told, and that is all */

/* That of the thread; what tells of processes shows the first one's. */
static int set_name(uint64_t from) {
    char name[sizeof(thread_self()->name)];
    struct thread *t = thread_self();
    struct proc *p = t->proc;
    int err = copyinstr(name, UA(from), sizeof(name));
    if (err && err != -K_ENAMETOOLONG)
        return err;
    name[sizeof(name) - 1] = '\0';
    str_copy(t->name, name, sizeof(t->name));
    if (t->tid != p->pid)
        return 0;
    spin_lock(&p->lock); /* proc_info may be reading it */
    str_copy(p->name, name, sizeof(p->name));
    spin_unlock(&p->lock);
    return 0;
}

static int get_name(uint64_t to) {
    char name[sizeof(thread_self()->name)] = {0};
    const struct thread *t = thread_self();
    str_copy(name, t->name[0] ? t->name : t->proc->name, sizeof(name));
    return copyout(UA(to), name, sizeof(name));
}

static bool is_noted(uint32_t what) {
    return __atomic_load_n(&proc_self()->noted, __ATOMIC_RELAXED) & what;
}

static int note(uint32_t what, bool so) {
    if (so)
        __atomic_fetch_or(&proc_self()->noted, what, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(&proc_self()->noted, ~what, __ATOMIC_RELAXED);
    return 0;
}

/* Programs that are run have all capabilities anyhow, so none is handed on by this. */
static int ambient(uint64_t what, uint64_t cap, uint64_t *result) {
    *result = 0;
    if (what == AMBIENT_CLEAR_ALL)
        return cap ? -K_EINVAL : 0;
    if (what < AMBIENT_IS_SET || what > AMBIENT_LOWER || cap > CAP_LAST)
        return -K_EINVAL;
    return what == AMBIENT_RAISE ? -K_EPERM : 0;
}

static int set_death_signal(uint64_t signal) {
    if (signal != 0 && (signal > ABI_SIGNALS || !signal_exists((int32_t)signal)))
        return -K_EINVAL;
    __atomic_store_n(&proc_self()->orphan_signal, (int32_t)signal, __ATOMIC_RELAXED);
    return 0;
}

static int set(const uint64_t arg[6]) {
    switch ((int32_t)arg[0]) {
    case PR_SET_NAME: return set_name(arg[1]);
    case PR_SET_PDEATHSIG: return set_death_signal(arg[1]);
    case PR_SET_DUMPABLE: return arg[1] > 1 ? -K_EINVAL : note(NOT_DUMPABLE, arg[1] == 0);
    case PR_SET_KEEPCAPS: return arg[1] > 1 ? -K_EINVAL : note(KEEP_CAPS, arg[1]);
    case PR_SET_TIMERSLACK: return 0;
    case PR_SET_NO_NEW_PRIVS:
        return arg[1] != 1 || arg[2] || arg[3] || arg[4] ? -K_EINVAL : note(NO_NEW_PRIVS, true);
    default: return -K_EINVAL;
    }
}

int linux_prctl(const uint64_t arg[6], uint64_t *result) {
    int32_t signal = __atomic_load_n(&proc_self()->orphan_signal, __ATOMIC_RELAXED);
    switch ((int32_t)arg[0]) {
    case PR_GET_NAME: return get_name(arg[1]);
    case PR_GET_PDEATHSIG: return copyout(UA(arg[1]), &signal, sizeof(signal));
    case PR_GET_DUMPABLE: *result = !is_noted(NOT_DUMPABLE); return 0;
    case PR_GET_KEEPCAPS: *result = is_noted(KEEP_CAPS); return 0;
    case PR_GET_NO_NEW_PRIVS: *result = is_noted(NO_NEW_PRIVS); return 0;
    case PR_CAPBSET_READ: *result = arg[1] <= CAP_LAST; return arg[1] <= CAP_LAST ? 0 : -K_EINVAL;
    case PR_CAP_AMBIENT: return ambient(arg[1], arg[2], result);
    case PR_GET_SECCOMP:
    case PR_GET_SECUREBITS: return 0;
    case PR_GET_TIMERSLACK: *result = SLACK; return 0;
    default: return set(arg);
    }
}
