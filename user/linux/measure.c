/* What a command takes on Linux, with QEMU's -icount: instructions, those of the time in which
 * there was nothing to do, and page faults. As vmstat does here. For tools/bench_programs.py. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define INSTRUCTIONS_PER_TICK 100 /* of the time counter; one a nanosecond */

static uint64_t ticks(void) {
    uint64_t t;
    __asm__ volatile("rdtime %0" : "=r"(t));
    return t;
}

/* In nanoseconds, as exactly as the kernel has it: /proc/stat has hundredths of a second. */
static uint64_t idle_time(void) {
    static const char key[] = ".idle_sleeptime";
    char line[256];
    uint64_t sum = 0;
    FILE *f = fopen("/proc/timer_list", "r");
    if (!f) {
        perror("measure: /proc/timer_list");
        exit(2);
    }
    while (fgets(line, sizeof(line), f)) {
        const char *at = strstr(line, key);
        if (at && (at = strchr(at, ':')))
            sum += strtoull(at + 1, NULL, 10);
    }
    fclose(f);
    return sum;
}

int main(int argc, char *argv[]) {
    if (argc < 2) {
        fprintf(stderr, "usage: measure COMMAND [ARGUMENT...]\n");
        return 2;
    }
    struct rusage used;
    int status;
    uint64_t idle = idle_time(), from = ticks();
    pid_t pid = fork();
    if (pid == 0) {
        execvp(argv[1], argv + 1);
        perror(argv[1]);
        _exit(127);
    }
    while (pid < 0 || waitpid(pid, &status, 0) < 0)
        if (pid < 0 || errno != EINTR) {
            perror("measure");
            return 2;
        }
    uint64_t took = (ticks() - from) * INSTRUCTIONS_PER_TICK;
    getrusage(RUSAGE_CHILDREN, &used);
    fprintf(stderr, "instructions %lu\nidle %lu\nfaults %ld\n", took, idle_time() - idle,
            used.ru_minflt + used.ru_majflt);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}
