/* A process that is looked at, and its watcher: see watched.h. */
#include "watched.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>

/* ---- the two that are looked at ---- */

/* The watcher has gone. */
static void leave(void) {
    while (wait(NULL) >= 0)
        ; /* the child, which sees it too */
    _exit(1);
}

void watched_await(int fd) {
    char order;
    if (read(fd, &order, 1) != 1)
        leave();
}

void watched_say(int fd, const void *what, size_t n) {
    if (write(fd, what, n) != (ssize_t)n)
        leave();
}

/* ---- the watcher ---- */

static const char *name;
static int orders, reports;

void watch_finish(int status) {
    close(orders);
    close(reports);
    while (wait(NULL) >= 0)
        ;
    exit(status);
}

static void fail(const char *what) {
    fprintf(stderr, "%s: %s\n", name, what);
    watch_finish(1);
}

void watch_start(const char *program) {
    int order_pipe[2], report_pipe[2];
    name = program;
    if (pipe(order_pipe) < 0 || pipe(report_pipe) < 0)
        fail("no pipe");
    pid_t pid = fork();
    if (pid < 0)
        fail("no process");
    if (pid == 0) {
        dup2(order_pipe[0], STDIN_FILENO);
        dup2(report_pipe[1], STDOUT_FILENO);
        for (int i = 0; i < 2; i++) {
            close(order_pipe[i]);
            close(report_pipe[i]);
        }
        execlp(program, program, WATCHED, NULL);
        _exit(1);
    }
    close(order_pipe[0]);
    close(report_pipe[1]);
    orders = order_pipe[1];
    reports = report_pipe[0];
}

void watch_order(void) {
    if (write(orders, "", 1) != 1)
        fail("the processes to be shown have ended");
}

void watch_report(void *to, size_t n) {
    if (read(reports, to, n) != (ssize_t)n)
        fail("a process to be shown has ended, perhaps for want of memory");
}

void watch_run(const char *command) {
    int status;
    printf("$ %s\n", command);
    if (fflush(stdout) != 0) {
        output_failed(name);
        watch_finish(1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        execlp("sh", "sh", "-c", command, NULL);
        _exit(127);
    }
    while (pid > 0 && wait(&status) != pid)
        ; /* the parent may have ended */
    if (pid < 0)
        fail("no process");
    if (status != 0)
        watch_finish(1); /* the command has said why */
}
