/* The process of execenv.h. What proc does for exec is done here. */
#include "execenv.h"
#include "fs/fs.h"
#include "fs/inode.h"
#include "fsimage.h"
#include "hostarch.h"
#include "kstub.h"
#include "memdisk.h"
#include "mm/check.h"
#include "mm/design.h"
#include "mm/frame.h"
#include "mm/reclaim.h"
#include "mm/uaccess.h"
#include "syscall/syscall.h"
#include "vfs/node.h"
#include <stdio.h>
#include <string.h>

#define RAM MIB(32)

struct env_proc *exec_proc;

/* ---- what exec and the file system call ---- */

int proc_spare_space(struct proc *p, struct aspace **out) {
    *out = &exec_proc->spaces[exec_proc->as == &exec_proc->spaces[0]];
    return env_create_space(exec_proc, *out);
}

void proc_replace_space(struct proc *p) {
    env_replace_space(exec_proc);
    p->as = exec_proc->as;
}

void thread_fpu_reset(void) {}

int thread_be_alone(void) { return 0; } /* it is */

void signal_exec(void) {}

size_t str_copy(char *dst, const char *src, size_t size) {
    return (size_t)snprintf(dst, size, "%s", src);
}

const struct chardev_ops *chardev_find(int major) { return NULL; }

const struct interface interface_own; /* exec hands it on, and nobody looks into it */

/* ---- the machine ---- */

static uint64_t frames_before; /* in use, but for caches */

static uint64_t frames_in_use(void) {
    struct frame_stats st;
    reclaim_frames(UINT64_MAX);
    frame_stats(&st);
    return st.total - st.free;
}

static void at_boot(void) {
    kstub_reset();
    env_must(!fs_boot_init(RAM), "the file system's memory");
}

static void mount(void) {
    const char *why;
    struct node *root;
    struct fsimage im = fsimage_make(2000, 60, 100);
    memdisk_load(im.data, im.bytes);
    fsimage_free(&im);
    env_must(!fs_mount(&root, &why), "an empty disk is mounted");
    node_set_root(root);
}

bool execenv_fresh(unsigned design) {
    if (!design_at(design))
        return false;
    env_design = design;
    env_at_boot = at_boot;
    env_fresh(RAM / MIB(1), 16);
    mount();
    frames_before = frames_in_use();
    env_must(!env_create(&exec_proc), "a process");
    struct proc *p = proc_self();
    spin_init(&p->lock, RANK_PROCESS);
    p->as = exec_proc->as;
    thread_self()->tf = pa_ptr(exec_proc->trapframe);
    env_run(exec_proc, 0);
    return true;
}

void execenv_end(void) {
    env_exit(exec_proc);
    proc_files_drop(proc_self());
    fs_quiesce();
    uint64_t now = frames_in_use();
    if (now != frames_before)
        env_fail("%lu frames are in use, and %lu were", (unsigned long)now,
                 (unsigned long)frames_before);
    const char *complaint = fsimage_complaint(memdisk_image(), memdisk_bytes());
    if (complaint)
        env_fail("the disk: %s", complaint);
}

/* ---- user memory ---- */

void user_write(uint64_t to, const void *from, size_t n) {
    env_must(!copyout(UA(to), from, n), "the user's memory can be written");
}

void user_read(void *to, uint64_t from, size_t n) {
    env_must(!copyin(to, UA(from), n), "the user's memory can be read");
}

uint64_t user_word(uint64_t from) {
    uint64_t word;
    user_read(&word, from, sizeof(word));
    return word;
}

uint64_t user_sbrk(int64_t delta) {
    uint64_t old;
    env_must(!aspace_sbrk(exec_proc->as, delta, &old), "memory for the heap");
    return old;
}

/* ---- system calls ---- */

static int64_t call(int (*fn)(const uint64_t arg[6], uint64_t *result), uint64_t a0, uint64_t a1,
                    uint64_t a2) {
    uint64_t arg[6] = {a0, a1, a2}, result = 0;
    int err = fn(arg, &result);
    check_space(exec_proc->as);
    return err ? err : (int64_t)result;
}

static uint64_t put_string(uint64_t *at, const char *string) {
    uint64_t here = *at;
    user_write(here, string, strlen(string) + 1);
    *at += ROUND_UP(strlen(string) + 1, 8);
    return here;
}

void user_makes_file(uint64_t heap, const char *path, const void *contents, size_t n) {
    uint64_t bytes = heap, name = put_string(&bytes, path);
    int64_t fd = call(sys_open, name, ABI_O_CREATE | ABI_O_WRONLY, 0);
    env_must(fd >= 0, "a file is made");
    user_write(bytes, contents, n);
    for (size_t done = 0; done < n;) {
        int64_t wrote = call(sys_write, (uint64_t)fd, bytes + done, n - done);
        env_must(wrote > 0, "a file is written");
        done += (size_t)wrote;
    }
    env_must(!call(sys_close, (uint64_t)fd, 0, 0), "a file is closed");
}

int user_execs(uint64_t heap, const char *path, const char *const *argv) {
    uint64_t array[ABI_MAXARG + 1] = {0};
    uint64_t at = heap + PAGE_SIZE, name = put_string(&at, path);
    for (unsigned i = 0; argv[i]; i++)
        array[i] = put_string(&at, argv[i]);
    user_write(heap, array, sizeof(array));
    int64_t result = call(sys_exec, name, heap, 0);
    return result < 0 ? (int)result : 0;
}

struct execenv_state execenv_state(struct inode *const *files, unsigned n) {
    struct execenv_state now;
    struct frame_stats st;
    env_must(n <= EXECENV_FILES, "room for the files");
    memset(&now, 0, sizeof(now));
    /* What stays is what somebody refers to. */
    reclaim_frames(UINT64_MAX);
    frame_stats(&st);
    now.cached = st.cached;
    now.hash = env_hash();
    for (unsigned i = 0; i < n; i++) {
        now.refs[i] = files[i]->refs;
        now.map[i] = files[i]->mapped.map;
    }
    now.frame = *thread_self()->tf;
    memcpy(now.name, proc_self()->name, sizeof(now.name));
    return now;
}
