/* Renames a file or directory, or moves some into a directory. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../lib/filestodir.h"

static bool move(const char *from, const char *to) {
    struct stat st;
    if (stat(from, &st) < 0) {
        fprintf(stderr, "mv: cannot move %s: %s\n", from, strerror(errno));
        return false;
    }
    if (rename(from, to) == 0)
        return true;
    fprintf(stderr, "mv: cannot move %s to %s: %s\n", from, to, strerror(errno));
    return false;
}

int main(int argc, char *argv[]) { return files_to_dir("mv", argc, argv, move); }
