/* What the tests of the name cache share: they are for both formats of disks. */
#pragma once
#include "ext2/dir.h"
#include "ext2env.h"
#include "fs/dir.h"
#include "fs/namecache.h"
#include "fsenv.h"
#include <string.h>

#define ONE_SET 8 /* names: the smallest cache, where nearly each new name puts one out */

/* The format that is mounted. */
struct tested {
    unsigned words; /* of a name */
    uint32_t root;  /* its inode */
    void (*fresh)(void);
    void (*remount)(void);
    void (*check)(void);
    uint32_t (*dir_size)(uint32_t names); /* of a directory of so many names of up to four bytes */
};

static inline void fresh_xv6(void) { fsenv_fresh(4000, 30, 300); }
static inline void fresh_ext2(void) { ext2env_fresh("-t ext3 -b 1024 -N 300", 8192); }
static inline uint32_t dir_size_xv6(uint32_t names) {
    return (2 + names) * (uint32_t)sizeof(struct fs_dirent);
}
static inline uint32_t dir_size_ext2(uint32_t names) { /* each 12 bytes, in blocks of 1024 */
    return 1024 * (1 + (names <= 83 ? 0 : (names - 83 + 84) / 85));
}
static const struct tested on_xv6 = {DIR_NAME_WORDS, FS_ROOT_INODE, fresh_xv6,
                                     fsenv_remount,  fsenv_check,   dir_size_xv6};
static const struct tested on_ext2 = {EXT2_KEY_WORDS,  EXT2_ROOT_INODE,    fresh_ext2,
                                      ext2env_remount, ext2env_check_disk, dir_size_ext2};
static const struct tested *tested;

/* An empty cache for n names of xv6's, as after boot; of the others there are half as many. */
static inline void new_cache(uint32_t n) {
    assert_int_equal(namecache_boot_init(n), 0);
    namecache_mount(tested->words);
}

static inline int setup_xv6(void **state) {
    tested = &on_xv6;
    return fsenv_setup(state);
}
static inline int setup_ext2(void **state) {
    tested = &on_ext2;
    if (!ext2env_can())
        return 0;
    fresh_ext2();
    return 0;
}
static inline int teardown_ext2(void **state) {
    if (ext2env_can())
        ext2env_check_disk();
    return ext2env_teardown(state);
}
#define FOR_XV6(name) cmocka_unit_test_setup_teardown(name, setup_xv6, fsenv_teardown)
#define FOR_EXT2(title, test) \
    { #title, test, setup_ext2, teardown_ext2, NULL }
/* Whether there is something to test: programs for ext2 may not be there, which is said. */
static inline bool can_test(void) { return tested == &on_xv6 || ext2env_can(); }

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
