/* The arguments FILE NAME or FILE... DIRECTORY: see filestodir.h. */
#include "filestodir.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int files_to_dir(const char *program, int argc, char *argv[],
                 bool (*each)(const char *from, const char *to)) {
    struct stat st;
    int status = 0;
    const char *to = argc > 2 ? argv[argc - 1] : NULL;
    bool into = to && stat(to, &st) == 0 && S_ISDIR(st.st_mode);
    if (!to || argv[1][0] == '-' || (argc > 3 && !into)) {
        fprintf(stderr, "usage: %s FILE NAME, or %s FILE... DIRECTORY\n", program, program);
        return 2;
    }
    for (int i = 1; i < argc - 1; i++) {
        char path[PATH_MAX];
        const char *slash = strrchr(argv[i], '/');
        int n = into ? snprintf(path, sizeof path, "%s/%s", to, slash ? slash + 1 : argv[i])
                     : snprintf(path, sizeof path, "%s", to);
        if (n >= (int)sizeof path) {
            fprintf(stderr, "%s: path too long: %s\n", program, to);
            status = 1;
        } else if (!each(argv[i], path)) {
            status = 1;
        }
    }
    return status;
}
