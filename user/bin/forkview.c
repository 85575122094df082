/* Shows what a fork does to page tables. One process writes a page, forks, and then first
 * the child and later the parent writes the page again; before and after each step the
 * page tables of both are printed with vmprint, vmwalk and vmmap.
 *
 * Three processes take part. The two that are looked at, parent and child, do nothing but
 * their steps: a process that printed its own tables would change them by that. The third,
 * the watcher, orders each step through a pipe and goes on when it has been reported done;
 * both then sleep until the next one. The parent is executed anew, as otherwise it would
 * share its memory with the watcher.
 *
 * -k: prints the kernel's view of each in full, too. See docs/tour.md. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>
#include "../lib/vmtext.h"

#define USAGE "forkview [-k]"
#define SUBJECT "-subject" /* the argument of the two that are looked at */

/* What each of them says after a step; the order is any byte. */
struct report {
    pid_t pid;
    char *page;
    char reads[8]; /* what the page has for it */
};

/* ---- the two that are looked at: orders come from input, reports go to output -------
 * No stdio here and no static data: only the page and the stack are written. */

/* The watcher has gone. */
static void leave(void) {
    while (wait(NULL) >= 0)
        ; /* the child, which sees it too */
    _exit(1);
}

static void report(char *page) {
    struct report r = {.pid = getpid(), .page = page};
    strcpy(r.reads, page);
    if (write(STDOUT_FILENO, &r, sizeof r) != sizeof r)
        leave();
}

static void await(int fd) {
    char order;
    if (read(fd, &order, 1) != 1)
        leave();
}

/* Writes the page at the first order, hands the second on to the parent, and ends at the
 * third. */
static void child(char *page, int turn) {
    report(page);
    await(STDIN_FILENO);
    strcpy(page, "child");
    report(page);
    await(STDIN_FILENO);
    if (write(turn, "", 1) != 1)
        leave();
    await(STDIN_FILENO);
    _exit(0);
}

static int subject(void) {
    int turn[2];
    char *page = sbrk(VM_PAGE); /* the first of the heap, which begins at a page's start */
    if (page == (void *)-1 || pipe(turn) < 0)
        return 1;
    strcpy(page, "parent");
    report(page);
    await(STDIN_FILENO);
    pid_t pid = fork();
    if (pid == 0)
        child(page, turn[1]);
    close(turn[1]); /* else this end would keep the parent waiting when the child has gone */
    if (pid < 0)
        return 1;
    report(page);
    await(turn[0]);
    strcpy(page, "again");
    report(page);
    return wait(NULL) == pid ? 0 : 1;
}

/* ---- the watcher -------------------------------------------------------------------- */

static int orders, reports;

/* Ends with a status when the two, who get no more orders, have ended. */
static void finish(int status) {
    close(orders);
    close(reports);
    while (wait(NULL) >= 0)
        ;
    exit(status);
}

static void fail(const char *what) {
    fprintf(stderr, "forkview: %s\n", what);
    finish(1);
}

static void start_subject(const char *program) {
    int order_pipe[2], report_pipe[2];
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
        execlp(program, program, SUBJECT, NULL);
        _exit(1);
    }
    close(order_pipe[0]);
    close(report_pipe[1]);
    orders = order_pipe[1];
    reports = report_pipe[0];
}

static void order(void) {
    if (write(orders, "", 1) != 1)
        fail("the processes to be shown have ended");
}

static struct report next_report(void) {
    struct report r;
    if (read(reports, &r, sizeof r) != sizeof r)
        fail("a process to be shown has ended, perhaps for want of memory");
    return r;
}

/* Has the shell run the command, which the log shows as one would type it. */
static void run(const char *command) {
    int status;
    printf("$ %s\n", command);
    if (fflush(stdout) != 0) {
        output_failed("forkview");
        finish(1);
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
        finish(1); /* the command has said why */
}

static void show(const char *who, const struct report *r, bool kernel_too) {
    char command[80];
    printf("-- the %s, process %d, which reads \"%s\" at %p\n", who, r->pid, r->reads, r->page);
    snprintf(command, sizeof command, "vmprint -v %s%d", kernel_too ? "" : "-u ", r->pid);
    run(command);
    snprintf(command, sizeof command, "vmwalk %p %d -k", r->page, r->pid);
    run(command);
    snprintf(command, sizeof command, "vmmap %d", r->pid);
    run(command);
}

static void show_both(const char *step, const struct report *p, const struct report *c,
                      bool kernel_too) {
    printf("== %s\n", step);
    show("parent", p, kernel_too);
    show("child", c, kernel_too);
}

static void watch(bool kernel_too) {
    struct report p = next_report(), c;
    printf("== 1. before the fork\n");
    show("parent", &p, kernel_too);

    order();
    struct report first = next_report(), second = next_report();
    c = first.pid == p.pid ? second : first;
    show_both("2. after the fork", &p, &c, kernel_too);

    order();
    c = next_report();
    show_both("3. after the child has written to the page", &p, &c, kernel_too);

    order();
    p = next_report();
    show_both("4. after the parent has written to the page", &p, &c, kernel_too);
    order(); /* the child ends, and then the parent */
}

int main(int argc, char *argv[]) {
    if (argc == 2 && strcmp(argv[1], SUBJECT) == 0)
        return subject();
    bool kernel_too = argc == 2 && strcmp(argv[1], "-k") == 0;
    if (argc > 1 && !kernel_too)
        vm_usage(USAGE, argv[1]);
    start_subject(argv[0]);
    watch(kernel_too);
    finish(finish_output("forkview") < 0);
}
