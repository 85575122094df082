/* Makes directories; -p: with those above them, and none is there already. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool is_directory(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Makes each directory on the path that is missing. */
static bool make_all(char *path) {
    for (char *p = path + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        bool ok = is_directory(path) || mkdir(path) == 0;
        *p = '/';
        if (!ok)
            return false;
    }
    return is_directory(path) || mkdir(path) == 0;
}

int main(int argc, char *argv[]) {
    bool parents = argc > 1 && strcmp(argv[1], "-p") == 0;
    int status = 0;
    if (argc < 2 + parents || (!parents && argv[1][0] == '-')) {
        fprintf(stderr, "usage: mkdir [-p] DIRECTORY...\n");
        return 2;
    }
    for (int i = 1 + parents; i < argc; i++) {
        if (parents ? make_all(argv[i]) : mkdir(argv[i]) == 0)
            continue;
        fprintf(stderr, "mkdir: cannot make %s: %s\n", argv[i], strerror(errno));
        status = 1;
    }
    return status;
}
