/* Removes empty directories. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
    int status = 0;
    if (argc < 2) {
        fprintf(stderr, "usage: rmdir DIRECTORY...\n");
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (rmdir(argv[i]) < 0) {
            fprintf(stderr, "rmdir: cannot remove %s\n", argv[i]);
            status = 1;
        }
    }
    return status;
}
