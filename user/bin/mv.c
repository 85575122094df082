/* Renames a file or directory, or moves some into a directory. */
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../lib/filestodir.h"

/* In one step where the kernel can; else in two, if the new name is free. */
static bool move(const char *from, const char *to) {
    struct stat st;
    if (stat(from, &st) < 0) {
        fprintf(stderr, "mv: no such file: %s\n", from);
        return false;
    }
    if (rename(from, to) == 0 || (link(from, to) == 0 && unlink(from) == 0))
        return true;
    fprintf(stderr, "mv: cannot move %s to %s\n", from, to);
    return false;
}

int main(int argc, char *argv[]) { return files_to_dir("mv", argc, argv, move); }
