/* Files as objects: see filemap.h. */
#include "fs/filemap.h"
#include "fs/log.h"
#include "fs/pagecache.h"
#include "lib/errno.h"
#include "lib/panic.h"
#include "lib/printf.h"
#include "mm/elf.h"
#include "mm/frame.h"
#include "mm/rmap.h"
#include "mm/slab.h"
#include "proc/group.h"

struct filemap {
    struct object object;  /* as a file */
    struct object program; /* as a program that is run */
    struct mappable *file;
    const struct filemap_ops *ops;
    struct rmap rmap;
    uint32_t number;
    uint32_t refs;    /* to both */
    uint32_t running; /* of them, to the program */
    uint64_t pages;   /* that its mappings may show, from the first one on; promised */
    char name[24];
};

static struct slab records = SLAB_INIT(records, sizeof(struct filemap));

/* Guards what is mappable, and of all objects the counts, with the sum of pages. */
static struct spinlock lock = SPINLOCK_INIT(RANK_FILEMAP);
static uint64_t mapped;

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
        f->file->map = NULL;
        mapped -= f->pages;
    }
    spin_unlock(&lock);
    if (last) {
        frame_uncommit(f->pages);
        f->ops->put(f->file);
        slab_give(&records, f);
    }
}

/* ---- promises ---- */

/* The page cache keeps pages that are mapped, and a read or a write must find another: so much of
 * it may be mapped, in eighths. Programs can be run when files take all that they may, and the
 * session's commands when other programs do, too. The eighth that is always left has room for what
 * one transaction changes, which the log holds: else an operation could wait for a page for ever.
 */
static uint64_t most_mapped(bool program) {
    ASSERT(pagecache_pages() / 8 > pagecache_dirty_max());
    unsigned eighths = !program ? 4 : proc_in_reserve(proc_self()) ? 7 : 6;
    return pagecache_pages() / 8 * eighths;
}

/* A mapping is going to show pages up to this one, which are promised. -K_ENOMEM: they cannot be,
 * or too many would be mapped. */
static int grow(struct filemap *f, uint64_t pages, bool program) {
    uint64_t most = most_mapped(program);
    spin_lock(&lock);
    uint64_t more = pages > f->pages ? pages - f->pages : 0;
    bool fits = more == 0 || (more <= most && mapped + more <= most);
    int err = fits ? frame_commit(more) : -K_ENOMEM;
    if (!err) {
        __atomic_store_n(&f->pages, f->pages + more, __ATOMIC_RELAXED);
        mapped += more;
    }
    spin_unlock(&lock);
    return err;
}

/* Of so many, those that there are. */
static int grow_in_file(struct filemap *f, uint64_t pages, bool program) {
    return grow(f, MIN(pages, f->ops->pages(f->file)), program);
}

static uint64_t promised_pages(const struct filemap *f) {
    return __atomic_load_n(&f->pages, __ATOMIC_RELAXED);
}

/* ---- as objects ---- */

static void get(struct object *o) { more_refs(filemap_of(o), 0); }
static void put(struct object *o) { less_refs(filemap_of(o), 0); }

static int show_promised(struct filemap *f, uint64_t index, unsigned most, bool write,
                         object_show_fn show, void *ctx) {
    most = (unsigned)MIN((uint64_t)most, promised_pages(f) - index);
    return f->ops->show(f->file, (uint32_t)index, most, write, show, ctx);
}

static int page(struct object *o, uint64_t index, unsigned most, bool write, object_show_fn show,
                void *ctx) {
    struct filemap *f = filemap_of(o);
    if (index >= promised_pages(f)) { /* the file has grown */
        int err = index < f->ops->pages(f->file) ? grow(f, index + 1, false) : -K_ENXIO;
        if (err)
            return err;
    }
    return show_promised(f, index, most, write, show, ctx);
}

static int sync(struct object *o) {
    struct filemap *f = filemap_of(o);
    return f->ops->sync(f->file);
}

static int reserve(struct object *o, uint64_t pages) {
    return grow_in_file(filemap_of(o), pages, false);
}

static const struct object_ops filemap_ops = {
    .get = get, .put = put, .page = page, .reserve = reserve, .sync = sync};

static void get_program(struct object *o) { more_refs(program_of(o), 1); }
static void put_program(struct object *o) { less_refs(program_of(o), 1); }

/* Nobody cuts or writes the file, so what is in the cache can be shown as it is: what lies behind
 * the last block is zero when it begins to be run, and when it is read. */
static paddr_t peek_program(struct object *o, uint64_t index) {
    const struct filemap *f = program_of(o);
    return index < promised_pages(f) ? page_frame(f->number, (uint32_t)index) : PA(0);
}

static int page_of_program(struct object *o, uint64_t index, unsigned most, bool write,
                           object_show_fn show, void *ctx) {
    struct filemap *f = program_of(o);
    return index < promised_pages(f) ? show_promised(f, index, most, write, show, ctx) : -K_ENXIO;
}

static int reserve_program(struct object *o, uint64_t pages) {
    return grow_in_file(program_of(o), pages, true);
}

static const struct object_ops program_ops = {.get = get_program,
                                              .put = put_program,
                                              .peek = peek_program,
                                              .page = page_of_program,
                                              .reserve = reserve_program,
                                              .name = elf_name};

/* ---- which files are mapped ---- */

static void set_up(struct filemap *f, struct mappable *file, const struct filemap_ops *ops) {
    *f = (struct filemap){
        .object = {.ops = &filemap_ops,
                   .name = f->name,
                   .tracks_writes = true,
                   .stores_error = log_op_max() < 2 * ops->store_cost() ? -K_ENOTSUP : 0,
                   .rmap = &f->rmap},
        .program = {.ops = &program_ops, .rmap = &f->rmap},
        .file = file,
        .ops = ops,
        .number = ops->number(file),
        .refs = 1};
    rmap_init(&f->rmap);
    ops->get(file);
}

/* The file's, with a reference more, or NULL. */
static struct filemap *known(const struct mappable *file) {
    spin_lock(&lock);
    struct filemap *f = file->map;
    if (f)
        f->refs++;
    spin_unlock(&lock);
    return f;
}

/* A new one. The inode is locked, so that nobody else makes one. */
static int make(struct mappable *file, const struct filemap_ops *ops, struct filemap **out) {
    struct filemap *f = slab_take(&records);
    if (!f)
        return -K_ENOMEM;
    set_up(f, file, ops);
    spin_lock(&lock);
    file->map = f;
    spin_unlock(&lock);
    *out = f;
    return 0;
}

static int get_or_make(struct mappable *file, const struct filemap_ops *ops, struct filemap **out) {
    *out = known(file);
    return *out ? 0 : make(file, ops, out);
}

int filemap_create(struct mappable *file, const struct filemap_ops *ops, uint64_t pages,
                   struct object **out) {
    struct filemap *f;
    int err = get_or_make(file, ops, &f);
    if (err)
        return err;
    if (!f->name[0])
        snprintf(f->name, sizeof(f->name), "file %u", f->number);
    err = grow_in_file(f, pages, false);
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
    written |= f->file->writers > 0;
    f->running += !written;
    spin_unlock(&lock);
    spin_unlock(&f->rmap.lock);
    return written ? -K_ETXTBSY : 0;
}

int filemap_create_program(struct mappable *file, const struct filemap_ops *ops, uint64_t pages,
                           struct object **out) {
    struct filemap *f;
    int err = get_or_make(file, ops, &f);
    if (err)
        return err;
    err = begin_running(f);
    if (err) {
        less_refs(f, 0);
        return err;
    }
    err = grow_in_file(f, pages, true);
    if (err)
        less_refs(f, 1);
    else
        *out = &f->program;
    return err;
}

int filemap_begin_writes(struct mappable *file, uint32_t *all) {
    spin_lock(&lock);
    int err = file->map && file->map->running > 0 ? -K_ETXTBSY : 0;
    if (!err) {
        file->writers++;
        __atomic_fetch_add(all, 1, __ATOMIC_SEQ_CST);
    }
    spin_unlock(&lock);
    return err;
}

void filemap_end_writes(struct mappable *file, uint32_t *all) {
    spin_lock(&lock);
    ASSERT(file->writers > 0);
    file->writers--;
    __atomic_fetch_sub(all, 1, __ATOMIC_RELAXED);
    spin_unlock(&lock);
}

/* ---- what the file system does to mappings ---- */

void filemap_forbid_writes(struct mappable *file, uint32_t index) {
    struct filemap *f = known(file);
    if (!f)
        return;
    rmap_forbid_writes(&f->rmap, index, 1);
    put(&f->object);
}

void filemap_cut(struct mappable *file, uint64_t pages) {
    struct filemap *f = known(file);
    if (!f)
        return;
    rmap_take_away(&f->rmap, pages, UINT32_MAX - pages);
    put(&f->object);
}
