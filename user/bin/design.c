/* Runs a command under a design of the kernel's; without one, lists them. What the command
 * starts has the design, too; the system's other processes keep theirs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <trellis.h>
#include <unistd.h>
#include "../lib/vmtext.h"

#define USAGE "design [NAME COMMAND [ARGUMENT...]]"

static void list(FILE *to) {
    char name[ABI_DESIGN_SIZE];
    for (int i = 0; designname(i, name) == 0; i++)
        fprintf(to, "%s\n", name);
}

int main(int argc, char *argv[]) {
    if (argc == 1) {
        list(stdout);
        return finish_output("design") < 0;
    }
    if (argc == 2 || argv[1][0] == '-')
        vm_usage(USAGE, argc == 2 ? NULL : argv[1]);
    if (design(argv[1]) < 0) {
        fprintf(stderr, "design: %s: no such design; there are:\n", argv[1]);
        list(stderr);
        return 2;
    }
    execvp(argv[2], argv + 2);
    fprintf(stderr, "design: %s: %s\n", argv[2], strerror(errno));
    return errno == ENOENT ? 127 : 126;
}
