/* Files as objects: see filemap.h. */
#include "fs/filemap.h"
#include "fs/data.h"
#include "fs/filedata.h"
#include "fs/pagecache.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/elf.h"
#include "mm/frame.h"
#include "mm/rmap.h"
#include "mm/slab.h"
#include "proc/group.h"

#define FILE_PAGES (uint32_t)(ROUND_UP(DATA_MAX_SIZE, PAGE_SIZE) / PAGE_SIZE)

struct filemap {
    struct object object;  /* as a file */
    struct object program; /* as a program that is run */
    struct inode *ip;
    struct rmap rmap;
    uint32_t refs;    /* to both */
    uint32_t running; /* of them, to the program */
    uint32_t pages;   /* that its mappings may show, from the first one on; promised */
    char name[24];
};

static struct slab records = SLAB_INIT(records, sizeof(struct filemap));

/* Guards each inode's map and writers, and of all objects the counts, with the sum of pages. */
static struct spinlock lock = SPINLOCK_INIT(RANK_FILEMAP);
static uint32_t mapped;

static struct filemap *filemap_of(struct object *o) {
    return CONTAINER_OF(o, struct filemap, object);
}

static struct filemap *program_of(struct object *o) {
    return CONTAINER_OF(o, struct filemap, program);
}

static void more_refs(struct filemap *f, uint32_t program) {
    spin_lock(&lock);
    f->refs++;
    f->running += program;
    spin_unlock(&lock);
}

static void less_refs(struct filemap *f, uint32_t program) {
    spin_lock(&lock);
    bool last = --f->refs == 0;
    f->running -= program;
    if (last) {
        f->ip->map = NULL;
        mapped -= f->pages;
    }
    spin_unlock(&lock);
    if (last) {
        frame_uncommit(f->pages);
        inode_put(f->ip);
        slab_give(&records, f);
    }
}

static void get(struct object *o) { more_refs(filemap_of(o), 0); }
static void put(struct object *o) { less_refs(filemap_of(o), 0); }

static int show_page(struct inode *ip, uint64_t index, unsigned most, bool write,
                     object_show_fn show, void *ctx) {
    if (index >= FILE_PAGES)
        return -K_ENXIO;
    int err = write ? filedata_show_for_write(ip, (uint32_t)index, show, ctx)
                    : filedata_show(ip, (uint32_t)index, most, show, ctx);
    return err == -K_EINVAL ? -K_ENXIO : err;
}

static int page(struct object *o, uint64_t index, unsigned most, bool write, object_show_fn show,
                void *ctx) {
    return show_page(filemap_of(o)->ip, index, most, write, show, ctx);
}

static int sync(struct object *o) { return inode_sync(filemap_of(o)->ip); }

static int grow(struct filemap *f, uint64_t pages, bool program);

static int reserve(struct object *o, uint64_t pages) { return grow(filemap_of(o), pages, false); }

static const struct object_ops filemap_ops = {
    .get = get, .put = put, .page = page, .reserve = reserve, .sync = sync};

static void get_program(struct object *o) { more_refs(program_of(o), 1); }
static void put_program(struct object *o) { less_refs(program_of(o), 1); }

/* Nobody cuts or writes the file, so what is in the cache can be shown as it is: what lies behind
 * the end was zeroed when it began to be run, or is when it is read. */
static paddr_t peek_program(struct object *o, uint64_t index) {
    return index < FILE_PAGES ? page_frame(program_of(o)->ip->inum, (uint32_t)index) : PA(0);
}

static int page_of_program(struct object *o, uint64_t index, unsigned most, bool write,
                           object_show_fn show, void *ctx) {
    return show_page(program_of(o)->ip, index, most, write, show, ctx);
}

static int reserve_program(struct object *o, uint64_t pages) {
    return grow(program_of(o), pages, true);
}

static const struct object_ops program_ops = {.get = get_program,
                                              .put = put_program,
                                              .peek = peek_program,
                                              .page = page_of_program,
                                              .reserve = reserve_program,
                                              .name = elf_name};

/* Whether the log has room for the pages that one store may need. Constant after the mount. */
static bool takes_stores(void) { return log_op_max() >= 2 * data_write_cost(PAGE_BLOCKS); }

/* ---- which inodes are mapped ---- */

/* The page cache keeps pages that are mapped, and a read or a write must find another: so much of
 * it may be mapped, in eighths. Programs can be run when files take all that they may, and the
 * session's commands when other programs do, too. The eighth that is always left has room for what
 * one transaction changes, which the log holds: else an operation could wait for a page for ever.
 */
static uint32_t most_mapped(bool program) {
    ASSERT(pagecache_pages() / 8 > pagecache_dirty_max());
    unsigned eighths = !program ? 4 : proc_in_reserve(proc_self()) ? 7 : 6;
    return pagecache_pages() / 8 * eighths;
}

/* A mapping is going to show pages up to this one, which are promised. -K_ENOMEM: they cannot be,
 * or too many would be mapped. */
static int grow(struct filemap *f, uint64_t pages, bool program) {
    uint32_t most = most_mapped(program);
    spin_lock(&lock);
    uint32_t wanted = (uint32_t)MIN(pages, (uint64_t)FILE_PAGES);
    uint32_t more = wanted > f->pages ? wanted - f->pages : 0;
    int err = more > 0 && mapped + more > most ? -K_ENOMEM : frame_commit(more);
    if (!err) {
        f->pages += more;
        mapped += more;
    }
    spin_unlock(&lock);
    return err;
}

static void set_up(struct filemap *f, struct inode *ip) {
    *f = (struct filemap){.object = {.ops = &filemap_ops,
                                     .name = f->name,
                                     .tracks_writes = true,
                                     .stores_error = takes_stores() ? 0 : -K_ENOTSUP,
                                     .rmap = &f->rmap},
                          .program = {.ops = &program_ops, .rmap = &f->rmap},
                          .ip = inode_dup(ip),
                          .refs = 1};
    rmap_init(&f->rmap);
}

/* The inode's, with a reference more, or NULL. */
static struct filemap *known(const struct inode *ip) {
    spin_lock(&lock);
    struct filemap *f = ip->map;
    if (f)
        f->refs++;
    spin_unlock(&lock);
    return f;
}

/* A new one. The inode is locked, so that nobody else makes one. */
static int make(struct inode *ip, struct filemap **out) {
    if (ip->d.type != ABI_T_FILE)
        return -K_ENODEV;
    struct filemap *f = slab_take(&records);
    if (!f)
        return -K_ENOMEM;
    set_up(f, ip);
    spin_lock(&lock);
    ip->map = f;
    spin_unlock(&lock);
    *out = f;
    return 0;
}

static int get_or_make(struct inode *ip, struct filemap **out) {
    *out = known(ip);
    return *out ? 0 : make(ip, out);
}

int filemap_create(struct inode *ip, uint64_t pages, struct object **out) {
    struct filemap *f;
    int err = inode_lock(ip);
    if (err)
        return err;
    err = get_or_make(ip, &f);
    if (!err && !f->name[0])
        snprintf(f->name, sizeof(f->name), "file %u", ip->inum);
    inode_unlock(ip);
    if (err)
        return err;
    err = grow(f, pages, false);
    if (err)
        less_refs(f, 0);
    else
        *out = &f->object;
    return err;
}

/* ---- programs: run, or written ---- */

/* When it is not open for writing now, it is not as long as it runs: so no mapping comes that may
 * write it. Those that there are are in the reverse map, and between the two looks none joins it.
 * -K_ETXTBSY: it is not counted. */
static int begin_running(struct filemap *f) {
    spin_lock(&f->rmap.lock);
    bool written = rmap_may_write_locked(&f->rmap);
    spin_lock(&lock);
    written |= f->ip->writers > 0;
    f->running += !written;
    spin_unlock(&lock);
    spin_unlock(&f->rmap.lock);
    return written ? -K_ETXTBSY : 0;
}

int filemap_create_program(struct inode *ip, uint64_t pages, struct object **out) {
    struct filemap *f;
    int err = get_or_make(ip, &f);
    if (err)
        return err;
    err = begin_running(f);
    if (err) {
        less_refs(f, 0);
        return err;
    }
    if (pages * PAGE_SIZE > ip->d.size)
        filedata_clean_end(ip);
    err = grow(f, pages, true);
    if (err)
        less_refs(f, 1);
    else
        *out = &f->program;
    return err;
}

static uint32_t writers; /* of all inodes; atomic */

int filemap_begin_writes(struct inode *ip) {
    spin_lock(&lock);
    int err = ip->map && ip->map->running > 0 ? -K_ETXTBSY : 0;
    if (!err) {
        ip->writers++;
        __atomic_fetch_add(&writers, 1, __ATOMIC_SEQ_CST);
    }
    spin_unlock(&lock);
    return err;
}

void filemap_end_writes(struct inode *ip) {
    spin_lock(&lock);
    ASSERT(ip->writers > 0);
    ip->writers--;
    __atomic_fetch_sub(&writers, 1, __ATOMIC_RELAXED);
    spin_unlock(&lock);
}

uint32_t filemap_writers(void) { return __atomic_load_n(&writers, __ATOMIC_SEQ_CST); }

/* ---- what the file system does to mappings ---- */

void filemap_forbid_writes(uint32_t inum, uint32_t index) {
    struct inode *ip;
    if (inode_get(inum, &ip))
        return; /* it is not in memory, so nobody maps it */
    struct filemap *f = known(ip);
    if (f) {
        rmap_forbid_writes(&f->rmap, index, 1);
        put(&f->object);
    }
    inode_put(ip);
}

void filemap_cut(struct inode *ip) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct filemap *f = known(ip);
    if (!f)
        return;
    uint64_t first = ROUND_UP((uint64_t)ip->d.size, PAGE_SIZE) / PAGE_SIZE;
    rmap_take_away(&f->rmap, first, FILE_PAGES - first);
    put(&f->object);
}
