/* What wait tells of children when several threads of the parent ask. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdatomic.h>
#include "threads.h"

#define LOOKS 5000

static atomic_int done;

/* Looks again and again, and leaves it to others. */
static void *look(void *options) {
    siginfo_t info;
    while (!done)
        CHECK(waitid(P_ALL, 0, &info, *(int *)options | WNOWAIT | WNOHANG) == 0);
    return NULL;
}

/* Each of LOOKS looks finds it, whoever else looks. */
static void check_all_see_it(int options) {
    siginfo_t info;
    done = 0;
    pthread_t other = begin(look, &options);
    int seen = 0;
    for (int i = 0; i < LOOKS; i++) {
        info.si_pid = 0;
        CHECK(waitid(P_ALL, 0, &info, options | WNOWAIT | WNOHANG) == 0);
        seen += info.si_pid != 0;
    }
    done = 1;
    end_of(other);
    CHECK_EQ(seen, LOOKS);
}

static void check_kept(void) {
    siginfo_t info;
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    CHECK(kill(child, SIGSTOP) == 0);
    CHECK(waitid(P_PID, (id_t)child, &info, WSTOPPED | WNOWAIT) == 0);
    check_all_see_it(WSTOPPED);
    CHECK(kill(child, SIGCONT) == 0);
    CHECK(waitid(P_PID, (id_t)child, &info, WCONTINUED | WNOWAIT) == 0);
    check_all_see_it(WCONTINUED);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    check_all_see_it(WEXITED);
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED) == 0 && info.si_status == SIGKILL);
    CHECK(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) == -1 && errno == ECHILD);
}

int main(void) {
    check_kept();
    return tell_end();
}
