/* Reading directories. */
#pragma once
#include <sys/types.h>
#include "lib/abi.h"

struct dirent {
    ino_t d_ino;
    char d_name[ABI_DIRSIZ + 1];
};

typedef struct dir_stream DIR;

DIR *opendir(const char *path); /* NULL with errno: no such directory, no memory */
/* The next entry, "." and ".." among them; NULL at the end. It is overwritten
 * by the next call on the same stream. */
struct dirent *readdir(DIR *dir);
int closedir(DIR *dir);
