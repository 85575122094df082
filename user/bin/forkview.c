/* Shows what a fork does to page tables. One process writes a page, forks, and then first
 * the child and later the parent writes the page again; before and after each step the
 * page tables of both are printed with vmprint, vmwalk and vmmap.
 *
 * -k: prints the kernel's view of each in full, too. See docs/tour.md. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>
#include "../lib/vmtext.h"
#include "../lib/watched.h"

#define USAGE "forkview [-k]"

/* What each of them says after a step; the order is any byte. */
struct report {
    pid_t pid;
    char *page;
    char reads[8]; /* what the page has for it */
};

/* ---- the two that are looked at ------------------------------------------------------ */

static void report(char *page) {
    struct report r = {.pid = getpid(), .page = page};
    strcpy(r.reads, page);
    watched_say(STDOUT_FILENO, &r, sizeof r);
}

/* Writes the page at the first order, hands the second on to the parent, and ends at the
 * third. */
static void child(char *page, int turn) {
    report(page);
    watched_await(STDIN_FILENO);
    strcpy(page, "child");
    report(page);
    watched_await(STDIN_FILENO);
    watched_say(turn, "", 1);
    watched_await(STDIN_FILENO);
    _exit(0);
}

static int subject(void) {
    int turn[2];
    char *page = sbrk(VM_PAGE); /* the first of the heap, which begins at a page's start */
    if (page == (void *)-1 || pipe(turn) < 0)
        return 1;
    strcpy(page, "parent");
    report(page);
    watched_await(STDIN_FILENO);
    pid_t pid = fork();
    if (pid == 0)
        child(page, turn[1]);
    close(turn[1]); /* else this end would keep the parent waiting when the child has gone */
    if (pid < 0)
        return 1;
    report(page);
    watched_await(turn[0]);
    strcpy(page, "again");
    report(page);
    return wait(NULL) == pid ? 0 : 1;
}

/* ---- the watcher -------------------------------------------------------------------- */

static struct report next_report(void) {
    struct report r;
    watch_report(&r, sizeof r);
    return r;
}

static void show(const char *who, const struct report *r, bool kernel_too) {
    char command[80];
    printf("-- the %s, process %d, which reads \"%s\" at %p\n", who, r->pid, r->reads, r->page);
    snprintf(command, sizeof command, "vmprint -v %s%d", kernel_too ? "" : "-u ", r->pid);
    watch_run(command);
    snprintf(command, sizeof command, "vmwalk %p %d -k", r->page, r->pid);
    watch_run(command);
    snprintf(command, sizeof command, "vmmap %d", r->pid);
    watch_run(command);
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

    watch_order();
    struct report first = next_report(), second = next_report();
    c = first.pid == p.pid ? second : first;
    show_both("2. after the fork", &p, &c, kernel_too);

    watch_order();
    c = next_report();
    show_both("3. after the child has written to the page", &p, &c, kernel_too);

    watch_order();
    p = next_report();
    show_both("4. after the parent has written to the page", &p, &c, kernel_too);
    watch_order(); /* the child ends, and then the parent */
}

int main(int argc, char *argv[]) {
    if (argc == 2 && strcmp(argv[1], WATCHED) == 0)
        return subject();
    bool kernel_too = argc == 2 && strcmp(argv[1], "-k") == 0;
    if (argc > 1 && !kernel_too)
        vm_usage(USAGE, argv[1]);
    watch_start(argv[0]);
    watch(kernel_too);
    watch_finish(finish_output("forkview") < 0);
}
