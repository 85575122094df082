/* What /proc says of a process. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/inspect.h"
#include "mm/pieces.h"
#include "proc/group.h"
#include "proc/proc.h"
#include "proc/session.h"
#include "proc/signal.h"
#include "procfs/contents.h"

#define KIB_PAGE (PAGE_SIZE / 1024)

int process_slot(int32_t pid) {
    struct abi_procinfo info;
    for (uint32_t slot = 0; slot < proc_slots; slot++)
        if (!proc_info(slot, &info) && info.pid == pid)
            return (int)slot;
    return -1;
}

static int info_of(int32_t pid, struct abi_procinfo *info) {
    int slot = process_slot(pid);
    if (slot < 0 || proc_info((uint32_t)slot, info) || info->pid != pid)
        return -K_ESRCH;
    return 0;
}

static const struct {
    char letter;
    const char *words;
} states[] = {
    [ABI_P_RUNNABLE] = {'R', "R (running)"},  [ABI_P_RUNNING] = {'R', "R (running)"},
    [ABI_P_SLEEPING] = {'S', "S (sleeping)"}, [ABI_P_ZOMBIE] = {'Z', "Z (zombie)"},
    [ABI_P_STOPPED] = {'T', "T (stopped)"},
};

/* Faults, and the pages that it had at most. */
static void memory_of(int32_t pid, uint64_t *faults, uint64_t *peak) {
    struct aspace *as = proc_lock_space(pid);
    *faults = as ? as->faults : 0;
    *peak = as ? MAX(as->peak, as->present) : 0;
    if (as)
        spin_unlock(&as->lock);
}

/* ---- one line, or one for each thing ---- */

#define TICKS(ticks) ((unsigned long)((ticks) * (100 / ABI_TICKS_PER_SECOND)))

static int stat(struct text *t, int32_t pid, int32_t tid) {
    struct abi_procinfo i;
    int32_t group = 0, session = 0, foreground;
    uint32_t device;
    uint64_t faults, peak;
    int err = info_of(pid, &i);
    if (err)
        return err;
    memory_of(pid, &faults, &peak);
    (void)!proc_get_group(pid, &group); /* it may have ended */
    (void)!proc_get_session(pid, &session);
    proc_terminal_of(pid, &device, &foreground);
    text_print(t, "%d (%s) %c %d %d %d %u %d 0 %lu 0 0 0 %lu 0 0 0 20 0 %u 0 0 %lu %lu ", i.pid,
               i.name, states[i.state].letter, i.parent, group, session, device, foreground,
               (unsigned long)faults, TICKS(i.ticks), i.threads, (unsigned long)i.size,
               (unsigned long)i.frames);
    text_print(t, "18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 %u 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
               i.hart);
    return 0;
}

static int statm(struct text *t, int32_t pid, int32_t tid) {
    struct abi_procinfo i;
    int err = info_of(pid, &i);
    if (!err)
        text_print(t, "%lu %lu 0 0 0 %lu 0\n", (unsigned long)(i.size / PAGE_SIZE),
                   (unsigned long)i.frames, (unsigned long)(i.size / PAGE_SIZE));
    return err;
}

static void signals(struct text *t, const struct signal_masks *s) {
    text_print(t, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n",
               (unsigned long)s->waiting_thread, (unsigned long)s->waiting,
               (unsigned long)s->blocked);
    text_print(t, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", (unsigned long)s->ignored,
               (unsigned long)s->caught);
}

/* Of a process, or of this thread of it. */
static int print_status(struct text *t, int32_t pid, const struct thread_about *thread) {
    struct abi_procinfo i;
    struct signal_masks s = {0};
    uint64_t faults, peak;
    int err = info_of(pid, &i);
    if (err)
        return err;
    (void)!signal_masks_of(pid, thread ? thread->tid : 0, &s); /* it may have ended */
    memory_of(pid, &faults, &peak);
    text_print(t, "Name:\t%s\nState:\t%s\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n",
               thread ? thread->name : i.name, states[thread ? thread->state : i.state].words,
               i.pid, thread ? thread->tid : i.pid, i.parent);
    text_print(t, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nVmSize:\t%lu kB\n",
               (unsigned long)(i.size / 1024));
    text_print(t, "VmHWM:\t%lu kB\nVmRSS:\t%lu kB\n", (unsigned long)(peak * KIB_PAGE),
               (unsigned long)(i.frames * KIB_PAGE));
    text_print(t, "VmPTE:\t%lu kB\nThreads:\t%u\n", (unsigned long)(i.table_frames * KIB_PAGE),
               i.threads);
    signals(t, &s);
    return 0;
}

static int status(struct text *t, int32_t pid, int32_t tid) { return print_status(t, pid, NULL); }

static int comm(struct text *t, int32_t pid, int32_t tid) {
    struct abi_procinfo i;
    int err = info_of(pid, &i);
    if (!err)
        text_print(t, "%s\n", i.name);
    return err;
}

/* ---- arguments ---- */

#define STRING_ALIGN 16 /* each begins at a multiple (proc_strings) */
#define CHUNK 256

/* Up to a page's end; 0: nothing is there. */
static size_t read_memory(int32_t pid, uint64_t at, char *dst, size_t n) {
    struct aspace *as = proc_lock_space(pid);
    if (!as)
        return 0;
    n = inspect_bytes(as, at, dst, n);
    spin_unlock(&as->lock);
    return n;
}

/* Those that the process finds in its memory; the padding is left out. One that has ended has none,
 * and of one that is its kernel's own only the name is known. */
static int cmdline(struct text *t, int32_t pid, int32_t tid) {
    struct proc_strings s;
    char chunk[CHUNK];
    size_t got = 0;
    int err = proc_arguments(pid, &s);
    if (err)
        return err;
    bool between = true; /* a string has ended, or none has begun */
    for (uint64_t at = s.start; at < s.end && !t->cut; at += got) {
        got = read_memory(pid, at, chunk, MIN(s.end - at, (uint64_t)CHUNK));
        if (got == 0)
            break;
        for (size_t i = 0; i < got; i++) {
            bool begins = (at + i) % STRING_ALIGN == 0;
            if (between && !begins)
                continue;
            text_byte(t, chunk[i]);
            between = chunk[i] == '\0';
        }
    }
    return 0;
}

/* ---- mappings ---- */

/* A mapping as it is told: nothing of it refers to the space. */
struct told {
    uint64_t start, end, offset;
    char permissions[5];
    bool bracketed, zeros;
    char name[ABI_VM_NAME_SIZE];
    struct inspect_pages pages;
};

static struct told describe(const struct mapping *m) {
    struct told told = {.start = m->start,
                        .end = m->end,
                        .offset = m->object->zeros ? 0 : m->first * PAGE_SIZE,
                        .bracketed = m->object->zeros || m->shared,
                        .zeros = m->object->zeros};
    inspect_permissions(m, told.permissions);
    str_copy(told.name, object_name(m->object, m->perm), sizeof(told.name));
    return told;
}

/* The first mapping that ends above `at`. *there: whether there is one. -K_ESRCH. */
static int find(int32_t pid, uint64_t at, struct told *told, bool *there) {
    struct aspace *as = proc_lock_space(pid);
    if (!as)
        return -K_ESRCH;
    const struct mapping *m = mapping_from(&as->mappings, at);
    *there = m;
    if (m)
        *told = describe(m);
    spin_unlock(&as->lock);
    return 0;
}

/* What there is of its pages, in pieces: each finds the space again. -K_ESRCH. */
static int count(int32_t pid, struct told *told) {
    for (uint64_t at = told->start; at < told->end && !proc_killed();) {
        unsigned passed = 0;
        struct aspace *as = proc_lock_space(pid);
        if (!as)
            return -K_ESRCH;
        at = inspect_count(as, at, told->end, &passed, &told->pages);
        spin_unlock(&as->lock);
        piece_done(passed);
    }
    return 0;
}

static void print_mapping(struct text *t, const struct told *m) {
    text_print(t, "%08lx-%08lx %s %08lx 00:00 0 %s%s%s\n", (unsigned long)m->start,
               (unsigned long)m->end, m->permissions, (unsigned long)m->offset,
               m->bracketed ? "[" : "", m->name, m->bracketed ? "]" : "");
}

static void print_pages(struct text *t, const struct told *m) {
    const struct inspect_pages *p = &m->pages;
    uint64_t own = p->present - MIN(p->shared, p->present);
    text_print(t, "Size: %lu kB\nKernelPageSize: 4 kB\nMMUPageSize: 4 kB\nRss: %lu kB\n",
               (unsigned long)((m->end - m->start) / 1024), (unsigned long)(p->present * KIB_PAGE));
    text_print(t, "Pss: %lu kB\nShared_Clean: %lu kB\nShared_Dirty: 0 kB\nPrivate_Clean: 0 kB\n",
               (unsigned long)(p->present * KIB_PAGE), (unsigned long)(p->shared * KIB_PAGE));
    text_print(t, "Private_Dirty: %lu kB\nAnonymous: %lu kB\nSwap: 0 kB\n",
               (unsigned long)(own * KIB_PAGE),
               (unsigned long)((m->zeros ? p->present : p->copied) * KIB_PAGE));
}

static int tell_mappings(struct text *t, int32_t pid, bool pages) {
    struct told m = {.end = 0};
    for (;;) {
        bool there;
        int err = find(pid, m.end, &m, &there);
        if (!err && there && pages)
            err = count(pid, &m);
        if (err || !there || proc_killed() || t->cut)
            return t->bytes ? 0 : err;
        print_mapping(t, &m);
        if (pages)
            print_pages(t, &m);
    }
}

static int maps(struct text *t, int32_t pid, int32_t tid) { return tell_mappings(t, pid, false); }
static int smaps(struct text *t, int32_t pid, int32_t tid) { return tell_mappings(t, pid, true); }

const struct contents process_contents[] = {
    {"stat", stat},   {"statm", statm},        {"status", status},
    {"comm", comm},   {"maps", maps},          {"cmdline", cmdline},
    {"smaps", smaps}, {"mounts", mounts_text}, {"mountinfo", mountinfo_text},
};
const unsigned process_contents_count = ARRAY_LEN(process_contents);

/* ---- threads ---- */

/* -K_ESRCH */
static int about(int32_t pid, int32_t tid, struct thread_about *a) {
    int err = proc_thread(pid, tid, a);
    return err ? err : a->tid == tid ? 0 : -K_ESRCH;
}

static int thread_comm(struct text *t, int32_t pid, int32_t tid) {
    struct thread_about a;
    int err = about(pid, tid, &a);
    if (!err)
        text_print(t, "%s\n", a.name);
    return err;
}

/* Its time is not told, nor what is its process's. */
static int thread_stat(struct text *t, int32_t pid, int32_t tid) {
    struct thread_about a;
    struct abi_procinfo i;
    int32_t group = 0, session = 0;
    int err = about(pid, tid, &a);
    if (!err)
        err = info_of(pid, &i);
    if (err)
        return err;
    (void)!proc_get_group(pid, &group);
    (void)!proc_get_session(pid, &session);
    text_print(t, "%d (%s) %c %d %d %d 0 -1 0 0 0 0 0 0 0 0 0 20 0 %u 0 0 %lu %lu ", a.tid, a.name,
               states[a.state].letter, i.parent, group, session, i.threads, (unsigned long)i.size,
               (unsigned long)i.frames);
    text_print(t, "18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 %u 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
               a.hart);
    return 0;
}

static int thread_status(struct text *t, int32_t pid, int32_t tid) {
    struct thread_about a;
    int err = about(pid, tid, &a);
    return err ? err : print_status(t, pid, &a);
}

const struct contents thread_contents[] = {
    {"comm", thread_comm}, {"stat", thread_stat}, {"status", thread_status}};
const unsigned thread_contents_count = ARRAY_LEN(thread_contents);
