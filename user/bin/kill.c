/* Ends processes. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
    int status = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: kill PID...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        char *end;
        long pid = strtol(argv[i], &end, 10);
        if (*end || end == argv[i] || pid <= 0 || pid > INT_MAX) {
            fprintf(stderr, "kill: %s: not a process number\n", argv[i]);
            status = 2;
        } else if (kill((pid_t)pid) < 0) {
            fprintf(stderr,
                    pid == 1 ? "kill: process 1 is the first, and has to stay\n"
                             : "kill: no process %ld\n",
                    pid);
            status = status ? status : 1;
        }
    }
    return status;
}
