/* Contents of files in memory. They are an object's pages (object.h), which mappings show as they
 * are.
 *
 * A page is shown without the file's lock, since whoever reads or writes holds that while it
 * touches user memory, which may show the same file. It has a lock of its own, under which no user
 * memory is touched: a cut takes it, makes the file shorter and takes pages away, so that none
 * of them is being shown, and none will be. */
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/elf.h"
#include "mm/frame.h"
#include "mm/pieces.h"
#include "mm/uaccess.h"
#include "tmpfs/contents.h"

static struct tmpnode *node_of(struct tmpfile *f) { return CONTAINER_OF(f, struct tmpnode, file); }

static uint64_t pages_of(uint64_t bytes) { return ROUND_UP(bytes, PAGE_SIZE) / PAGE_SIZE; }

/* ---- pages ---- */

static paddr_t find_locked(const struct tmpfile *f, uint64_t index) {
    ASSERT_LOCKED(&f->guard);
    return f->rooted ? pagetree_find(&f->pages, index) : PA(0);
}

paddr_t tmpfile_find(struct tmpfile *f, uint64_t index) {
    spin_lock(&f->guard);
    paddr_t frame = find_locked(f, index);
    spin_unlock(&f->guard);
    return frame;
}

/* Adds a page, for which enough tables are promised, unless another hart has done so. Returns how
 * many frames the file has taken. */
static uint64_t add_locked(struct tmpfile *f, uint64_t index, paddr_t frame) {
    ASSERT_LOCKED(&f->guard);
    if (find_locked(f, index).v)
        return 0;
    uint64_t taken = 1 + !f->rooted;
    if (!f->rooted)
        pagetree_init(&f->pages);
    f->rooted = true;
    taken += pagetree_add(&f->pages, index, frame);
    f->frames += taken;
    f->held++;
    return taken;
}

/* Makes a page of zeros where there is none. -K_ENOSPC: it cannot be promised. */
static int make(struct tmpfile *f, uint64_t index) {
    uint64_t most = 2 + pagetree_tables_for_one();
    if (frame_commit(most))
        return -K_ENOSPC;
    paddr_t frame = frame_take_zeroed();
    spin_lock(&f->guard);
    uint64_t taken = add_locked(f, index, frame);
    spin_unlock(&f->guard);
    if (!taken)
        frame_put_zeroed(frame);
    frame_uncommit(most - taken);
    return 0;
}

int tmpfile_find_or_make(struct tmpfile *f, uint64_t index, paddr_t *frame) {
    *frame = tmpfile_find(f, index);
    if (frame->v)
        return 0;
    int err = make(f, index);
    if (!err)
        *frame = tmpfile_find(f, index);
    return err;
}

/* ---- as an object ---- */

static struct tmpfile *of_object(struct object *o) {
    return CONTAINER_OF(o, struct tmpfile, object);
}
static struct tmpfile *of_program(struct object *o) {
    return CONTAINER_OF(o, struct tmpfile, program);
}

static void get_object(struct object *o) { tmpnode_get(node_of(of_object(o))); }
static void put_object(struct object *o) { tmpnode_put(node_of(of_object(o))); }

static void count_running(struct tmpfile *f, bool more) {
    spin_lock(&f->guard);
    f->running = more ? f->running + 1 : f->running - 1;
    spin_unlock(&f->guard);
}

static void get_program(struct object *o) {
    count_running(of_program(o), true);
    tmpnode_get(node_of(of_program(o)));
}

static void put_program(struct object *o) {
    count_running(of_program(o), false);
    tmpnode_put(node_of(of_program(o)));
}

/* A page of the file, with a reference to its frame, or PA(0). */
static paddr_t get_frame(struct tmpfile *f, uint64_t index) {
    spin_lock(&f->guard);
    paddr_t frame = index < pages_of(f->size) ? find_locked(f, index) : PA(0);
    if (frame.v)
        frame_get(frame_single(frame));
    spin_unlock(&f->guard);
    return frame;
}

/* The same while a cut has made the file shorter, and has not taken the page away from mappings. */
static paddr_t get_cut_frame(struct tmpfile *f, uint64_t index) {
    spin_lock(&f->guard);
    paddr_t frame = find_locked(f, index);
    if (frame.v)
        frame_get(frame_single(frame));
    spin_unlock(&f->guard);
    return frame;
}

static uint64_t size_now(const struct tmpfile *f) {
    return __atomic_load_n(&f->size, __ATOMIC_ACQUIRE);
}

/* Nobody cuts the file. */
static int show_uncut(struct tmpfile *f, uint64_t index, object_show_fn show, void *ctx) {
    if (index >= pages_of(size_now(f)))
        return -K_ENXIO;
    paddr_t frame = get_frame(f, index);
    if (!frame.v) {
        int err = make(f, index);
        if (err)
            return err;
        frame = get_frame(f, index);
    }
    int err = show(ctx, &frame, 1);
    frame_put(frame_single(frame));
    return err;
}

static int show_page(struct tmpfile *f, uint64_t index, object_show_fn show, void *ctx) {
    sleeplock_acquire(&f->showing);
    int err = show_uncut(f, index, show, ctx);
    sleeplock_release(&f->showing);
    return err;
}

static paddr_t peek_object(struct object *o, uint64_t index) {
    return get_frame(of_object(o), index);
}
static paddr_t peek_program(struct object *o, uint64_t index) {
    return get_frame(of_program(o), index);
}

static paddr_t peek_cut_object(struct object *o, uint64_t index) {
    return get_cut_frame(of_object(o), index);
}
static paddr_t peek_cut_program(struct object *o, uint64_t index) {
    return get_cut_frame(of_program(o), index);
}

static int page_of_object(struct object *o, uint64_t index, unsigned most, bool write,
                          object_show_fn show, void *ctx) {
    return show_page(of_object(o), index, show, ctx);
}

static int page_of_program(struct object *o, uint64_t index, unsigned most, bool write,
                           object_show_fn show, void *ctx) {
    return show_page(of_program(o), index, show, ctx);
}

static const struct object_ops object_ops = {.get = get_object,
                                             .put = put_object,
                                             .peek = peek_object,
                                             .peek_cut = peek_cut_object,
                                             .page = page_of_object};
static const struct object_ops running_ops = {.get = get_program,
                                              .put = put_program,
                                              .peek = peek_program,
                                              .peek_cut = peek_cut_program,
                                              .page = page_of_program,
                                              .name = elf_name};

/* ---- size ---- */

void tmpfile_set_size(struct tmpfile *f, uint64_t size) {
    spin_lock(&f->guard);
    __atomic_store_n(&f->size, size, __ATOMIC_RELEASE);
    spin_unlock(&f->guard);
}

/* Gives back the next page from *index on, or goes on to where there may be one. */
static void drop_next(struct tmpfile *f, uint64_t *index) {
    spin_lock(&f->guard);
    bool found = pagetree_next(&f->pages, *index, index);
    paddr_t frame = found ? pagetree_take(&f->pages, *index) : PA(0);
    f->frames -= found;
    f->held -= found;
    spin_unlock(&f->guard);
    if (found) {
        frame_put(frame_single(frame));
        frame_uncommit(1);
    }
    piece_done(found ? PIECE_FREED : PIECE);
}

/* All pages, and the tables. */
static void drop_all(struct tmpfile *f) {
    spin_lock(&f->guard);
    struct pagetree pages = f->pages;
    uint64_t frames = f->rooted ? f->frames : 0;
    f->rooted = false;
    f->frames = f->held = 0;
    spin_unlock(&f->guard);
    if (!frames)
        return;
    pagetree_destroy(&pages);
    frame_uncommit(frames);
}

/* Gives back the pages from index on; no mapping shows them, and none is made. */
static void drop_pages(struct tmpfile *f, uint64_t index) {
    if (index == 0)
        drop_all(f);
    while (f->rooted && index < pagetree_end())
        drop_next(f, &index);
}

void tmpfile_clean_page(struct tmpfile *f, uint64_t index) {
    uint64_t start = index * PAGE_SIZE, from = MAX(f->size, start);
    paddr_t frame = from < start + PAGE_SIZE ? tmpfile_find(f, index) : PA(0);
    if (frame.v)
        memset((char *)pa_ptr(frame) + (from - start), 0, start + PAGE_SIZE - from);
}

void tmpfile_clean_end(struct tmpfile *f) {
    if (f->size % PAGE_SIZE)
        tmpfile_clean_page(f, f->size / PAGE_SIZE);
}

void tmpfile_resize(struct tmpfile *f, uint64_t size) {
    if (size < f->size) {
        sleeplock_acquire(&f->showing);
        tmpfile_set_size(f, size);
        rmap_take_away(&f->rmap, pages_of(size), pagetree_end() - pages_of(size));
        sleeplock_release(&f->showing);
        drop_pages(f, pages_of(size));
    }
    tmpfile_clean_end(f);
    tmpfile_set_size(f, size);
    tmpnode_modified(node_of(f));
}

static int fill_page(struct tmpfile *f, const char *from, uint64_t n) {
    paddr_t frame;
    int err = tmpfile_find_or_make(f, f->size / PAGE_SIZE, &frame);
    if (err)
        return err;
    memcpy(pa_ptr(frame), from, n);
    tmpfile_set_size(f, f->size + n);
    return 0;
}

int tmpfile_fill(struct tmpnode *t, const void *src, uint64_t n) {
    struct tmpfile *f = &t->file;
    const char *from = src;
    int err = 0;
    sleeplock_acquire(&f->lock);
    tmpfile_resize(f, 0);
    while (f->size < n && !err) {
        err = fill_page(f, from + f->size, MIN(n - f->size, PAGE_SIZE));
        piece_done(PIECE_FREED);
    }
    sleeplock_release(&f->lock);
    return err;
}

/* The next page from *index on that is there; PA(0): there is none. */
static paddr_t next_page(struct tmpfile *f, uint64_t *index) {
    spin_lock(&f->guard);
    bool found = f->rooted && pagetree_next(&f->pages, *index, index);
    paddr_t frame = found ? pagetree_find(&f->pages, *index) : PA(0);
    spin_unlock(&f->guard);
    return frame;
}

/* The frames stay, since mappings may show them. */
void tmpfile_zero(struct tmpfile *f, uint64_t start, uint64_t end) {
    uint64_t index = start / PAGE_SIZE, last = pages_of(end);
    while (index < last && index < pagetree_end()) {
        paddr_t frame = next_page(f, &index);
        piece_done(PIECE_FREED);
        if (!frame.v) {
            if (index == pagetree_end() || !f->rooted)
                break;
            continue; /* it has only come to where there may be one */
        }
        uint64_t at = index * PAGE_SIZE, from = MAX(start, at), to = MIN(end, at + PAGE_SIZE);
        if (from < to)
            memset((char *)pa_ptr(frame) + (from - at), 0, to - from);
        index++;
    }
}

int tmpfile_fill_holes(struct tmpfile *f, uint64_t start, uint64_t end) {
    paddr_t frame;
    int err = 0;
    for (uint64_t i = start / PAGE_SIZE; i < pages_of(end) && !err; i++) {
        err = proc_killed() ? -K_EINTR : tmpfile_find_or_make(f, i, &frame);
        piece_done(PIECE_FREED);
    }
    return err;
}

/* ---- as a program ---- */

static int program_begin(struct node *n, uint64_t *size) {
    struct tmpnode *t = tmpnode_of(n);
    if (t->type != NODE_FILE)
        return -K_ENOEXEC;
    sleeplock_acquire(&t->file.lock);
    *size = t->file.size;
    return 0;
}

static int program_read(struct node *n, uint64_t offset, void *dst, size_t bytes, size_t *done) {
    struct tmpfile *t = &tmpnode_of(n)->file;
    uint64_t left = offset < t->size ? t->size - offset : 0;
    for (*done = 0, bytes = (size_t)MIN((uint64_t)bytes, left); *done < bytes;) {
        uint64_t at = offset + *done;
        size_t m = MIN(bytes - *done, (size_t)(PAGE_SIZE - at % PAGE_SIZE));
        paddr_t frame = tmpfile_find(t, at / PAGE_SIZE);
        if (frame.v)
            memcpy((char *)dst + *done, (char *)pa_ptr(frame) + at % PAGE_SIZE, m);
        else
            memset((char *)dst + *done, 0, m);
        *done += m;
    }
    return 0;
}

static int program_map(struct node *n, uint64_t pages, struct object **out) {
    struct tmpfile *t = &tmpnode_of(n)->file;
    spin_lock(&t->rmap.lock);
    spin_lock(&t->guard);
    bool fixed = tmpfile_is_fixed(t); /* whoever has it open */
    bool written = (t->writers > 0 && !fixed) || rmap_may_write_locked(&t->rmap);
    t->running += !written;
    spin_unlock(&t->guard);
    spin_unlock(&t->rmap.lock);
    if (written)
        return -K_ETXTBSY;
    tmpfile_clean_end(t);
    tmpnode_get(tmpnode_of(n));
    *out = &t->program;
    return 0;
}

static void program_end(struct node *n) { sleeplock_release(&tmpnode_of(n)->file.lock); }

const struct program_ops tmpfile_program = {
    .begin = program_begin, .read = program_read, .map = program_map, .end = program_end};

/* ---- from the first to the last ---- */

void tmpfile_init(struct tmpnode *t) {
    struct tmpfile *f = &t->file;
    sleeplock_init(&f->lock, RANK_TMP_FILE);
    sleeplock_init(&f->showing, RANK_TMP_SHOW);
    spin_init(&f->guard, RANK_TMP_PAGES);
    rmap_init(&f->rmap);
    f->seals = FILE_SEAL_SEAL;
    f->object = (struct object){.ops = &object_ops, .name = "file in memory", .rmap = &f->rmap};
    f->program = (struct object){.ops = &running_ops, .rmap = &f->rmap};
}

void tmpfile_destroy(struct tmpnode *t) { drop_all(&t->file); }
