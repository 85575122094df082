/* The shell's children in the background: see shbackground.h. */
#include "shbackground.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <trellis.h>
#include "shell.h"

#define MANY 16

static struct background *jobs; /* in the order of their start */
static size_t jobs_n, jobs_room;

bool background_reserve(void) {
    struct background *oldest = jobs;
    while (jobs_n >= MANY && oldest < jobs + jobs_n && !oldest->ended)
        oldest++;
    if (jobs_n >= MANY && oldest < jobs + jobs_n)
        background_forget(oldest);
    if (jobs_n < jobs_room)
        return true;
    size_t room = jobs_room ? jobs_room * 2 : 8;
    struct background *p = realloc(jobs, room * sizeof *p);
    if (!p)
        return false;
    jobs = p;
    jobs_room = room;
    return true;
}

void background_add(pid_t pid, const char *command) {
    int number = jobs_n > 0 ? jobs[jobs_n - 1].number + 1 : 1;
    jobs[jobs_n++] = (struct background){
        .number = number, .pid = pid, .group = pid, .command = command ? strdup(command) : NULL};
}

void background_add_stopped(pid_t pid, pid_t group, const char *command) {
    if (!background_reserve()) {
        complain(NULL, "out of memory");
        return;
    }
    background_add(pid, command);
    struct background *job = &jobs[jobs_n - 1];
    job->group = group;
    job->stopped = true;
    printf("[%d]  stopped  %s\n", job->number, command ? command : "?");
    fflush(stdout);
}

void background_continue(struct background *job) {
    job->stopped = false;
    kill(-job->group, SIGCONT);
}

static struct background *with_pid(pid_t pid) {
    for (size_t i = 0; i < jobs_n; i++)
        if (jobs[i].pid == pid && !jobs[i].ended)
            return &jobs[i];
    return NULL;
}

bool background_ended(pid_t pid, int status) {
    struct background *job = with_pid(pid);
    if (!job)
        return false;
    job->ended = true;
    job->status = WIFEXITED(status) ? WEXITSTATUS(status) : 255;
    return true;
}

void background_reap(void) {
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
        background_ended(pid, status);
}

struct background *background_find(const char *command, const char *text) {
    bool last = !text || !strcmp(text, "%") || !strcmp(text, "%%") || !strcmp(text, "%+");
    bool by_number = !last && *text == '%';
    char *end = NULL;
    long n = last ? 0 : strtol(text + by_number, &end, 10);
    for (size_t i = jobs_n; i-- > 0;)
        if (last || (*end == 0 && n == (by_number ? jobs[i].number : jobs[i].pid)))
            return &jobs[i];
    fprintf(stderr, "sh: %s: no such job%s%s\n", command, text ? ": " : "", text ? text : "");
    return NULL;
}

int background_wait(struct background *job) {
    while (!job->ended && !job->stopped) {
        int status;
        pid_t pid = waitpid(-1, &status, WUNTRACED);
        if (pid < 0)
            return 255;
        if (WIFSTOPPED(status))
            job->stopped = pid == job->pid;
        else
            background_ended(pid, status);
    }
    return job->stopped ? JOB_STOPPED : job->status;
}

void background_forget(struct background *job) {
    free(job->command);
    jobs_n--;
    memmove(job, job + 1, (size_t)(jobs + jobs_n - job) * sizeof *job);
}

void background_forget_all(void) {
    while (jobs_n > 0)
        background_forget(&jobs[jobs_n - 1]);
}

/* The number of the job's process, and of those that it has started. */
static void print_processes(const struct background *job) {
    struct abi_procinfo info;
    printf(" %d", job->pid);
    for (int slot = 0, r; (r = procinfo(slot, &info)) >= 0; slot++)
        if (r == 1 && info.parent == job->pid && !job->ended)
            printf(" %d", info.pid);
}

static void print_state(const struct background *job) {
    if (!job->ended)
        printf("  %s", job->stopped ? "stopped" : "running");
    else if (job->status == 255)
        printf("  killed");
    else
        printf("  ended %d", job->status);
}

void background_print(void) {
    background_reap();
    for (size_t i = 0; i < jobs_n; i++) {
        printf("[%d]", jobs[i].number);
        print_processes(&jobs[i]);
        print_state(&jobs[i]);
        printf("  %s\n", jobs[i].command ? jobs[i].command : "?");
    }
    fflush(stdout);
    for (size_t i = jobs_n; i-- > 0;)
        if (jobs[i].ended)
            background_forget(&jobs[i]);
}
