/* Waiting for children, and what is told of them. */
#include "lib/errno.h"
#include "lib/string.h"
#include "linux/linux.h"
#include "mm/uaccess.h"
#include "proc/signal.h"
#include "syscall/syscall.h"
#include "vfs/descriptor.h"
#include "vfs/pidfile.h"

enum { P_ALL, P_PID, P_PGID, P_PIDFD };

#define WEXITED 4U
#define WNOWAIT 0x1000000U
#define WAITS (ABI_WUNTRACED | WEXITED | ABI_WCONTINUED)
#define WAIT_ALL 0xe0000000U /* __WALL and its kin: all children are alike */

static int process_of_file(struct file *f, const uint64_t arg[6], uint64_t *result) {
    return pidfile_number(f, result);
}

/* As proc_wait has it. */
static int whom(const uint64_t arg[6], int32_t *pid) {
    const uint64_t file[6] = {arg[1]};
    uint64_t number = 0;
    int32_t id = (int32_t)arg[1];
    int err = 0;
    switch ((int32_t)arg[0]) {
    case P_ALL: *pid = -1; return 0;
    case P_PID: *pid = id; return id > 0 ? 0 : -K_EINVAL;
    case P_PGID: *pid = id >= 0 ? -id : 0; return id == 1 ? -K_ECHILD : id >= 0 ? 0 : -K_EINVAL;
    case P_PIDFD:
        err = fd_call(process_of_file, file, &number);
        *pid = (int32_t)number;
        return err;
    default: return -K_EINVAL;
    }
}

#define WORD_CONTINUED 0xffff
#define WORD_STOPPED 0x7f

/* As SIGCHLD tells it. */
static struct abi_siginfo info_of(const struct child_news *news) {
    struct abi_siginfo info = {.signal = ABI_SIGCHLD, .u.from.pid = news->pid};
    int32_t low = news->word & 0xff;
    bool continued = news->word == WORD_CONTINUED, stopped = low == WORD_STOPPED;
    info.code = continued ? ABI_CLD_CONTINUED
                : stopped ? ABI_CLD_STOPPED
                : low     ? ABI_CLD_KILLED
                          : ABI_CLD_EXITED;
    info.u.from.status = continued ? ABI_SIGCONT : stopped || !low ? news->word >> 8 : low;
    return info;
}

/* Of its room the program gets what means something, as from Linux. */
static int tell(const struct child_news *news, uint64_t address) {
    struct abi_siginfo info = {0};
    if (news->child)
        info = info_of(news);
    return address
               ? copyout(UA(address), &info,
                         offsetof(struct abi_siginfo, u.from.status) + sizeof(info.u.from.status))
               : 0;
}

/* As proc_wait has them. */
static unsigned options_of(uint32_t options) {
    unsigned ours = options & (ABI_WNOHANG | ABI_WUNTRACED | ABI_WCONTINUED);
    return ours | (options & WEXITED ? 0 : PROC_WAIT_LIVING) |
           (options & WNOWAIT ? PROC_WAIT_KEEPS : 0);
}

int linux_waitid(const uint64_t arg[6], uint64_t *result) {
    uint32_t options = (uint32_t)arg[3];
    struct child_news news;
    int32_t pid;
    if ((options & ~(WAITS | ABI_WNOHANG | WNOWAIT | WAIT_ALL)) || !(options & WAITS))
        return -K_EINVAL;
    int err = whom(arg, &pid);
    if (!err)
        err = proc_wait(pid, options_of(options), &news);
    if (err)
        return err;
    err = tell(&news, arg[2]);
    if (!err && arg[4] && news.child)
        err = linux_tell_usage(arg[4], &news.used);
    uint64_t number; /* its pid, which is not the result here */
    return news.child && !(options & WNOWAIT) ? syscall_end_wait(&news, err, &number) : err;
}

#define WAIT4_FLAGS (ABI_WNOHANG | ABI_WUNTRACED | ABI_WCONTINUED)

int linux_wait4(const uint64_t arg[6], uint64_t *result) {
    struct child_news news;
    uint32_t options = (uint32_t)arg[2];
    if (options & ~(uint32_t)(WAIT4_FLAGS | WAIT_ALL))
        return -K_EINVAL;
    int err = proc_wait((int32_t)arg[0], options & WAIT4_FLAGS, &news);
    if (err || !news.child)
        return err;
    if (arg[1])
        err = copyout(UA(arg[1]), &news.word, sizeof(news.word));
    if (!err && arg[3])
        err = linux_tell_usage(arg[3], &news.used);
    return syscall_end_wait(&news, err, result);
}
