/* Futexes: who is woken, and when. */
#include "threads.h"
#include <sys/mman.h>

static uint32_t word, woken;
static struct task tasks[6];

static void errors(void) {
    uint32_t *nowhere = (uint32_t *)TRAPFRAME_VA;
    CHECK_EQ(sys_futex_wait(&word, 1, UINT64_MAX), -EAGAIN);
    CHECK_EQ(sys_futex_wait((uint32_t *)((char *)&word + 2), 0, UINT64_MAX), -EINVAL);
    CHECK_EQ(sys_futex_wake((uint32_t *)((char *)&word + 1), 1), -EINVAL);
    CHECK_EQ(sys_futex_wait(nowhere, 0, UINT64_MAX), -EFAULT);
    CHECK_EQ(sys_futex_wake(nowhere, 1), -EFAULT);
    CHECK_EQ(sys_futex_wake(&word, 1), 0);
}

static void timeouts(void) {
    int before = sys_uptime();
    CHECK_EQ(sys_futex_wait(&word, 1, 100 * 1000 * 1000), -EAGAIN);
    CHECK_EQ(sys_futex_wait(&word, 0, 0), -ETIMEDOUT);
    CHECK_EQ(sys_futex_wait(&word, 0, 300 * 1000 * 1000), -ETIMEDOUT);
    CHECK(sys_uptime() - before >= 3);
    CHECK_EQ(sys_sleep(1), 0); /* no alarm is left */
}

static void wait_once(uint64_t i) {
    CHECK_EQ(sys_futex_wait(&word, 0, 60 * 1000000000ull), 0);
    __atomic_add_fetch(&woken, 1, __ATOMIC_RELAXED);
}

static void wakes_as_many_as_asked(void) {
    for (unsigned i = 0; i < 6; i++)
        task_start(&tasks[i], wait_once, i);
    unsigned done = 0;
    for (unsigned n = 1; done < 6; n = 2) {
        int got = sys_futex_wake(&word, n);
        CHECK(got >= 0 && got <= (int)n);
        done += (unsigned)got;
        WAIT_UNTIL(__atomic_load_n(&woken, __ATOMIC_RELAXED) == done);
        sys_yield();
    }
    for (unsigned i = 0; i < 6; i++)
        task_join(&tasks[i]);
}

/* Of two processes, at two addresses. */
static void shared_words(void) {
    uint32_t *a = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(a != MAP_FAILED);
    int pid = must_fork();
    if (pid == 0) {
        wait_for_word(a + 5, 0);
        CHECK_EQ(a[5], 3);
        set_word(a + 6, 4);
        sys_exit(0);
    }
    set_word(a + 5, 3);
    wait_for_word(a + 6, 0);
    CHECK_EQ(reap(pid), 0);
}

static void private_words_are_not(void) {
    int pid = must_fork();
    if (pid == 0)
        sys_exit(sys_futex_wait(&word, 0, 500 * 1000 * 1000) == -ETIMEDOUT ? 5 : 6);
    WAIT_UNTIL(state_of(pid) == ABI_P_SLEEPING);
    CHECK_EQ(sys_futex_wake(&word, 10), 0);
    CHECK_EQ(reap(pid), 5);
}

static uint32_t ball;

static void play(uint64_t me) {
    for (unsigned i = 0; i < 200; i++) {
        wait_for_word(&ball, !me);
        set_word(&ball, !me);
    }
}

static void ping_pong(void) {
    task_start(&tasks[0], play, 0);
    task_start(&tasks[1], play, 1);
    task_join(&tasks[0]);
    task_join(&tasks[1]);
    CHECK_EQ(ball, 0);
}

const struct test futex_tests[] = {
    {"errors", errors, false},
    {"timeouts", timeouts, false},
    {"wakes_as_many_as_asked", wakes_as_many_as_asked, false},
    {"shared_words", shared_words, false},
    {"private_words_are_not", private_words_are_not, false},
    {"ping_pong", ping_pong, false},
    {0},
};
