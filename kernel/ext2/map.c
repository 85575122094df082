/* Files of ext2 as objects: see map.h. */
#include "ext2/map.h"
#include "ext2/data.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "mm/elf.h"
#include "mm/frame.h"
#include "mm/rmap.h"
#include "mm/slab.h"
#include "proc/group.h"

struct ext2_map {
    struct object object;  /* as a file */
    struct object program; /* as a program that is run */
    struct ext2_inode *ip;
    struct rmap rmap;
    uint32_t refs;    /* to both */
    uint32_t running; /* of them, to the program */
    uint64_t pages;   /* that its mappings may show, from the first one on; promised */
    char name[24];
};

static struct slab records = SLAB_INIT(records, sizeof(struct ext2_map));

/* Guards each inode's map and writers, and of all objects the counts, with the sum of pages. */
static struct spinlock lock = SPINLOCK_INIT(RANK_FILEMAP);
static uint64_t mapped;

static struct ext2_map *map_of(struct object *o) {
    return CONTAINER_OF(o, struct ext2_map, object);
}
static struct ext2_map *program_of(struct object *o) {
    return CONTAINER_OF(o, struct ext2_map, program);
}

static void more_refs(struct ext2_map *m, uint32_t program) {
    spin_lock(&lock);
    m->refs++;
    m->running += program;
    spin_unlock(&lock);
}

static void less_refs(struct ext2_map *m, uint32_t program) {
    spin_lock(&lock);
    bool last = --m->refs == 0;
    m->running -= program;
    if (last) {
        m->ip->map = NULL;
        mapped -= m->pages;
    }
    spin_unlock(&lock);
    if (last) {
        frame_uncommit(m->pages);
        ext2_inode_put(m->ip);
        slab_give(&records, m);
    }
}

/* ---- promises ---- */

/* As fs/filemap.c says: so many eighths of the page cache. */
static uint64_t most_mapped(bool program) {
    unsigned eighths = !program ? 4 : proc_in_reserve(proc_self()) ? 7 : 6;
    return pagecache_pages() / 8 * eighths;
}

/* A mapping is going to show pages up to this one, which are promised. */
static int grow(struct ext2_map *m, uint64_t pages, bool program) {
    uint64_t most = most_mapped(program);
    spin_lock(&lock);
    uint64_t more = pages > m->pages ? pages - m->pages : 0;
    bool fits = more == 0 || (more <= most && mapped + more <= most);
    int err = fits ? frame_commit(more) : -K_ENOMEM;
    if (!err) {
        __atomic_store_n(&m->pages, m->pages + more, __ATOMIC_RELAXED);
        mapped += more;
    }
    spin_unlock(&lock);
    return err;
}

/* Mappings show the pages that the file has when they are made; those that it comes to have are
 * promised when they are asked for. Changes while the file is not locked. */
static uint64_t pages_of(const struct ext2_inode *ip) {
    return ROUND_UP(ext2_size(ip), PAGE_SIZE) / PAGE_SIZE;
}

static uint64_t promised_pages(const struct ext2_map *m) {
    return __atomic_load_n(&m->pages, __ATOMIC_RELAXED);
}

/* ---- as objects ---- */

static void get(struct object *o) { more_refs(map_of(o), 0); }
static void put(struct object *o) { less_refs(map_of(o), 0); }

static int page(struct object *o, uint64_t index, unsigned most, bool write, object_show_fn show,
                void *ctx) {
    struct ext2_map *m = map_of(o);
    struct ext2_inode *ip = m->ip;
    uint64_t promised = promised_pages(m);
    if (index >= promised) { /* the file has grown */
        int err = index < pages_of(ip) ? grow(m, index + 1, false) : -K_ENXIO;
        if (err)
            return err;
        promised = index + 1;
    }
    most = (unsigned)MIN((uint64_t)most, promised - index);
    return write ? ext2_show_for_write(ip, index, show, ctx)
                 : ext2_show(ip, index, most, show, ctx);
}

static int sync(struct object *o) { return ext2_inode_sync(map_of(o)->ip); }

/* Pages behind the file's end are promised when it has grown. */
static int reserve(struct object *o, uint64_t pages) {
    struct ext2_map *m = map_of(o);
    return grow(m, MIN(pages, pages_of(m->ip)), false);
}

static const struct object_ops object_ops = {
    .get = get, .put = put, .page = page, .reserve = reserve, .sync = sync};

static void get_program(struct object *o) { more_refs(program_of(o), 1); }
static void put_program(struct object *o) { less_refs(program_of(o), 1); }

/* Nobody cuts or writes the file, so what is in the cache can be shown as it is: what lies behind
 * the end was zeroed when it was read or written. */
static paddr_t peek_program(struct object *o, uint64_t index) {
    return index < promised_pages(program_of(o))
               ? page_frame(program_of(o)->ip->inum, (uint32_t)index)
               : PA(0);
}

static int page_of_program(struct object *o, uint64_t index, unsigned most, bool write,
                           object_show_fn show, void *ctx) {
    struct ext2_map *m = program_of(o);
    uint64_t promised = promised_pages(m);
    if (index >= promised)
        return -K_ENXIO;
    most = (unsigned)MIN((uint64_t)most, promised - index);
    return ext2_show(m->ip, index, most, show, ctx);
}

static int reserve_program(struct object *o, uint64_t pages) {
    struct ext2_map *m = program_of(o);
    return grow(m, MIN(pages, pages_of(m->ip)), true);
}

static const struct object_ops program_ops = {.get = get_program,
                                              .put = put_program,
                                              .peek = peek_program,
                                              .page = page_of_program,
                                              .reserve = reserve_program,
                                              .name = elf_name};

/* ---- which inodes are mapped ---- */

static void set_up(struct ext2_map *m, struct ext2_inode *ip) {
    *m = (struct ext2_map){
        .object = {.ops = &object_ops,
                   .name = m->name,
                   .tracks_writes = true,
                   .stores_error = log_op_max() < 2 * ext2_write_cost(1) ? -K_ENOTSUP : 0,
                   .rmap = &m->rmap},
        .program = {.ops = &program_ops, .rmap = &m->rmap},
        .ip = ext2_inode_dup(ip),
        .refs = 1};
    rmap_init(&m->rmap);
    snprintf(m->name, sizeof(m->name), "file %u", ip->inum);
}

/* The inode's, with a reference more, or NULL. */
static struct ext2_map *known(const struct ext2_inode *ip) {
    spin_lock(&lock);
    struct ext2_map *m = ip->map;
    if (m)
        m->refs++;
    spin_unlock(&lock);
    return m;
}

/* The inode is locked, so that nobody else makes one. */
static int get_or_make(struct ext2_inode *ip, struct ext2_map **out) {
    *out = known(ip);
    if (*out)
        return 0;
    if (!ext2_is_file(ip))
        return -K_ENODEV;
    struct ext2_map *m = slab_take(&records);
    if (!m)
        return -K_ENOMEM;
    set_up(m, ip);
    spin_lock(&lock);
    ip->map = m;
    spin_unlock(&lock);
    *out = m;
    return 0;
}

int ext2_map_create(struct ext2_inode *ip, uint64_t pages, struct object **out) {
    struct ext2_map *m;
    int err = ext2_inode_lock(ip);
    if (err)
        return err;
    err = get_or_make(ip, &m);
    ext2_inode_unlock(ip);
    if (err)
        return err;
    err = grow(m, MIN(pages, pages_of(ip)), false);
    if (err)
        less_refs(m, 0);
    else
        *out = &m->object;
    return err;
}

/* ---- programs: run, or written ---- */

/* See fs/filemap.c: between the two looks no mapping joins that may write it. */
static int begin_running(struct ext2_map *m) {
    spin_lock(&m->rmap.lock);
    bool written = rmap_may_write_locked(&m->rmap);
    spin_lock(&lock);
    written |= m->ip->writers > 0;
    m->running += !written;
    spin_unlock(&lock);
    spin_unlock(&m->rmap.lock);
    return written ? -K_ETXTBSY : 0;
}

int ext2_map_create_program(struct ext2_inode *ip, uint64_t pages, struct object **out) {
    struct ext2_map *m;
    int err = get_or_make(ip, &m);
    if (err)
        return err;
    err = begin_running(m);
    if (err) {
        less_refs(m, 0);
        return err;
    }
    err = grow(m, MIN(pages, pages_of(ip)), true);
    if (err)
        less_refs(m, 1);
    else
        *out = &m->program;
    return err;
}

static uint32_t writers; /* of all inodes; atomic */

int ext2_map_begin_writes(struct ext2_inode *ip) {
    spin_lock(&lock);
    int err = ip->map && ip->map->running > 0 ? -K_ETXTBSY : 0;
    if (!err) {
        ip->writers++;
        __atomic_fetch_add(&writers, 1, __ATOMIC_SEQ_CST);
    }
    spin_unlock(&lock);
    return err;
}

void ext2_map_end_writes(struct ext2_inode *ip) {
    spin_lock(&lock);
    ip->writers--;
    __atomic_fetch_sub(&writers, 1, __ATOMIC_RELAXED);
    spin_unlock(&lock);
}

uint32_t ext2_map_writers(void) { return __atomic_load_n(&writers, __ATOMIC_SEQ_CST); }

/* ---- what the file system does to mappings ---- */

void ext2_map_forbid_writes(uint32_t inum, uint32_t index) {
    struct ext2_inode *ip;
    if (ext2_inode_get(inum, &ip))
        return; /* it is not in memory, so nobody maps it */
    struct ext2_map *m = known(ip);
    if (m) {
        rmap_forbid_writes(&m->rmap, index, 1);
        put(&m->object);
    }
    ext2_inode_put(ip);
}

void ext2_map_cut_off(struct ext2_inode *ip) {
    ASSERT_SLEEPLOCKED(&ip->lock);
    struct ext2_map *m = known(ip);
    if (!m)
        return;
    uint64_t first = pages_of(ip);
    rmap_take_away(&m->rmap, first, UINT32_MAX - first);
    put(&m->object);
}
