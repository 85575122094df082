/* What the tests of the name cache share. */
#pragma once
#include "fs/namecache.h"
#include "fsenv.h"
#include <string.h>

#define ONE_SET 8 /* names: the smallest cache, where nearly each new name puts one out */

/* An empty cache for n names, as after boot. */
static inline void new_cache(uint32_t n) { assert_int_equal(namecache_boot_init(n), 0); }

static inline int open_close(const char *path) {
    int fd = t_open(path, ABI_O_RDONLY);
    if (fd >= 0)
        assert_int_equal(t_close(fd), 0);
    return MIN(fd, 0);
}

static inline int stat_of(const char *path, struct abi_stat *st) {
    memset(st, 0, sizeof(*st));
    int fd = t_open(path, ABI_O_RDONLY);
    if (fd < 0)
        return fd;
    assert_int_equal(t_fstat(fd, st), 0);
    assert_int_equal(t_close(fd), 0);
    return 0;
}
