/* A file system of ext2 or ext3 on the host: see ext2env.h. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include "ext2env.h"
#include "ext2/ext2.h"
#include "fs/fs.h"
#include "fs/log.h"
#include "mm/rmap.h"
#include "dev/bootargs.h"
#include "proc/clock.h"
#include "vfs/listing.h"
#include "vfs/names.h"
#include "vfs/open.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what it needs from below, besides fsenv.c ---- */

const char *elf_name(const struct object *o, uint64_t perm) { return "program"; }

static uint64_t date = 1700000000ULL * 1000000000;
uint64_t clock_date(void) { return date += 1000; }

bool boot_quiet(void) { return true; }

unsigned ext2env_taken_away;
void rmap_init(struct rmap *r) {
    *r = (struct rmap){.writable = 0};
    spin_init(&r->lock, RANK_RMAP);
}
bool rmap_may_write_locked(const struct rmap *r) { return r->writable > 0; }
void rmap_take_away(struct rmap *r, uint64_t first, uint64_t pages) { ext2env_taken_away++; }
void rmap_forbid_writes(struct rmap *r, uint64_t first, uint64_t pages) {}

/* ---- programs of the host ---- */

static char folder[64];

static const char *scratch(const char *name) {
    static char path[2][400];
    static unsigned n;
    if (!folder[0]) {
        strcpy(folder, "/tmp/trellis-ext2-XXXXXX");
        assert_non_null(mkdtemp(folder));
    }
    snprintf(path[++n % 2], sizeof path[0], "%s/%s", folder, name);
    return path[n % 2];
}

/* The status of a command, whose words go to a file. */
__attribute__((format(printf, 1, 2))) static int run(const char *format, ...) {
    char command[2000];
    int n = snprintf(command, sizeof command, "PATH=$PATH:/sbin:/usr/sbin; { ");
    va_list args;
    va_start(args, format);
    n += vsnprintf(command + n, sizeof command - (size_t)n, format, args);
    va_end(args);
    snprintf(command + n, sizeof command - (size_t)n, "; } >%s 2>&1 </dev/null", scratch("said"));
    int status = system(command);
    return status >= 0 && status % 256 == 0 ? status / 256 : 1000;
}

static const char *said(void) {
    static char text[4000];
    FILE *f = fopen(scratch("said"), "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    if (f)
        fclose(f);
    text[n] = '\0';
    return text;
}

bool ext2env_can(void) {
    bool can = run("command -v mke2fs && command -v e2fsck && command -v debugfs") == 0;
    if (!can)
        print_message("skipped: there is no e2fsprogs (mke2fs, e2fsck, debugfs)\n");
    return can;
}

const char *ext2env_folder(void) {
    assert_int_equal(run("rm -rf %s/root && mkdir %s/root", scratch(""), scratch("")), 0);
    return scratch("root");
}

const char *ext2env_path(const char *name) {
    char in[300];
    snprintf(in, sizeof in, "root/%s", name);
    return scratch(in);
}

static void write_image(const uint8_t *image) {
    FILE *f = fopen(scratch("image"), "w");
    assert_non_null(f);
    assert_int_equal(fwrite(image, 1, memdisk_bytes(), f), memdisk_bytes());
    assert_int_equal(fclose(f), 0);
}

static void read_image(uint8_t *image, uint64_t bytes) {
    FILE *f = fopen(scratch("image"), "r");
    assert_non_null(f);
    assert_int_equal(fread(image, 1, bytes, f), bytes);
    fclose(f);
}

void ext2env_make(const char *options, unsigned kib, bool with_folder) {
    char from[200] = "";
    if (with_folder)
        snprintf(from, sizeof from, "-d %s", scratch("root"));
    if (run("rm -f %s && mke2fs -q -F %s %s %s %uk", scratch("image"), options, from,
            scratch("image"), kib))
        fail_msg("mke2fs %s: %s", options, said());
    uint64_t bytes = (uint64_t)kib * 1024;
    uint8_t *image = malloc(bytes);
    read_image(image, bytes);
    memdisk_load(image, bytes);
    free(image);
}

void ext2env_debugfs(const char *commands) {
    write_image(memdisk_image());
    FILE *f = fopen(scratch("commands"), "w");
    assert_non_null(f);
    fputs(commands, f);
    fclose(f);
    assert_int_equal(run("debugfs -w -f %s %s", scratch("commands"), scratch("image")), 0);
    read_image(memdisk_image(), memdisk_bytes());
}

void ext2env_check(const uint8_t *image) {
    write_image(image);
    if (run("e2fsck -fn %s", scratch("image")))
        fail_msg("e2fsck -fn: %s", said());
}

void ext2env_check_disk(void) {
    fs_quiesce();
    ext2env_check(memdisk_image());
}

int ext2env_recover(uint8_t *image, const char *how) {
    write_image(image);
    int status = run("e2fsck %s %s", how, scratch("image"));
    read_image(image, memdisk_bytes());
    return status;
}

/* ---- mounting ---- */

int ext2env_mount(const char **why) {
    struct node *root;
    bool there;
    fsenv_boot();
    *why = "it has no mark";
    int err = ext2_there(&there);
    if (err || !there)
        return err ? err : -K_EINVAL;
    err = ext2_mount(&root, why);
    if (!err)
        node_set_root(root);
    return err;
}

void ext2env_mount_ok(void) {
    const char *why;
    if (ext2env_mount(&why))
        fail_msg("mount: %s", why);
}

void ext2env_fresh(const char *options, unsigned kib) {
    ext2env_folder();
    ext2env_make(options, kib, false);
    log_sync_always = false;
    ext2env_mount_ok();
}

void ext2env_remount(void) {
    proc_files_drop(proc_self());
    fs_quiesce();
    ext2env_mount_ok();
}

int ext2env_teardown(void **state) {
    proc_files_drop(proc_self());
    if (folder[0] && system(NULL)) {
        char command[100];
        snprintf(command, sizeof command, "rm -rf %s", folder);
        if (system(command))
            print_message("%s: not removed\n", folder);
        folder[0] = '\0';
    }
    return 0;
}

int t_symlink(const char *target, const char *path) {
    const struct node_kind kind = {.type = NODE_LINK, .mode = 0777, .target = target};
    return names_make(NULL, path, &kind);
}

/* ---- the digest ---- */

static void mix(uint64_t *h, const void *bytes, size_t n) {
    for (size_t i = 0; i < n; i++)
        *h = (*h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3ULL;
}

/* All names of a directory. */
struct names {
    unsigned n;
    char name[600][256];
};

static bool note(void *ctx, const struct listed *l) {
    struct names *all = ctx;
    assert_true(all->n < ARRAY_LEN(all->name));
    memcpy(all->name[all->n], l->name, l->length);
    all->name[all->n++][l->length] = '\0';
    return true;
}

static int compare(const void *a, const void *b) { return strcmp(a, b); }

static void digest(struct node *n, uint64_t *h);

static void digest_names(struct node *dir, uint64_t *h) {
    struct names *all = calloc(1, sizeof *all);
    struct file *f;
    assert_int_equal(file_open_node(dir, ABI_O_RDONLY, &f), 0);
    assert_int_equal(f->ops->list(f, note, all), 0);
    file_put(f);
    qsort(all->name, all->n, sizeof all->name[0], compare);
    for (unsigned i = 0; i < all->n; i++) {
        struct name name = {all->name[i], strlen(all->name[i])};
        struct node *n;
        mix(h, name.bytes, name.length);
        if (!strcmp(name.bytes, ".") || !strcmp(name.bytes, ".."))
            continue;
        assert_int_equal(dir->ops->step(dir, &name, &n), 0);
        digest(n, h);
        node_put(n);
    }
    free(all);
}

static void digest_contents(struct node *n, uint64_t *h) {
    static uint8_t bytes[65536];
    struct file *f;
    size_t done;
    assert_int_equal(file_open_node(n, ABI_O_RDONLY, &f), 0);
    while (file_read(f, UA((uint64_t)bytes), sizeof bytes, &done) == 0 && done > 0)
        mix(h, bytes, done);
    file_put(f);
}

static void digest(struct node *n, uint64_t *h) {
    struct node_attr a;
    assert_int_equal(n->ops->attr(n, &a), 0);
    a.blocks = a.accessed = a.modified = a.changed = 0;
    if (a.type == NODE_DIR)
        a.size = 0;
    uint64_t known[] = {a.ino, a.nlink, a.type, a.mode, a.size, (uint16_t)a.major, a.uid};
    mix(h, known, sizeof known);
    if (a.type == NODE_DIR)
        digest_names(n, h);
    else if (a.type == NODE_FILE)
        digest_contents(n, h);
    else if (n->link)
        mix(h, n->ops->target(n), strlen(n->ops->target(n)));
}

uint64_t ext2env_digest(void) {
    uint64_t h = 1;
    digest(node_root(), &h);
    return h;
}
