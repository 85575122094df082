/* The file that threads of threadworld.h map. */
#include "lib/errno.h"
#include "threadops.h"

static void get_file(struct object *o) { the_file.refs++; }
static void put_file(struct object *o) { the_file.refs--; }

/* Two threads may want it at once. */
static void have_page(uint64_t index) {
    paddr_t frame;
    if (the_file.frame[index].v)
        return;
    MUST(!frame_alloc(&frame), "a page of the file");
    frame_zero(frame, 0);
    if (the_file.frame[index].v)
        frame_free(frame);
    else
        the_file.frame[index] = frame;
}

static int file_page(struct object *o, uint64_t index, unsigned most, bool write,
                     object_show_fn show, void *ctx) {
    maybe_leave_hart();
    while (the_file.busy)
        leave_hart();
    if (index >= the_file.end)
        return -K_ENXIO;
    the_file.showing++;
    have_page(index);
    the_file.writable[index] |= write;
    unsigned n = 1;
    while (!write && n < most && index + n < the_file.end && the_file.frame[index + n].v)
        n++;
    int err = show(ctx, &the_file.frame[index], n);
    the_file.showing--;
    return err;
}

static const struct object_ops file_ops = {.get = get_file, .put = put_file, .page = file_page};

bool is_of_file(const struct page *page) {
    return page->kind == FILE_PRIVATE || page->kind == FILE_SHARED;
}

/* Whoever accesses the file just now may find it as it was, or as it will be. */
static void file_changes(void) {
    the_file.changes++;
    for (unsigned i = 0; i < FIBERS; i++)
        if (threads[i].page != NOWHERE &&
            is_of_file(&world_of(threads[i].p)->page[threads[i].page]))
            threads[i].unsure = true;
}

static bool file_begins(uint64_t from) {
    if (the_file.busy)
        return false;
    the_file.busy = true;
    the_file.from = from;
    trace("the file changes from page %lu on", (ul)from);
    file_changes();
    while (the_file.showing)
        leave_hart();
    return true;
}

void forget_page(uint64_t index) {
    paddr_t frame = the_file.frame[index];
    if (frame.v) {
        MUST(env_refs(frame.v) == 1, "somebody has page %lu of the file, which was cut", (ul)index);
        frame_free(frame);
    }
    the_file.frame[index] = PA(0);
    the_file.writable[index] = false;
    the_file.page[index] = (struct words){{0, 0}};
    for (struct world *w = worlds; w < worlds + ENV_PROCS; w++)
        for (uint64_t i = HEAP_PAGES; w->used && i < PAGES; i++)
            if (w->page[i].kind == FILE_PRIVATE && w->page[i].index == index)
                w->page[i].own = false;
}

void cut(uint64_t end) {
    if (end >= the_file.end || !file_begins(end))
        return;
    the_file.end = end;
    rmap_take_away(&the_file.rmap, end, FILE_PAGES - end);
    for (uint64_t i = end; i < FILE_PAGES; i++)
        forget_page(i);
    the_file.busy = false;
}

void grow(void) {
    if (the_file.busy)
        return;
    file_changes();
    the_file.end = FILE_PAGES;
}

void forbid(uint64_t i) {
    if (!file_begins(FILE_PAGES))
        return;
    rmap_forbid_writes(&the_file.rmap, i, 1);
    the_file.writable[i] = false;
    the_file.busy = false;
}

void new_file(void) {
    the_file = (struct file){.end = FILE_PAGES};
    the_file.object = (struct object){
        .ops = &file_ops, .name = "file", .tracks_writes = true, .rmap = &the_file.rmap};
    rmap_init(&the_file.rmap);
}
