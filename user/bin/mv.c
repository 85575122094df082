/* Renames a file or directory, or moves some into a directory. */
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int main(int argc, char *argv[]) {
    struct stat st;
    int status = 0;
    const char *to = argc > 2 ? argv[argc - 1] : NULL;
    bool into = to && stat(to, &st) == 0 && S_ISDIR(st.st_mode);
    if (!to || argv[1][0] == '-' || (argc > 3 && !into)) {
        fprintf(stderr, "usage: mv FILE NAME, or mv FILE... DIRECTORY\n");
        return 2;
    }
    for (int i = 1; i < argc - 1; i++) {
        char path[PATH_MAX];
        const char *slash = strrchr(argv[i], '/');
        int n = into ? snprintf(path, sizeof path, "%s/%s", to, slash ? slash + 1 : argv[i])
                     : snprintf(path, sizeof path, "%s", to);
        if (n >= (int)sizeof path) {
            fprintf(stderr, "mv: path too long: %s\n", to);
            status = 1;
        } else if (!move(argv[i], path)) {
            status = 1;
        }
    }
    return status;
}
