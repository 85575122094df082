/* Processes for host tests: see kstub.h. */
#include "kstub.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "proc/signal.h"
#include "proc/sleeplock.h"
#include "vfs/notes.h"
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One sleep. Linked into the channel under the channel's lock; the rest is
 * guarded by the mutex. */
struct sleeper {
    struct list link;
    struct thread *thread;
    const char *lock;
    bool woken;
    pthread_cond_t cond;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned awake = 1;
static struct proc procs[KSTUB_PROCS];
static struct thread threads[KSTUB_PROCS]; /* the only one of each */
static struct sleeper *asleep[KSTUB_PROCS];
static bool kill_delivered[KSTUB_PROCS]; /* it has ended a sleep */

uint32_t proc_slots = 127;
char kstub_printed[8192];

static void make_proc(unsigned i) {
    memset(&procs[i], 0, sizeof procs[i]);
    memset(&threads[i], 0, sizeof threads[i]);
    procs[i].slot = i;
    spin_init(&procs[i].fds.lock, RANK_DESCRIPTORS);
    threads[i].proc = &procs[i];
}

void kstub_run(unsigned i) {
    hart_self()->proc = &procs[i];
    hart_self()->thread = &threads[i];
}

void kstub_reset(void) {
    for (unsigned i = 0; i < KSTUB_PROCS; i++)
        make_proc(i);
    awake = 1;
    memset(asleep, 0, sizeof asleep);
    memset(kill_delivered, 0, sizeof kill_delivered);
    host_hart_be(0);
    kstub_run(0);
    kstub_printed[0] = '\0';
}

struct proc *kstub_proc(unsigned i) {
    return &procs[i];
}

/* That of a sleeplock's guard is the sleeplock's. */
static const char *lock_name(const struct spinlock *lk) {
    const struct sleeplock *around = (const struct sleeplock *)lk;
    return rank_name(lk->rank == RANK_SLEEPLOCK ? around->rank : lk->rank);
}

void wait_channel_init(struct wait_channel *wc) { list_init(&wc->sleepers); }

/* A process stops running. It must not have been the last one if others sleep. */
static void stop_running(void) {
    bool deadlock = false;
    if (--awake > 0)
        return;
    for (unsigned i = 0; i < KSTUB_PROCS; i++)
        if (asleep[i]) {
            fprintf(stderr, "deadlock: process %u sleeps, gave up \"%s\"\n", i, asleep[i]->lock);
            deadlock = true;
        }
    if (deadlock)
        abort();
}

void sleep_on(struct wait_channel *wc, struct spinlock *lk) {
    struct proc *p = proc_self();
    spin_expect_only(lk, "a sleep");
    struct sleeper s = {.thread = thread_self(), .lock = lock_name(lk)};
    pthread_cond_init(&s.cond, NULL);
    list_push_back(&wc->sleepers, &s.link);
    pthread_mutex_lock(&mutex);
    asleep[p->slot] = &s;
    if (proc_killed() && !kill_delivered[p->slot])
        s.woken = kill_delivered[p->slot] = true;
    else
        stop_running();
    spin_unlock(lk);
    while (!s.woken)
        pthread_cond_wait(&s.cond, &mutex);
    asleep[p->slot] = NULL;
    pthread_mutex_unlock(&mutex);
    spin_lock(lk);
    list_remove(&s.link);
    pthread_cond_destroy(&s.cond);
}

static void wake(struct sleeper *s) {
    if (!s->woken) {
        s->woken = true;
        awake++;
        pthread_cond_signal(&s->cond);
    }
}

void wakeup(struct wait_channel *wc) {
    pthread_mutex_lock(&mutex);
    LIST_EACH(link, &wc->sleepers)
        wake(LIST_ENTRY(link, struct sleeper, link));
    while (list_pop_front(&wc->sleepers)) {
    }
    pthread_mutex_unlock(&mutex);
}

void wakeup_one(struct wait_channel *wc) {
    pthread_mutex_lock(&mutex);
    struct list *link = list_pop_front(&wc->sleepers);
    if (link)
        wake(LIST_ENTRY(link, struct sleeper, link));
    pthread_mutex_unlock(&mutex);
}

bool proc_killed(void) {
    return __atomic_load_n(&thread_self()->reasons, __ATOMIC_RELAXED) & THREAD_KILLED;
}

/* pid is its number as kstub_proc has it. */
struct fdtable *proc_lock_files(int32_t pid) {
    struct fdtable *t = &procs[pid].fds;
    spin_lock(&t->lock);
    return t;
}

int signal_send_thread(int32_t pid, int32_t tid, int32_t signal) { return 0; }

bool proc_interrupted(void) { return proc_killed(); }

void kstub_kill(struct proc *p) {
    pthread_mutex_lock(&mutex);
    __atomic_store_n(&threads[p->slot].reasons, THREAD_KILLED, __ATOMIC_RELAXED);
    if (asleep[p->slot]) {
        kill_delivered[p->slot] = true;
        wake(asleep[p->slot]);
    }
    pthread_mutex_unlock(&mutex);
}

bool kstub_sleeps(const struct proc *p) {
    pthread_mutex_lock(&mutex);
    bool sleeps = asleep[p->slot] && !asleep[p->slot]->woken;
    pthread_mutex_unlock(&mutex);
    return sleeps;
}

void kstub_until_asleep(struct proc *p) {
    while (!kstub_sleeps(p))
        sched_yield();
}

struct job {
    unsigned i;
    void (*body)(unsigned i);
};

static void *thread_main(void *arg) {
    struct job *t = arg;
    host_hart_be(t->i + 1);
    kstub_run(t->i + 1);
    t->body(t->i);
    hart_self()->proc = NULL;
    hart_self()->thread = NULL;
    pthread_mutex_lock(&mutex);
    stop_running();
    pthread_mutex_unlock(&mutex);
    return NULL;
}

void kstub_parallel(unsigned n, void (*body)(unsigned i)) {
    pthread_t id[KSTUB_PROCS];
    struct job t[KSTUB_PROCS];
    pthread_mutex_lock(&mutex);
    awake += n;
    pthread_mutex_unlock(&mutex);
    for (unsigned i = 0; i < n; i++) {
        make_proc(i + 1);
        kill_delivered[i + 1] = false;
        t[i] = (struct job){i, body};
        pthread_create(&id[i], NULL, thread_main, &t[i]);
    }
    pthread_mutex_lock(&mutex);
    stop_running(); /* this thread only waits for the others */
    pthread_mutex_unlock(&mutex);
    for (unsigned i = 0; i < n; i++)
        pthread_join(id[i], NULL);
    awake = 1;
}

int kprintf(const char *fmt, ...) {
    pthread_mutex_lock(&mutex);
    size_t used = strlen(kstub_printed);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(kstub_printed + used, sizeof kstub_printed - used, fmt, ap);
    va_end(ap);
    pthread_mutex_unlock(&mutex);
    return n;
}

/* Nobody watches files. */
uint32_t notes_watches;
void notes_tell(struct node *n, uint32_t what, uint32_t cookie, const struct name *name) {}
void notes_name_begin(struct notes_name *n, struct node *dir, const struct name *name) {}
void notes_name_end(struct notes_name *n, struct node *dir, const struct name *name, bool done,
                    bool replaced) {}
void notes_moved(struct notes_name *n, struct node *from, const struct name *old, struct node *to,
                 const struct name *new, bool done) {}
void notes_made(struct node *dir, const struct name *name, bool is_dir) {}
void notes_if_gone(struct node *n) {}
void notes_of_file(struct file *f, uint32_t what) {}
void notes_opened(struct file *f, struct node *start, const char *path, bool cut) {}
void notes_forget_place(struct file *f) {}
