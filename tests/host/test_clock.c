/* Slices: however a program sets its timers, its slice ends when it would have ended. */
/* sources: kernel/proc/clock.c kernel/proc/alarm.c kernel/proc/itimer.c kernel/vfs/timerfile.c */
/* sources: kernel/proc/watch.c kernel/sync/spinlock.c kernel/sync/rank.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c */
#include "kstub.h"
#include "lib/errno.h"
#include "mm/slab.h"
#include "mm/uaccess.h"
#include "proc/clock.h"
#include "proc/itimer.h"
#include "proc/ptimer.h"
#include "proc/sched.h"
#include "proc/signal.h"
#include "vfs/timerfile.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* ---- what is below: the time of the host's kernel is how often somebody asked for it ---- */

#define HZ 1000000

static uint64_t set_to; /* when the timer interrupts */

void timer_set(uint64_t when) { set_to = when; }
const char *ksym_lookup(uint64_t addr, uint64_t *offset) { return NULL; }
void sched_tick(void) {}
void sched_ready(struct thread *t) {}
uint64_t signal_resume_until(uint64_t when) { return when; }
void signal_post_locked(struct proc *p, struct thread *only, int32_t signal,
                        const struct signal_info *info) {}
void *slab_take(struct slab *s) { return malloc(s->size); }
void slab_give(struct slab *s, void *record) { free(record); }
int copyout(uaddr_t dst, const void *src, size_t n) {
    memcpy((void *)dst.v, src, n);
    return 0;
}

static struct file timer;
int file_alloc(struct file **f) {
    *f = &timer;
    return 0;
}
void file_put(struct file *f) { f->ops->close(f); }

static int begin(void **state) {
    kstub_reset();
    memset(&timer, 0, sizeof(timer));
    clock_init(HZ);
    clock_arm_running();
    return 0;
}

uint64_t usage_time_locked(struct proc *p) { return 0; }
void ptimers_tick_locked(struct proc *p) {}

/* ---- tests ---- */

static void far(void) {
    uint64_t first = 1000 * HZ, every = 0;
    itimer_set(ABI_ITIMER_REAL, &first, &every);
}

static void timers_of_processes(void **state) {
    uint64_t end = set_to;
    for (unsigned i = 0; i < 100; i++) {
        far();
        assert_int_equal(set_to, end);
    }
    uint64_t first = 20, every = 0;
    itimer_set(ABI_ITIMER_REAL, &first, &every);
    assert_true(set_to < end); /* that one is sooner */
    far();
    assert_int_equal(set_to, end);
    clock_interrupt();
    assert_true(set_to > end); /* the next slice */
    itimer_stop(proc_self());
}

static void timers_that_are_files(void **state) {
    struct timer_setting hour = {.first = 3600000000000}, soon = {.first = 30000};
    uint64_t end = set_to, rings;
    size_t done;
    struct file *f;
    assert_int_equal(timer_file_create(false, &f), 0);
    f->nonblock = true;
    for (unsigned i = 0; i < 100; i++) {
        timer_file_set(timer_file_of(f), &hour, false);
        assert_int_equal(set_to, end);
        assert_int_equal(f->ops->read(f, UA(&rings), 8, &done), -K_EAGAIN);
        assert_int_equal(set_to, end);
    }
    struct timer_setting often = {.first = 1, .every = 1}; /* each read finds some, and sets it */
    timer_file_set(timer_file_of(f), &often, false);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(f->ops->read(f, UA(&rings), 8, &done), 0);
        assert_true(rings > 0 && set_to <= end);
    }
    timer_file_set(timer_file_of(f), &soon, false);
    assert_true(set_to < end);
    timer_file_set(timer_file_of(f), &hour, false);
    assert_int_equal(set_to, end);
    file_put(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(timers_of_processes, begin),
        cmocka_unit_test_setup(timers_that_are_files, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
