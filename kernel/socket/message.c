/* Messages: see message.h. The bytes of one are in records of a few sizes, the last one of which
 * is as small as it may be. */
#include "socket/message.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "proc/proc.h"
#include "vfs/file.h"

struct piece {
    struct piece *next;
    uint32_t size; /* index in sizes */
    uint32_t bytes;
    char data[];
};

static struct slab messages = SLAB_INIT(messages, sizeof(struct message));
static struct slab sizes[] = {
    SLAB_INIT(sizes[0], 128),
    SLAB_INIT(sizes[1], 576),
    SLAB_INIT(sizes[2], 1344),
    SLAB_INIT(sizes[3], 4032),
};

static size_t room_in(unsigned size) { return sizes[size].size - sizeof(struct piece); }

/* For n bytes, or as many of them as are in the largest. NULL: no memory. */
static struct piece *take_piece(size_t n) {
    unsigned size = 0;
    while (size + 1 < ARRAY_LEN(sizes) && room_in(size) < n)
        size++;
    struct piece *p = slab_take(&sizes[size]);
    if (p)
        *p = (struct piece){.size = size, .bytes = (uint32_t)MIN(n, room_in(size))};
    return p;
}

static void give_pieces(struct message *m) {
    while (m->first) {
        struct piece *p = m->first;
        m->first = p->next;
        slab_give(&sizes[p->size], p);
    }
}

/* from: a program's bytes, or NULL, and the kernel's. */
static int add_pieces(struct message *m, struct span *from, const char *kernels, size_t n) {
    struct piece **end = &m->first;
    size_t done;
    for (; n > 0; n -= done) {
        struct piece *p = take_piece(n);
        if (!p)
            return -K_ENOBUFS;
        *end = p;
        end = &p->next;
        m->bytes += p->bytes;
        m->cost += sizes[p->size].size;
        int err = from ? span_in(from, p->data, p->bytes, &done) : 0;
        if (err)
            return err;
        if (!from) {
            memcpy(p->data, kernels, p->bytes);
            kernels += p->bytes;
            done = p->bytes;
        }
    }
    return 0;
}

static int make(struct span *from, const char *kernels, size_t n, int32_t pid,
                struct message **out) {
    struct message *m = slab_take(&messages);
    if (!m)
        return -K_ENOBUFS;
    *m = (struct message){.cost = sizeof(*m), .pid = pid};
    int err = add_pieces(m, from, kernels, n);
    if (err)
        message_free(m);
    else
        *out = m;
    return err;
}

int message_make(struct span *from, size_t n, struct message **out) {
    return make(from, NULL, n, proc_self()->pid, out);
}

int message_of(const void *from, size_t n, struct message **out) {
    return make(NULL, from, n, 0, out);
}

int message_copy(const struct message *m, size_t at, struct span *to, size_t n, size_t *done) {
    *done = 0;
    for (const struct piece *p = m->first; p && *done < n; p = p->next) {
        if (at >= p->bytes) {
            at -= p->bytes;
            continue;
        }
        size_t moved;
        int err = span_out(to, p->data + at, MIN(n - *done, p->bytes - at), &moved);
        *done += moved;
        if (err)
            return err;
        at = 0;
    }
    return 0;
}

void message_free(struct message *m) {
    give_pieces(m);
    if (m->files)
        carried_free(m->files);
    slab_give(&messages, m);
}

/* ---- files ---- */

#define FEW 7
static struct slab few = SLAB_INIT(few, sizeof(struct carried) + FEW * sizeof(struct file *));
static struct slab many = SLAB_INIT(many,
                                    sizeof(struct carried) + FILES_MAX * sizeof(struct file *));

struct carried *carried_make(uint32_t n) {
    struct carried *c = slab_take(n <= FEW ? &few : &many);
    if (c)
        *c = (struct carried){.room = n <= FEW ? FEW : FILES_MAX};
    return c;
}

void message_carry(struct message *m, struct carried *files) {
    m->files = files;
    m->cost += files->room == FEW ? few.size : many.size;
}

void carried_free(struct carried *c) {
    for (uint32_t i = 0; i < c->n; i++)
        file_put(c->file[i]);
    slab_give(c->room == FEW ? &few : &many, c);
}
