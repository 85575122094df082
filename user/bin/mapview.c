/* Shows what mmap, fork and mprotect do to page tables. One process maps a shared page and a
 * private one, and forks; the child writes to both; then the parent closes the private page
 * and opens it again. At each of these moments what both have of the two pages is printed with
 * vmwalk, vmprint and vmmap. See docs/mmap.md. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>
#include "../lib/vmtext.h"
#include "../lib/watched.h"

#define USAGE "mapview"

struct pages {
    char *shared, *private;
};

/* What each of them says after a step. */
struct report {
    pid_t pid;
    struct pages pages;
    char shared[8], private[8]; /* what the pages have for it */
};

/* ---- the two that are looked at ------------------------------------------------------ */

static void report(struct pages p, bool open) {
    struct report r = {.pid = getpid(), .pages = p};
    if (p.shared)
        strcpy(r.shared, p.shared);
    if (p.private)
        strcpy(r.private, open ? p.private : "?");
    watched_say(STDOUT_FILENO, &r, sizeof r);
}

static bool map_both(struct pages *p) {
    int flags = MAP_ANONYMOUS, access = PROT_READ | PROT_WRITE;
    p->shared = mmap(NULL, VM_PAGE, access, flags | MAP_SHARED, -1, 0);
    p->private = mmap(NULL, VM_PAGE, access, flags | MAP_PRIVATE, -1, 0);
    return p->shared != MAP_FAILED && p->private != MAP_FAILED;
}

static void write_both(struct pages p, const char *word) {
    strcpy(p.shared, word);
    strcpy(p.private, word);
}

/* Writes both pages at the first order and has the parent look; hands the next two on to it,
 * and ends at the fourth. */
static void child(struct pages p, int turn) {
    report(p, true);
    watched_await(STDIN_FILENO);
    write_both(p, "child");
    report(p, true);
    for (int i = 0; i < 3; i++) {
        watched_say(turn, "", 1);
        watched_await(STDIN_FILENO);
    }
    _exit(0);
}

static int subject(void) {
    struct pages p = {NULL, NULL};
    int turn[2];
    report(p, true);
    watched_await(STDIN_FILENO);
    if (!map_both(&p) || pipe(turn) < 0)
        return 1;
    write_both(p, "parent");
    report(p, true);
    watched_await(STDIN_FILENO);
    pid_t pid = fork();
    if (pid == 0)
        child(p, turn[1]);
    close(turn[1]); /* else this end would keep the parent waiting when the child has gone */
    if (pid < 0)
        return 1;
    report(p, true);
    watched_await(turn[0]);
    report(p, true);
    watched_await(turn[0]);
    bool closed = mprotect(p.private, VM_PAGE, PROT_NONE) == 0;
    report(p, !closed);
    watched_await(turn[0]);
    if (mprotect(p.private, VM_PAGE, PROT_READ | PROT_WRITE) < 0)
        return 1;
    report(p, true);
    return wait(NULL) == pid ? 0 : 1;
}

/* ---- the watcher -------------------------------------------------------------------- */

static struct report next_report(void) {
    struct report r;
    watch_report(&r, sizeof r);
    return r;
}

/* The private page is mapped second, and so below the shared one. */
static void show_pages(const struct report *r) {
    char command[80];
    snprintf(command, sizeof command, "vmwalk %p-%p %d", r->pages.private, r->pages.shared, r->pid);
    watch_run(command);
    snprintf(command, sizeof command, "vmwalk %p %d", r->pages.private, r->pid);
    watch_run(command);
}

static void show_one(const char *who, const struct report *r) {
    char command[80];
    printf("-- the %s, process %d", who, r->pid);
    if (r->pages.shared)
        printf(", which reads \"%s\" and \"%s\"", r->shared, r->private);
    printf("\n");
    if (r->pages.shared)
        show_pages(r);
    snprintf(command, sizeof command, "vmprint -v -u %d", r->pid);
    watch_run(command);
    snprintf(command, sizeof command, "vmmap %d", r->pid);
    watch_run(command);
}

static void show(const char *step, const struct report *p, const struct report *c) {
    printf("== %s\n", step);
    show_one("parent", p);
    if (c)
        show_one("child", c);
}

static void watch(void) {
    struct report p = next_report(), c;
    show("1. before mmap", &p, NULL);
    watch_order();
    p = next_report();
    show("2. the parent has mapped two pages and written to both", &p, NULL);
    watch_order();
    struct report first = next_report(), second = next_report();
    bool in_order = first.pid == p.pid;
    c = in_order ? second : first;
    p = in_order ? first : second;
    show("3. after the fork", &p, &c);
    watch_order();
    c = next_report();
    p = next_report();
    show("4. the child has written to both", &p, &c);
    watch_order();
    p = next_report();
    show("5. the parent has closed the private page", &p, &c);
    watch_order();
    p = next_report();
    show("6. the parent has opened and read it", &p, &c);
    watch_order(); /* the child ends, and then the parent */
}

int main(int argc, char *argv[]) {
    if (argc == 2 && strcmp(argv[1], WATCHED) == 0)
        return subject();
    if (argc > 1)
        vm_usage(USAGE, argv[1]);
    watch_start(argv[0]);
    watch();
    watch_finish(finish_output("mapview") < 0);
}
