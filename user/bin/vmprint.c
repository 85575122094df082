/* Has the kernel print a process's page table on the console: its own, or that
 * of the process named. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <trellis.h>

int main(int argc, char *argv[]) {
    char *end = "";
    long pid = argc == 2 ? strtol(argv[1], &end, 10) : 0;
    if (argc > 2 || *end || (argc == 2 && end == argv[1]) || pid < 0 || pid > INT_MAX) {
        fprintf(stderr, "usage: vmprint [PID]\n");
        return 2;
    }
    if (vmprint((pid_t)pid) == 0)
        return 0;
    fprintf(stderr, "vmprint: no process %ld\n", pid);
    return 1;
}
