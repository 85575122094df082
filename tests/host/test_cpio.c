/* Archives that become files: whole ones, cut off at each byte, and damaged. */
/* sources: kernel/vfs/mount.c */
/* sources: kernel/vfs/filelock.c */
/* sources: kernel/vfs/node.c kernel/vfs/names.c kernel/fs/fsnode.c kernel/fs/step.c */
/* sources: kernel/fs/super.c kernel/fs/cache.c kernel/fs/log.c kernel/fs/balloc.c */
/* sources: kernel/fs/logdisk.c kernel/fs/pagecache.c kernel/fs/blockmap.c kernel/fs/filedata.c */
/* sources: kernel/fs/filepage.c kernel/fs/pagefile.c */
/* sources: kernel/fs/filewrite.c kernel/fs/inode.c kernel/fs/data.c */
/* sources: kernel/fs/dir.c kernel/vfs/path.c kernel/fs/namecache.c kernel/fs/nameop.c */
/* sources: kernel/fs/rename.c kernel/fs/entries.c kernel/vfs/file.c kernel/vfs/open.c */
/* sources: kernel/fs/inodefile.c kernel/vfs/devfile.c kernel/vfs/pipe.c kernel/fs/fs.c */
/* sources: kernel/syscall/sysfile.c kernel/vfs/descriptor.c kernel/syscall/sysfd.c */
/* sources: kernel/mm/slab.c kernel/mm/pt.c kernel/mm/pagetree.c kernel/mm/pieces.c */
/* sources: kernel/vfs/listing.c kernel/vfs/fifo.c kernel/tmpfs/ */
/* sources: kernel/sync/spinlock.c kernel/sync/rank.c kernel/proc/sleeplock.c */
/* sources: tests/host/hostarch.c tests/host/kstub.c tests/host/memdisk.c */
/* sources: tests/host/fsimage.c tests/host/fsenv.c tests/host/tmpfsenv.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tmpfs/cpio.h"
#include "tmpfsenv.h"
#include "vfs/names.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- making one, by hand ---- */

static char archive[20000];
static size_t bytes;

#define DIR 040755
#define FILE_ 0100644
#define LINK 0120777
#define DEVICE 020666

struct has {
    unsigned ino, nlink, major, minor;
};

static void pad(void) {
    while (bytes % 4)
        archive[bytes++] = '\0';
}

static void put_special(const char *name, unsigned mode, const char *content, struct has h) {
    size_t n = strlen(content);
    bytes += (size_t)sprintf(
        archive + bytes, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08X%08X%08x%08x", h.ino, mode,
        3u, 4u, h.nlink, 5u, (unsigned)n, 0u, 0u, h.major, h.minor, (unsigned)strlen(name) + 1, 0u);
    bytes += (size_t)sprintf(archive + bytes, "%s", name) + 1;
    pad();
    memcpy(archive + bytes, content, n);
    bytes += n;
    pad();
}

static void put(const char *name, unsigned mode, const char *content) {
    put_special(name, mode, content, (struct has){.nlink = 1});
}

static void begin(void) {
    memset(archive, 0, sizeof archive);
    bytes = 0;
}

static void end(void) { put("TRAILER!!!", 0, ""); }

static const char *why;

/* What the sanitizer does not see behind a copy of its own. */
static int unpack_bytes(const char *from, size_t n) {
    char *copy = malloc(n ? n : 1);
    memcpy(copy, from, n);
    why = NULL;
    int err = cpio_unpack(copy, n, node_root(), &why);
    assert_true(err <= 0 && (!err || why));
    free(copy);
    return err;
}

static int unpack(void) { return unpack_bytes(archive, bytes); }

static bool contains(const char *path, const char *content) {
    char buf[100];
    int fd = t_open(path, ABI_O_RDONLY);
    if (fd < 0)
        return false;
    int64_t n = t_read(fd, buf, sizeof buf);
    t_close(fd);
    return n == (int64_t)strlen(content) && !memcmp(buf, content, (size_t)n);
}

/* All that there can be. */
static void make_one(void) {
    begin();
    put(".", DIR, "");
    put("d", DIR, "");
    put("d/f", FILE_, "contents");
    put("/d/e", DIR, "");
    put("d/e/link", LINK, "../f");
    put("d/e/link-dir", LINK, "/d");
    put("d/e/link-dir/through", FILE_, "a link");
    put_special("d/console", DEVICE, "", (struct has){.nlink = 1, .major = 1});
    put("d/fifo", 010644, "");
    put_special("one", FILE_, "", (struct has){.ino = 7, .nlink = 2});
    put_special("d/two", FILE_, "the same", (struct has){.ino = 7, .nlink = 2});
    put("d/empty", FILE_, "");
    end();
}

static void a_whole_one(void **state) {
    struct node *n;
    struct node_attr a;
    make_one();
    assert_int_equal(unpack(), 0);
    assert_true(contains("/d/f", "contents") && contains("/d/e/link", "contents"));
    assert_true(contains("/d/through", "a link") && contains("/d/empty", ""));
    assert_true(contains("/one", "the same") && contains("/d/two", "the same"));
    assert_int_equal(t_open("/d/fifo", 0), -K_ENOENT);
    int fd = t_open("/d/console", ABI_O_RDONLY);
    char c;
    assert_int_equal(t_read(fd, &c, 1), 1);
    assert_int_equal(c, 'c');
    assert_int_equal(path_lookup("/one", &n), 0);
    assert_int_equal(n->ops->attr(n, &a), 0);
    assert_int_equal(a.nlink, 2);
    assert_int_equal(a.mode, 0644);
    assert_true(a.uid == 3 && a.gid == 4 && a.modified == 5000000000ULL);
    node_put(n);
}

static void cut_off_anywhere(void **state) {
    make_one();
    size_t all = bytes - 2; /* the last padding may be missing */
    for (size_t n = 0; n < all - 1; n++) {
        assert_int_equal(unpack_bytes(archive, n), -K_EINVAL);
        tmpfsenv_empty();
    }
}

static void damaged_anywhere(void **state) {
    static char whole[sizeof archive];
    make_one();
    memcpy(whole, archive, bytes);
    for (int i = 0; i < 3000; i++) {
        memcpy(archive, whole, bytes);
        for (uint64_t k = host_random_below(3) + 1; k > 0; k--)
            archive[host_random_below(bytes)] = "0f8/.\0\377F"[host_random_below(8)];
        (void)!unpack();
        tmpfsenv_empty();
    }
}

static void refused(const char *sentence) {
    end();
    assert_true(unpack() < 0);
    if (!strstr(why, sentence))
        fail_msg("%s", why);
    begin();
}

static void contradictions(void **state) {
    begin();
    put("f", FILE_, "1");
    put("f", FILE_, "2");
    refused("two things of one name");
    put("g", FILE_, "1");
    put("g", DIR, "");
    refused("two things of one name");
    put("h", FILE_, "1");
    put("h/x", FILE_, "2");
    refused("in a directory that it has not");
    put("none/x", FILE_, "2");
    refused("in a directory that it has not");
    put("", FILE_, "2");
    refused("in a directory that it has not");
    put("loop", LINK, "loop");
    put("loop/x", FILE_, "");
    refused("lead nowhere");
    put("..", FILE_, "");
    refused("two things of one name");
    put("../../x", FILE_, "inside"); /* there is nothing above the root */
    put("twice", DIR, "");
    put("twice/", DIR, "");
    put("/", DIR, "");
    end();
    assert_int_equal(unpack(), 0);
    assert_true(contains("/x", "inside"));
}

static void sizes_that_cannot_be(void **state) {
    static const unsigned at[] = {6 + 8 * 6, 6 + 8 * 11}; /* contents, name */
    static const char *const numbers[] = {"ffffffff", "fffffffc", "80000000", "00000401",
                                          "0000000g"};
    for (unsigned i = 0; i < ARRAY_LEN(at); i++)
        for (unsigned k = 0; k < ARRAY_LEN(numbers); k++) {
            begin();
            put("f", FILE_, "1");
            end();
            memcpy(archive + at[i], numbers[k], 8);
            assert_int_equal(unpack(), -K_EINVAL);
        }
}

static void names_of_one_file(void **state) {
    struct has h = {.ino = 9, .nlink = 3};
    begin();
    put_special("a", FILE_, "old contents", h);
    put_special("b", FILE_, "new", h);
    put_special("c", FILE_, "", h);
    put_special("d", FILE_, "another", h); /* of the same number: all three have come */
    end();
    assert_int_equal(unpack(), 0);
    assert_true(contains("/a", "new") && contains("/c", "new") && contains("/d", "another"));
    begin();
    for (unsigned i = 0; i < 65; i++) {
        char name[8];
        sprintf(name, "x%u", i);
        put_special(name, FILE_, "", (struct has){.ino = 100 + i, .nlink = 2});
    }
    refused("too many files of several names");
}

static void memory_is_refused(void **state) {
    make_one();
    for (int64_t more = 0;; more++) {
        fsenv_commit_limit = fsenv_promised() + more;
        int err = unpack();
        fsenv_commit_limit = 4096;
        if (!err)
            break;
        assert_int_equal(err, -K_ENOSPC);
        assert_non_null(strstr(why, "not enough memory"));
        tmpfsenv_empty();
        make_one();
    }
    assert_true(contains("/one", "the same"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, tmpfsenv_setup, tmpfsenv_teardown)
        T(a_whole_one),          T(cut_off_anywhere),  T(damaged_anywhere),  T(contradictions),
        T(sizes_that_cannot_be), T(names_of_one_file), T(memory_is_refused),
    };
    host_random_seed(20261127);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
