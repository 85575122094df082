/* fork, exec of both sorts of programs, waiting, signals and time. */
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

static volatile sig_atomic_t caught, sender;

static void handler(int signal, siginfo_t *info, void *context) {
    caught = signal;
    sender = info->si_pid;
}

static void check_fork(void) {
    int status = 0;
    pid_t child = fork();
    if (child == 0)
        _exit(getpid() != getppid() && raise(0) == 0 ? 7 : 1);
    CHECK(child > 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    CHECK(waitpid(-1, &status, WNOHANG) == -1 && errno == ECHILD);
    child = vfork();
    if (child == 0) {
        execl("/linux/nosuch", "nosuch", NULL);
        _exit(9);
    }
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 9);
}

/* A program of xv6's, which writes to a pipe. */
static void check_exec(void) {
    char text[32] = "";
    int ends[2], status;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        execl("/bin/echo", "echo", "from", "xv6", NULL);
        _exit(1);
    }
    close(ends[1]);
    CHECK(read(ends[0], text, sizeof(text)) == 9 && !strcmp(text, "from xv6\n"));
    CHECK(read(ends[0], text, sizeof(text)) == 0 && close(ends[0]) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    char *argv[] = {"true", NULL};
    CHECK(posix_spawn(&child, "/bin/true", NULL, NULL, argv, NULL) == 0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void check_signals(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    sigset_t set, old;
    int status;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && caught == SIGUSR1 && sender == getpid());
    caught = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0 && raise(SIGUSR1) == 0 && !caught);
    CHECK(sigprocmask(SIG_SETMASK, &old, NULL) == 0 && caught == SIGUSR1);
    pid_t child = fork();
    if (child == 0)
        for (;;)
            pause();
    CHECK(kill(child, SIGTERM) == 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    CHECK(kill(child, 0) == -1 && errno == ESRCH);
}

/* A program that has said nothing of it ends by what nobody reads, and one that ignores it goes on.
 */
static void check_pipe(void) {
    int ends[2], status;
    CHECK(pipe(ends) == 0 && close(ends[0]) == 0);
    pid_t child = fork();
    if (child == 0)
        _exit((int)write(ends[1], "x", 1));
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
          WTERMSIG(status) == SIGPIPE);
    CHECK(signal(SIGPIPE, SIG_IGN) == SIG_DFL);
    CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE);
    CHECK(signal(SIGPIPE, SIG_DFL) == SIG_IGN && close(ends[1]) == 0);
}

static void check_time(void) {
    struct timespec before, after, span = {0, 20000000};
    CHECK(clock_gettime(CLOCK_MONOTONIC, &before) == 0 && nanosleep(&span, NULL) == 0);
    CHECK(clock_gettime(CLOCK_MONOTONIC, &after) == 0);
    CHECK((after.tv_sec - before.tv_sec) * 1000000000L + after.tv_nsec - before.tv_nsec >=
          span.tv_nsec);
    CHECK(time(NULL) > 1700000000);
}

/* As much as it may be, and more. */
static void check_arguments(void) {
    static char text[60000];
    int status;
    memset(text, 'x', sizeof(text) - 1);
    char *two[] = {"start", text, text, NULL}, *three[] = {"start", text, text, text, NULL};
    pid_t child = fork();
    if (child == 0) {
        CHECK(execv("/bin/echo", two) == -1 && errno == E2BIG);
        CHECK(execv("/linux/start", three) == -1 && errno == E2BIG);
        execv("/linux/processes", two);
        _exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 3);
}

/* One of xv6's gets none, so it does not matter how much there is. */
static void check_environment(void) {
    static char text[100];
    char *many[101] = {NULL}, *argv[] = {"usertests", "-l", NULL};
    int status;
    memset(text, 'x', sizeof(text) - 1);
    for (int i = 0; i < 100; i++)
        many[i] = text;
    pid_t child = fork();
    if (child == 0) {
        close(1);
        open("/tmp/list", O_CREAT | O_WRONLY, 0600);
        execve("/bin/usertests", argv, many);
        _exit(1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0 && unlink("/tmp/list") == 0);
}

/* The child is not lost when there is no place for what it has used. */
static void check_usage(void) {
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(5);
    CHECK(syscall(SYS_wait4, child, &status, 0, (void *)-16L) == -1 && errno == EFAULT);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 5);
}

/* To everybody but the first process and who sends: children hear of it, the sender does not. */
static volatile sig_atomic_t heard;
static void hear(int signal) { heard = 1; }

static void check_everybody(void) {
    sigset_t urgent, before;
    int status;
    pid_t child[2];
    sigemptyset(&urgent);
    sigaddset(&urgent, SIGURG);
    CHECK(signal(SIGURG, hear) != SIG_ERR && sigprocmask(SIG_BLOCK, &urgent, &before) == 0);
    for (int i = 0; i < 2; i++)
        if ((child[i] = fork()) == 0) {
            while (!heard)
                sigsuspend(&before);
            _exit(7);
        }
    CHECK(kill(-1, 0) == 0 && kill(-1, SIGURG) == 0);
    for (int i = 0; i < 2; i++)
        CHECK(waitpid(child[i], &status, 0) == child[i] && WEXITSTATUS(status) == 7);
    CHECK(sigpending(&urgent) == 0 && !sigismember(&urgent, SIGURG));
    CHECK(sigprocmask(SIG_SETMASK, &before, NULL) == 0 && !heard);
    CHECK(kill(-1, 99) == -1 && errno == EINVAL);
}

int main(int argc, char **argv) {
    if (!strcmp(argv[0], "start"))
        return strlen(argv[2]) == 59999 ? argc : 99;
    check_fork();
    check_exec();
    check_signals();
    check_everybody();
    check_pipe();
    check_time();
    check_environment();
    check_usage();
    check_arguments();
    return tell_end();
}
