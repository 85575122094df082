/* Gathering the strings of exec: see arguments.h. */
#include "syscall/arguments.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "mm/uaccess.h"

#define ALIGN 16

int arguments_begin(struct arguments *a) {
    memset(a, 0, sizeof(*a));
    return frame_alloc(&a->frame[0]);
}

void arguments_end(struct arguments *a) {
    if (a->frame[0].v)
        frame_free(a->frame[0]);
    for (unsigned i = 1; i < ARGUMENTS_FRAMES && a->frame[i].v; i++)
        frame_free(a->frame[i]);
}

/* Sees to it that there is a byte at this offset. */
static int need(struct arguments *a, uint64_t offset) {
    if (offset >= ARGUMENTS_MAX)
        return -K_E2BIG;
    paddr_t *frame = &a->frame[offset / PAGE_SIZE];
    return frame->v ? 0 : frame_alloc(frame);
}

static uint64_t room_at(uint64_t offset) { return PAGE_SIZE - offset % PAGE_SIZE; }

/* end: behind its terminator, on the same page. */
static void end_string(struct arguments *a, uint64_t end) {
    a->bytes = ROUND_UP(end, ALIGN);
    memset(arguments_at(a, end - 1), 0, a->bytes - end + 1);
    a->count++;
}

int arguments_add(struct arguments *a, const char *string) {
    uint64_t at = a->bytes;
    for (;;) {
        int err = need(a, at);
        if (err)
            return err;
        *arguments_at(a, at++) = *string;
        if (!*string++)
            break;
    }
    end_string(a, at);
    return 0;
}

/* A page's end may come before the string's. */
static int add_user_string(struct arguments *a, uaddr_t from) {
    uint64_t at = a->bytes;
    for (;;) {
        int err = need(a, at);
        if (err)
            return err;
        err = copyinstr(arguments_at(a, at), from, room_at(at));
        if (!err)
            break;
        if (err != -K_ENAMETOOLONG)
            return err;
        from.v += room_at(at);
        at += room_at(at);
    }
    end_string(a, at + strlen(arguments_at(a, at)) + 1);
    return 0;
}

int arguments_add_array(struct arguments *a, uaddr_t array) {
    for (;; array.v += sizeof(uint64_t)) {
        uint64_t string;
        int err = copyin(&string, array, sizeof(string));
        if (err || !string)
            return err;
        err = add_user_string(a, UA(string));
        if (err)
            return err;
    }
}

void arguments_begin_environment(struct arguments *a) {
    a->argc = a->count;
    a->argument_bytes = a->bytes;
}

static uint64_t padded(const char *string) { return ROUND_UP(strlen(string) + 1, ALIGN); }

/* 16 bytes are on one page. */
static void move_unit(struct arguments *a, uint64_t to, uint64_t from) {
    memcpy(arguments_at(a, to), arguments_at(a, from), ALIGN);
}

/* Moves all from `from` on to `to`, for which there is room. */
static void move(struct arguments *a, uint64_t to, uint64_t from) {
    uint64_t n = a->bytes - from;
    for (uint64_t i = 0; to < from && i < n; i += ALIGN)
        move_unit(a, to + i, from + i);
    for (uint64_t i = n; to > from && i > 0; i -= ALIGN)
        move_unit(a, to + i - ALIGN, from + i - ALIGN);
    for (uint64_t at = to + n; at < a->bytes; at += ALIGN)
        memset(arguments_at(a, at), 0, ALIGN); /* nobody cleans behind the last one */
}

static void put_at(struct arguments *a, uint64_t at, const char *string) {
    uint64_t end = at + padded(string);
    for (; at < end; at++)
        *arguments_at(a, at) = *string ? *string++ : '\0';
}

int arguments_replace_first(struct arguments *a, const char *const string[], unsigned n) {
    uint64_t old = a->argc ? arguments_next(a, 0) : 0, new = 0;
    for (unsigned i = 0; i < n; i++)
        new += padded(string[i]);
    uint64_t bytes = a->bytes - old + new;
    for (uint64_t at = ROUND_DOWN(a->bytes, PAGE_SIZE); at < bytes; at += PAGE_SIZE) {
        int err = need(a, at);
        if (err)
            return err;
    }
    move(a, new, old);
    for (uint64_t i = 0, at = 0; i < n; at += padded(string[i++]))
        put_at(a, at, string[i]);
    unsigned less = a->argc ? 1 : 0;
    a->bytes = bytes;
    a->argument_bytes += new - old;
    a->argc += n - less;
    a->count += n - less;
    return 0;
}

/* The last of its 16 bytes ends in a zero, its terminator or the padding, and no other does. */
uint64_t arguments_next(const struct arguments *a, uint64_t offset) {
    while (*arguments_at(a, offset + ALIGN - 1))
        offset += ALIGN;
    return offset + ALIGN;
}
