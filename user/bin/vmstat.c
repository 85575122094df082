/* Shows what was done with user memory: since the boot, or while a command runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>
#include "../lib/vmtext.h"

#define USAGE "vmstat [COMMAND [ARGUMENT...]]"

static const char *const names[] = {"faults",       "zeroed",         "zeroed_large", "shown",
                                    "shown_beside", "copied",         "taken_over",   "permitted",
                                    "tables",       "fence_requests", "fenced_harts", "bytes_in",
                                    "bytes_out"};
#define COUNTS (sizeof(names) / sizeof(names[0]))
_Static_assert(COUNTS * sizeof(uint64_t) == sizeof(struct abi_vmstat), "a name for each count");

/* Instructions are those that the hart has counted (QEMU: of all harts, with -icount); idle is the
 * time that harts had nothing to do, by the time counter. */
struct counts {
    struct abi_vmstat vm;
    uint64_t instructions, idle;
};

static void take(struct counts *c) {
    struct abi_sysinfo s;
    if (vmstat(&c->vm) < 0 || sysinfo(&s) < 0) {
        perror("vmstat");
        exit(1);
    }
    c->idle = s.idle;
}

static void print(FILE *f, const struct counts *before, const struct counts *after) {
    const uint64_t *from = (const uint64_t *)&before->vm, *to = (const uint64_t *)&after->vm;
    for (size_t i = 0; i < COUNTS; i++)
        fprintf(f, "%-14s %12lu\n", names[i], to[i] - from[i]);
}

/* As a shell tells it: what the command ended with, 127 or 126 when it could not be run. */
static int run(char **argv) {
    int status;
    pid_t pid = fork();
    if (pid < 0) {
        fprintf(stderr, "vmstat: cannot fork: %s\n", strerror(errno));
        return 1;
    }
    if (pid == 0) {
        execvp(argv[0], argv);
        fprintf(stderr, "vmstat: %s: %s\n", argv[0], strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

int main(int argc, char *argv[]) {
    static struct counts before, after; /* zeros: since the boot */
    if (argc > 1 && argv[1][0] == '-')
        vm_usage(USAGE, argv[1]);
    if (argc == 1) {
        take(&after);
        print(stdout, &before, &after);
        return finish_output("vmstat") < 0;
    }
    take(&before);
    before.instructions = rdinstret(); /* in the middle: less of vmstat itself */
    int status = run(argv + 1);
    after.instructions = rdinstret();
    take(&after);
    print(stderr, &before, &after);
    fprintf(stderr, "%-14s %12lu\n%-14s %12lu\n", "instructions",
            after.instructions - before.instructions, "idle", after.idle - before.idle);
    return status;
}
