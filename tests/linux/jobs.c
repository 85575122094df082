/* Jobs at a terminal: those whose shell ends, and those with threads. */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <termios.h>
#include "ptys.h"
#include "threads.h"

#define DEADLINE 20000 /* milliseconds: nothing here takes long */

/* ---- a job of several threads reads in the background ---- */

static void *read_line(void *tty) {
    char text[10] = "";
    ssize_t n = read(*(int *)tty, text, sizeof(text));
    CHECK_EQ((int)n, 5);
    CHECK(!strcmp(text, "line\n"));
    _exit(failures);
}

/* The first thread takes the signal, and another one reads. */
static int read_beside(int slave) {
    int status;
    signal(SIGTTOU, SIG_IGN);
    for (int i = 0; i < 20 && !failures; i++) {
        pid_t job = fork();
        if (job == 0) {
            CHECK(setpgid(0, 0) == 0);
            begin(read_line, &slave);
            for (;;)
                pause();
        }
        CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status));
        if (WIFSTOPPED(status)) {
            CHECK(tcsetpgrp(slave, job) == 0 && kill(-job, SIGCONT) == 0 && writes(slave, ">"));
            CHECK_EQ(ended_with(job), 0);
        }
        CHECK(tcsetpgrp(slave, getpid()) == 0);
    }
    CHECK(writes(slave, "<"));
    return failures;
}

static void check_threads_of_a_job(void) {
    int master = open_master();
    pid_t child = start(master, read_beside);
    struct termios t;
    CHECK(tcgetattr(master, &t) == 0);
    t.c_lflag &= ~(tcflag_t)ECHO;
    CHECK(tcsetattr(master, TCSANOW, &t) == 0);
    char c;
    while (read(master, &c, 1) == 1 && c == '>')
        CHECK(writes(master, "line\n"));
    CHECK_EQ(ended_with(child), 0);
    CHECK(close(master) == 0);
}

/* ---- jobs whose shell ends ---- */

static int heard[2]; /* a pipe: what a job has heard, a letter each */

static void hear(int signal) {
    char c = signal == SIGHUP ? 'h' : signal == SIGCONT ? 'c' : 'u';
    (void)!write(heard[1], &c, 1);
}

static void listen_for(int signal) {
    struct sigaction action = {.sa_handler = hear};
    sigfillset(&action.sa_mask); /* the lowest one first */
    CHECK(sigaction(signal, &action, NULL) == 0);
}

/* A process in a group, its own if that is 0, which tells what it hears; it stops first, if it is
 * to. */
static pid_t start_job(pid_t group, int stops) {
    pid_t job = fork();
    if (job == 0) {
        CHECK(setpgid(0, group) == 0);
        listen_for(SIGHUP);
        listen_for(SIGCONT);
        listen_for(SIGUSR1);
        if (stops)
            raise(SIGSTOP);
        hear(SIGUSR1);
        for (;;)
            pause();
    }
    CHECK(job > 0);
    return job;
}

static int hears(const char *letters) {
    for (struct pollfd p = {heard[0], POLLIN, 0}; *letters; letters++) {
        char c;
        if (poll(&p, 1, DEADLINE) != 1 || read(heard[0], &c, 1) != 1 || c != *letters)
            return 0;
    }
    return 1;
}

static void stopped(pid_t job) {
    int status;
    CHECK(waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status));
}

/* A shell with a job that has stopped, and one that runs. */
static void run_shell(void) {
    CHECK(setpgid(0, 0) == 0);
    pid_t running = start_job(0, 0);
    CHECK(hears("u"));
    pid_t job = start_job(0, 1);
    stopped(job);
    pid_t jobs[2] = {job, running};
    CHECK(write(heard[1], jobs, sizeof(jobs)) == sizeof(jobs));
    _exit(failures);
}

/* A shell's job of two, of which the second one has stopped: it stays so while the first one is
 * there. */
static void run_job(void) {
    CHECK(setpgid(0, 0) == 0);
    pid_t second = start_job(getpid(), 1);
    stopped(second);
    pid_t third = start_job(getpid(), 0);
    CHECK(hears("u") && kill(third, SIGKILL) == 0 && waitpid(third, NULL, 0) == third);
    pid_t jobs[2] = {second, 0};
    CHECK(write(heard[1], jobs, sizeof(jobs)) == sizeof(jobs));
    _exit(failures);
}

static void see_end_of(void (*shell)(void), const char *letters) {
    pid_t jobs[2] = {0}, child;
    CHECK(pipe(heard) == 0);
    child = fork();
    if (child == 0)
        shell();
    CHECK_EQ(ended_with(child), 0);
    CHECK(read(heard[0], jobs, sizeof(jobs)) == sizeof(jobs));
    CHECK(hears(letters));
    if (jobs[1]) { /* it hears of this first, if of nothing else */
        CHECK(kill(jobs[1], SIGUSR1) == 0 && hears("u"));
        CHECK(kill(jobs[1], SIGKILL) == 0);
    }
    CHECK(kill(jobs[0], SIGKILL) == 0 && close(heard[0]) == 0 && close(heard[1]) == 0);
}

/* This one leads the session, and so can continue what is in other groups. */
static int lose_shells(int slave) {
    see_end_of(run_shell, "hcu");
    see_end_of(run_job, "hcu");
    return failures;
}

static void check_jobs_without_shell(void) {
    int master = open_master();
    pid_t child = start(master, lose_shells);
    CHECK_EQ(ended_with(child), 0);
    CHECK(close(master) == 0);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0); /* children _exit */
    check_threads_of_a_job();
    check_jobs_without_shell();
    return tell_end();
}
