/* System calls about processes, memory and the machine. */
#include "syscall/syscall.h"
#include "dev/dev.h"
#include "fs/fs.h"
#include "vfs/node.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "mm/commit.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/uaccess.h"
#include "mm/vmstat.h"
#include "proc/clock.h"
#include "proc/group.h"
#include "proc/sched.h"
#include "tty/tty.h"

static uint32_t refusal_said;

/* Once: a program of another system may rely on memory that nobody promised it. */
static void say_refused(const char *call) {
    if (!commit_lazy && !__atomic_exchange_n(&refusal_said, 1, __ATOMIC_RELAXED))
        kprintf("Trellis: %s is refused memory that could not be promised; with the boot option "
                "commit=lazy (./run --commit lazy) it would be granted\n",
                call);
}

/* Whether a copy without a promise would have had what it cannot do without: its tables. */
static bool lazy_fork_possible(void) {
    const struct aspace *as = proc_self()->as;
    struct frame_stats frames;
    frame_stats(&frames);
    return frames.total - frames.committed > as->user.tables + as->kernel.tables;
}

int sys_fork(const uint64_t arg[6], uint64_t *result) {
    static const struct birth alike;
    int32_t pid;
    int err = proc_fork(&alike, &pid);
    if (!err)
        *result = pid;
    else if (err == -K_ENOMEM && !refusal_said && lazy_fork_possible())
        say_refused("fork");
    return err;
}

int sys_exit(const uint64_t arg[6], uint64_t *result) { proc_exit((int32_t)arg[0]); }

int syscall_end_wait(const struct child_news *news, int err, uint64_t *result) {
    if (err) {
        proc_wait_again(news);
        return err;
    }
    *result = news->pid;
    if (news->exited) {
        proc_reap(news->child);
        node_reap(); /* files that it had mapped */
    }
    return 0;
}

/* The pid is the call's result, and the status goes to where, if that is not 0. */
static int tell_news(const struct child_news *news, int32_t status, uint64_t where,
                     uint64_t *result) {
    int err = where ? copyout(UA(where), &status, sizeof(status)) : 0;
    return syscall_end_wait(news, err, result);
}

int sys_wait(const uint64_t arg[6], uint64_t *result) {
    struct child_news news;
    int err = proc_wait(-1, 0, &news);
    return err ? err : tell_news(&news, news.status, arg[0], result);
}

int sys_waitpid(const uint64_t arg[6], uint64_t *result) {
    struct child_news news;
    if (arg[2] & ~(uint64_t)(ABI_WNOHANG | ABI_WUNTRACED | ABI_WCONTINUED))
        return -K_EINVAL;
    int err = proc_wait((int32_t)arg[0], (unsigned)arg[2], &news);
    return err || !news.child ? err : tell_news(&news, news.word, arg[1], result);
}

int sys_kill(const uint64_t arg[6], uint64_t *result) { return proc_kill((int32_t)arg[0]); }

int sys_setpgid(const uint64_t arg[6], uint64_t *result) {
    return proc_set_group((int32_t)arg[0], (int32_t)arg[1]);
}

static void make_own_terminal_sane(void) {
    struct tty *t = tty_own();
    if (!t)
        return;
    tty_make_sane(t);
    tty_put(t);
}

int sys_foreground(const uint64_t arg[6], uint64_t *result) {
    bool interrupted;
    int err = proc_set_foreground(NULL, (int32_t)arg[0], arg[1] != 0, &interrupted);
    *result = interrupted;
    if (!err && arg[1]) /* a shell has its terminal back, however a command has left it */
        make_own_terminal_sane();
    return err;
}

int sys_getpid(const uint64_t arg[6], uint64_t *result) {
    *result = proc_self()->pid;
    return 0;
}

/* Older programs leave the second argument as it happens to be. */
int sys_sbrk(const uint64_t arg[6], uint64_t *result) {
    struct aspace *as = proc_self()->as;
    int64_t delta = (int32_t)arg[0];
    if (delta > 0 && (int32_t)arg[1] == ABI_SBRK_LAZY)
        return aspace_grow_lazily(as, delta, result);
    int err = aspace_sbrk(as, delta, result);
    if (err == -K_ENOMEM && delta > 0 &&
        (uint64_t)delta <= USER_MAX - __atomic_load_n(&as->brk, __ATOMIC_RELAXED))
        say_refused("sbrk");
    return err;
}

int sys_sleep(const uint64_t arg[6], uint64_t *result) {
    int32_t ticks = (int32_t)arg[0];
    return ticks > 0 ? proc_sleep_ticks(ticks) : 0;
}

int sys_uptime(const uint64_t arg[6], uint64_t *result) {
    *result = (uint32_t)clock_ticks();
    return 0;
}

int sys_clock_gettime(const uint64_t arg[6], uint64_t *result) {
    const uint64_t second = 1000000000;
    int32_t clock = (int32_t)arg[0];
    if (clock != ABI_CLOCK_REALTIME && clock != ABI_CLOCK_MONOTONIC)
        return -K_EINVAL;
    uint64_t now = clock == ABI_CLOCK_REALTIME ? clock_date() : clock_nanoseconds();
    struct abi_timespec time = {(int64_t)(now / second), (int64_t)(now % second)};
    return copyout(UA(arg[1]), &time, sizeof(time));
}

static void end_files(void) {
    fs_quiesce();
    if (DEBUG)
        frame_check();
}

void sys_restart(void) {
    end_files();
    machine_restart();
}

int sys_poweroff(const uint64_t arg[6], uint64_t *result) {
    end_files();
    if (proc_trace_poweroff)
        kprintf("[trellis] poweroff status=%d\n", (int)arg[0]);
    machine_poweroff((int)arg[0]);
}

int sys_sysinfo(const uint64_t arg[6], uint64_t *result) {
    struct frame_stats frames;
    struct fs_stats files;
    frame_stats(&frames);
    fs_stats(&files);
    struct abi_sysinfo info = {
        .frames_total = frames.total,
        .frames_free = frames.free + frames.cached,
        .frames_committed = frames.committed,
        .procs = proc_count(),
        .procs_max = proc_slots - PROCS_KERNEL,
        .harts = hart_count,
        .inodes_free = files.inodes_free,
        .blocks_free = files.blocks_free,
        .files_open = files.files_open,
        .idle = sched_idle_time(),
        .frames_cached = frames.cached,
        .levels = paging.levels,
    };
    str_copy(info.design, design_default->name, sizeof(info.design));
    return copyout(UA(arg[0]), &info, sizeof(info));
}

int sys_vmstat(const uint64_t arg[6], uint64_t *result) {
    struct abi_vmstat counts;
    vmstat_get(&counts);
    return copyout(UA(arg[0]), &counts, sizeof(counts));
}

int sys_design(const uint64_t arg[6], uint64_t *result) {
    char name[ABI_DESIGN_SIZE];
    int err = copyinstr(name, UA(arg[0]), sizeof(name));
    if (err)
        return err == -K_ENAMETOOLONG ? -K_EINVAL : err;
    const struct design *design = design_named(name);
    if (!design)
        return -K_EINVAL;
    proc_self()->design = design;
    return 0;
}

int sys_designname(const uint64_t arg[6], uint64_t *result) {
    char name[ABI_DESIGN_SIZE] = "";
    const struct design *design = arg[0] <= INT32_MAX ? design_at((unsigned)arg[0]) : NULL;
    if (!design)
        return -K_EINVAL;
    str_copy(name, design->name, sizeof(name));
    return copyout(UA(arg[1]), name, sizeof(name));
}

int sys_procinfo(const uint64_t arg[6], uint64_t *result) {
    struct abi_procinfo info;
    if (arg[0] >= proc_slots)
        return -K_EINVAL;
    int err = proc_info((uint32_t)arg[0], &info);
    if (err)
        return err == -K_ENOENT ? 0 : err;
    *result = 1;
    return copyout(UA(arg[1]), &info, sizeof(info));
}
