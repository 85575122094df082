/* Gives a file another name. */
#include <stdio.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
    if (argc != 3 || argv[1][0] == '-') {
        fprintf(stderr, "usage: ln FILE NAME\n");
        return 2;
    }
    if (link(argv[1], argv[2]) < 0) {
        fprintf(stderr, "ln: cannot link %s to %s\n", argv[2], argv[1]);
        return 1;
    }
    return 0;
}
