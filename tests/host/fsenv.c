/* The file system on the host: see fsenv.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "fsenv.h"
#include "dev/devices.h"
#include "fs/filedata.h"
#include "fs/filemap.h"
#include "fs/fs.h"
#include "fs/fsnode.h"
#include "mm/frame.h"
#include "mm/reclaim.h"
#include "mm/uaccess.h"
#include "syscall/syscall.h"
#include "vfs/path.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

#define ARENA MIB(24)
#define FRAMES 4096

int64_t fsenv_frames_used, fsenv_commit_limit = FRAMES;
static int64_t promised;
static struct reclaimer *cache; /* the page cache's */
static pthread_mutex_t frame_mutex = PTHREAD_MUTEX_INITIALIZER;
static uint8_t (*frames)[PAGE_SIZE];
static uint32_t free_frames[FRAMES], nfree;
static uint8_t *arena;
static size_t arena_used;
uint64_t fsenv_ram = MIB(32);
static uint8_t pages[3 * PAGE_SIZE]; /* the middle one faults */
uint8_t *const fsenv_bad = pages + PAGE_SIZE;
static bool bad_is_there;
void (*fsenv_asked)(void);
bool fsenv_never_there;
unsigned fsenv_asks;

void *frame_boot_alloc(size_t bytes, size_t align) {
    size_t start = ROUND_UP(arena_used, align);
    if (start + bytes > ARENA)
        return NULL;
    arena_used = start + bytes;
    return arena + start;
}

/* Records for the frames, as frame.h's inline functions want them. */
#define SECTIONS (FRAMES / SECTION_FRAMES + 2)
static struct frame records[SECTIONS][SECTION_FRAMES];
static struct frame *record_table[SECTIONS];
struct frame_sections frame_sections = {.table = record_table, .count = SECTIONS};

static void frames_reset(void) {
    if (frames == NULL) {
        frames = aligned_alloc(PAGE_SIZE, FRAMES * PAGE_SIZE);
        frame_sections.first = ptr_pa(frames).v >> (PAGE_SHIFT + SECTION_SHIFT);
        for (unsigned i = 0; i < SECTIONS; i++)
            record_table[i] = records[i];
    }
    memset(records, 0, sizeof records);
    for (nfree = 0; nfree < FRAMES; nfree++)
        free_frames[nfree] = nfree;
    promised = fsenv_frames_used = 0;
}

int64_t fsenv_promised(void) { return promised; }
uint64_t fsenv_reclaim(uint64_t n) { return cache->reclaim(n); }

static int64_t in_cache(void) { return cache ? (int64_t)cache->frames : 0; }

void reclaim_register(struct reclaimer *r) {
    cache = r;
    cache->frames = 0;
}

void reclaim_begin(struct reclaimer *r, uint64_t n) {
    __atomic_add_fetch(&r->frames, n, __ATOMIC_RELAXED);
}

void reclaim_end(struct reclaimer *r, uint64_t n) {
    uint64_t before = __atomic_fetch_sub(&r->frames, n, __ATOMIC_RELAXED);
    assert_true(before >= n);
}

int frame_commit(uint64_t n) {
    pthread_mutex_lock(&frame_mutex);
    bool fits = promised + (int64_t)n <= fsenv_commit_limit;
    if (fits)
        promised += (int64_t)n;
    pthread_mutex_unlock(&frame_mutex);
    return fits ? 0 : -K_ENOMEM;
}

void frame_uncommit(uint64_t n) {
    pthread_mutex_lock(&frame_mutex);
    promised -= (int64_t)n;
    assert_true(promised >= fsenv_frames_used - in_cache());
    pthread_mutex_unlock(&frame_mutex);
}

paddr_t frame_take(void) {
    pthread_mutex_lock(&frame_mutex);
    while (nfree == 0) {
        pthread_mutex_unlock(&frame_mutex);
        assert_int_not_equal(cache->reclaim(1), 0);
        pthread_mutex_lock(&frame_mutex);
    }
    fsenv_frames_used++;
    uint8_t *frame = frames[free_frames[--nfree]];
    pthread_mutex_unlock(&frame_mutex);
    memset(frame, 0xa5, PAGE_SIZE);
    frame_record(ptr_pa(frame))->refs = 1;
    return ptr_pa(frame);
}

int frame_alloc(paddr_t *pa) {
    if (frame_commit(1))
        return -K_ENOMEM;
    *pa = frame_take();
    memset(pa_ptr(*pa), 0, PAGE_SIZE);
    return 0;
}

void frame_release(struct frame *f, paddr_t pa) {
    f->refs = 0;
    pthread_mutex_lock(&frame_mutex);
    free_frames[nfree++] = (uint32_t)(((uint8_t *)pa_ptr(pa) - frames[0]) / PAGE_SIZE);
    fsenv_frames_used--;
    pthread_mutex_unlock(&frame_mutex);
}

uint32_t frame_refs(paddr_t pa) {
    return __atomic_load_n(&frame_record(pa)->refs, __ATOMIC_ACQUIRE);
}

/* There are no large frames here. */
void frame_get_large(paddr_t pa) { frame_misused(pa); }
bool frame_put_large(paddr_t pa) { frame_misused(pa); }
bool frame_sole_large(paddr_t pa) { frame_misused(pa); }

void frame_misused(paddr_t pa) {
    fail_msg("a frame that there is not: 0x%lx", (unsigned long)pa.v);
    abort();
}

void frame_free(paddr_t pa) {
    frame_put(frame_single(pa));
    frame_uncommit(1);
}

/* ---- user memory ---- */

uint64_t fsenv_bad_left = UINT64_MAX;

static bool meets_bad(uaddr_t u, size_t n) {
    uint64_t bad = (uint64_t)fsenv_bad;
    return !bad_is_there && u.v + n > bad && u.v < bad + PAGE_SIZE;
}

/* How many of n bytes at u can be touched. */
static size_t reachable(uaddr_t u, size_t n) {
    uint64_t bad = (uint64_t)fsenv_bad;
    if (u.v < 4096 || u.v + n < u.v || u.v >= 1ULL << 47)
        return 0;
    if (!meets_bad(u, n) || fsenv_bad_left == 0)
        return n;
    fsenv_bad_left--;
    return u.v < bad ? (size_t)(bad - u.v) : 0;
}

int copyin(void *dst, uaddr_t src, size_t n) {
    size_t ok = reachable(src, n);
    memcpy(dst, (const void *)src.v, ok);
    return ok < n ? -K_EFAULT : 0;
}

/* User memory is an array here, where no access waits for a file, but for that one page. */
int copyin_held(void *dst, uaddr_t src, size_t n) { return copyin(dst, src, n); }
int copyout_held(uaddr_t dst, const void *src, size_t n) { return copyout(dst, src, n); }
int uaccess_fault_in(uaddr_t start, size_t n, bool write) {
    void (*asked)(void) = fsenv_asked;
    if (!meets_bad(start, n))
        return start.v < 4096 ? -K_EFAULT : 0;
    fsenv_asks += fsenv_never_there;
    if (!asked)
        return fsenv_never_there ? 0 : -K_EFAULT;
    fsenv_asked = NULL;
    asked();
    bad_is_there = true;
    return 0;
}

/* ---- files that somebody stores to through mappings, instead of fs/inodemap.c and, unless a test
 * has that, fs/filemap.c: the pages that are shown, and whether a store faults. */

static struct shown {
    uint32_t inum, index;
    paddr_t frame; /* a reference; 0: free */
    bool writable;
} shown[64];

int inodemap_create(struct inode *ip, uint64_t pages, struct object **out) { return -K_ENODEV; }
int inodemap_create_program(struct inode *ip, uint64_t pages, struct object **out) {
    return -K_ENODEV;
}

static int writing; /* the sum of all inodes' writers; atomic */

int inodemap_begin_writes(struct inode *ip) {
    __atomic_add_fetch(&writing, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&ip->mapped.writers, 1, __ATOMIC_RELAXED);
    return 0;
}

void inodemap_end_writes(struct inode *ip) {
    __atomic_sub_fetch(&writing, 1, __ATOMIC_RELAXED);
    assert_true(__atomic_fetch_sub(&ip->mapped.writers, 1, __ATOMIC_RELAXED) > 0);
}

uint32_t inodemap_writers(void) { return (uint32_t)__atomic_load_n(&writing, __ATOMIC_RELAXED); }

static struct shown *shown_page(uint32_t inum, uint32_t index) {
    struct shown *unused = NULL;
    for (struct shown *s = shown; s < shown + ARRAY_LEN(shown); s++)
        if (!s->frame.v)
            unused = s;
        else if (s->inum == inum && s->index == index)
            return s;
    assert_non_null(unused);
    *unused = (struct shown){.inum = inum, .index = index};
    return unused;
}

void (*fsenv_forbidding)(void);

void inodemap_forbid_writes(uint32_t inum, uint32_t index) {
    if (fsenv_forbidding)
        fsenv_forbidding();
    shown_page(inum, index)->writable = false;
}

__attribute__((weak)) void filemap_cut(struct mappable *file, uint64_t pages) {
    uint32_t inum = CONTAINER_OF(file, struct inode, mapped)->inum;
    for (struct shown *s = shown; s < shown + ARRAY_LEN(shown); s++)
        if (s->frame.v && s->inum == inum && s->index >= pages) {
            frame_put(frame_single(s->frame));
            s->frame = PA(0);
        }
}

static int show(void *ctx, const paddr_t *frame, unsigned n) {
    struct shown *s = ctx;
    assert_int_equal(n, 1);
    assert_true(s->frame.v == 0 || s->frame.v == frame->v);
    if (!s->frame.v)
        frame_get(frame_single(*frame));
    s->frame = *frame;
    s->writable = true;
    return 0;
}

static int store_in(struct inode *ip, uint64_t offset, const void *src, size_t n) {
    struct shown *s = shown_page(ip->inum, (uint32_t)(offset / PAGE_SIZE));
    int err = s->writable ? 0 : filedata_show_for_write(ip, s->index, show, s);
    if (!err) /* and the disk does not learn of it */
        memcpy((char *)pa_ptr(s->frame) + offset % PAGE_SIZE, src, n);
    return err;
}

int t_store(const char *path, uint64_t offset, const void *src, size_t n) {
    struct node *node;
    int err = path_lookup(path, &node);
    if (err)
        return err;
    struct inode *ip = fsnode_inode(node);
    err = inode_lock(ip);
    uint64_t end = err ? 0 : MIN((uint64_t)ip->d.size, ROUND_DOWN(offset, PAGE_SIZE) + PAGE_SIZE);
    bool file = !err && ip->d.type == ABI_T_FILE;
    if (!err)
        inode_unlock(ip);
    if (file)
        err = offset < end ? store_in(ip, offset, src, MIN(n, (size_t)(end - offset))) : -K_ENXIO;
    inode_put(ip);
    return file ? err : -K_ENODEV;
}

int copyout(uaddr_t dst, const void *src, size_t n) {
    size_t ok = reachable(dst, n);
    memcpy((void *)dst.v, src, ok);
    return ok < n ? -K_EFAULT : 0;
}

int copyout_gather(uaddr_t dst, const struct kpiece *from, unsigned n, size_t *done) {
    int err = 0;
    *done = 0;
    for (; n > 0 && !(err = copyout(UA(dst.v + *done), from->start, from->bytes)); n--, from++)
        *done += from->bytes;
    return err;
}

int copyin_scatter(const struct kpiece *to, unsigned n, uaddr_t src, size_t *done) {
    int err = 0;
    *done = 0;
    for (; n > 0 && !(err = copyin(to->start, UA(src.v + *done), to->bytes)); n--, to++)
        *done += to->bytes;
    return err;
}

int copyinstr(char *dst, uaddr_t src, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (reachable(UA(src.v + i), 1) == 0)
            return -K_EFAULT;
        dst[i] = ((const char *)src.v)[i];
        if (dst[i] == '\0')
            return 0;
    }
    return -K_ENAMETOOLONG;
}

/* ---- a device: major 1 swallows, and reads as the letter c ---- */

static int swallow(uaddr_t src, size_t n, size_t *done) {
    *done = n;
    return 0;
}

static int letters(uaddr_t dst, size_t n, size_t *done) {
    memset((void *)dst.v, 'c', n);
    *done = n;
    return 0;
}

const struct chardev_ops *chardev_find(int major) {
    static const struct chardev_ops ops = {.read = letters, .write = swallow};
    return major == MAJOR_CONSOLE ? &ops : NULL;
}

const struct chardev_ops *device_find_block(int major, int minor) { return NULL; }

const struct chardev_ops *device_find(int major, int minor) {
    return chardev_find(major); /* no others here */
}

/* ---- mounting ---- */

void fsenv_boot(void) {
    if (arena == NULL)
        arena = malloc(ARENA);
    memset(arena, 0, arena_used);
    arena_used = 0;
    frames_reset();
    kstub_reset();
    memset(shown, 0, sizeof shown);
    writing = 0;
    bad_is_there = false;
    fsenv_asked = NULL;
    fsenv_never_there = false;
    assert_int_equal(fs_boot_init(fsenv_ram), 0);
}

int fsenv_mount(const char **why) {
    fsenv_boot();
    *why = NULL;
    struct node *root;
    int err = fs_mount(&root, why);
    if (err)
        assert_non_null(*why);
    else
        node_set_root(root);
    return err;
}

void fsenv_mount_ok(void) {
    const char *why;
    if (fsenv_mount(&why))
        fail_msg("mount: %s", why);
}

void fsenv_fresh(uint32_t size, uint32_t nlog, uint32_t ninodes) {
    struct fsimage im = fsimage_make(size, nlog, ninodes);
    assert_null(fsimage_complaint(im.data, im.bytes));
    memdisk_load(im.data, im.bytes);
    fsimage_free(&im);
    fsenv_mount_ok();
}

void fsenv_remount(void) {
    fs_quiesce();
    fsenv_mount_ok();
}

uint8_t *fsenv_disk(void) {
    fs_quiesce();
    return memdisk_image();
}

int fsenv_setup(void **state) {
    fsenv_ram = MIB(32);
    fsenv_commit_limit = FRAMES;
    fsenv_fresh(2000, 30, 200);
    return 0;
}

void fsenv_check(void) {
    struct fs_stats stats;
    fs_quiesce();
    const char *complaint = fsimage_complaint(memdisk_image(), memdisk_bytes());
    if (complaint)
        fail_msg("the disk: %s", complaint);
    fs_stats(&stats);
    assert_int_equal(stats.blocks_free, fsimage_free_blocks(memdisk_image()));
    assert_int_equal(stats.inodes_free, fsimage_free_inodes(memdisk_image()));
}

int fsenv_teardown(void **state) {
    struct fs_stats stats;
    proc_files_drop(proc_self());
    fs_stats(&stats);
    assert_int_equal(stats.files_open, 0);
    assert_int_equal(writing, 0);
    fsenv_check();
    return 0;
}

/* ---- system calls ---- */

typedef int (*handler)(const uint64_t arg[6], uint64_t *result);

static int64_t call(handler fn, uint64_t a0, uint64_t a1, uint64_t a2) {
    uint64_t arg[6] = {a0, a1, a2, 0x5a5a5a5a5a5a5a5a, 0x5a5a5a5a5a5a5a5a, 0x5a5a5a5a5a5a5a5a};
    uint64_t result = 0;
    int err = fn(arg, &result);
    assert_true(err <= 0 && err > -100);
    return err ? err : (int64_t)result;
}

#define P(x) ((uint64_t)(x))

int t_open(const char *path, int mode) { return (int)call(sys_open, P(path), P(mode), 0); }
int t_close(int fd) { return (int)call(sys_close, P(fd), 0, 0); }
int64_t t_read(int fd, void *buf, int n) { return call(sys_read, P(fd), P(buf), P(n)); }
int64_t t_write(int fd, const void *buf, int n) { return call(sys_write, P(fd), P(buf), P(n)); }
int t_fstat(int fd, struct abi_stat *st) { return (int)call(sys_fstat, P(fd), P(st), 0); }
int t_dup(int fd) { return (int)call(sys_dup, P(fd), 0, 0); }
int t_pipe(int fd[2]) { return (int)call(sys_pipe, P(fd), 0, 0); }
int t_mkdir(const char *path) { return (int)call(sys_mkdir, P(path), 0, 0); }
int t_link(const char *old, const char *new) { return (int)call(sys_link, P(old), P(new), 0); }
int t_unlink(const char *path) { return (int)call(sys_unlink, P(path), 0, 0); }
int t_rename(const char *from, const char *to) { return (int)call(sys_rename, P(from), P(to), 0); }
int t_chdir(const char *path) { return (int)call(sys_chdir, P(path), 0, 0); }
int64_t t_lseek(int fd, int64_t offset, int whence) {
    return call(sys_lseek, P(fd), P(offset), P(whence));
}
int t_ftruncate(int fd, uint64_t size) { return (int)call(sys_ftruncate, P(fd), size, 0); }
int t_fsync(int fd) { return (int)call(sys_fsync, P(fd), 0, 0); }
int t_sync(void) { return (int)call(sys_sync, 0, 0, 0); }
int t_mknod(const char *path, int major, int minor) {
    return (int)call(sys_mknod, P(path), P(major), P(minor));
}

static uint8_t byte_of(size_t i, uint32_t seed) { return (uint8_t)(seed * 131 + i * 7 + i / 251); }

void t_make_file(const char *path, size_t n, uint32_t seed) {
    uint8_t *bytes = malloc(n + 1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = byte_of(i, seed);
    int fd = t_open(path, ABI_O_CREATE | ABI_O_WRONLY | ABI_O_TRUNC);
    assert_true(fd >= 0);
    assert_int_equal(t_write(fd, bytes, (int)n), n);
    assert_int_equal(t_close(fd), 0);
    free(bytes);
}

bool t_file_is(const char *path, size_t n, uint32_t seed) {
    uint8_t *bytes = malloc(n + 1);
    int fd = t_open(path, ABI_O_RDONLY);
    bool same = fd >= 0 && t_read(fd, bytes, (int)n + 1) == (int64_t)n;
    for (size_t i = 0; i < n && same; i++)
        same = bytes[i] == byte_of(i, seed);
    if (fd >= 0)
        t_close(fd);
    free(bytes);
    return same;
}
