/* Ends the machine, with a status for whoever started it. */
#include <stdio.h>
#include <stdlib.h>
#include <trellis.h>

int main(int argc, char *argv[]) {
    char *end = "";
    long status = argc == 2 ? strtol(argv[1], &end, 10) : 0;
    if (argc > 2 || *end || (argc == 2 && end == argv[1]) || status < 0 || status > 255) {
        fprintf(stderr, "usage: poweroff [STATUS], from 0 to 255\n");
        return 2;
    }
    poweroff((int)status);
    fprintf(stderr, "poweroff: this kernel cannot\n");
    return 1;
}
