/* What the tests of sockets share: a machine with files, and calls in short. */
#pragma once
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "socket/socket.h"
#include "tmpfsenv.h"
#include <string.h>

/* Nobody sets a time here. */
void clock_set_alarm(uint64_t when) {}
bool clock_alarm_rang(void) { return false; }
bool clock_end_alarm(void) { return false; }
uint64_t clock_after(uint64_t nanoseconds) { return nanoseconds; }

static int64_t promised;

static inline int setup(void **state) {
    tmpfsenv_setup(state);
    socket_boot_init();
    promised = fsenv_promised();
    return 0;
}

/* All that was promised is given back: no socket, message or file is left. */
static inline int teardown(void **state) {
    assert_int_equal(file_open_count(), 0);
    fsenv_commit_limit = 4096;
    return tmpfsenv_teardown(state);
}

/* ---- short ---- */

static inline int new_of(const struct socket_family *family, enum socket_type type,
                         struct file **f) {
    int err = file_alloc(f);
    if (err)
        return err;
    err = socket_create(family, type, *f);
    if (err)
        file_put(*f);
    return err;
}

static inline int new_socket(enum socket_type type, struct file **f) {
    return new_of(&socket_unix, type, f);
}

static inline int new_pair(enum socket_type type, struct file *f[2]) {
    int err = file_alloc(&f[0]);
    if (err)
        return err;
    err = file_alloc(&f[1]);
    if (!err) {
        err = socket_pair(type, f);
        if (err)
            file_put(f[1]);
    }
    if (err)
        file_put(f[0]);
    return err;
}

static inline struct file *must_be(int err, struct file *f) {
    assert_int_equal(err, 0);
    return f;
}

static inline struct file *must_create(enum socket_type type) {
    struct file *f = NULL;
    int err = new_socket(type, &f);
    return must_be(err, f);
}

static inline struct socket_address address(const char *name) {
    struct socket_address a = {.length = (uint8_t)(strlen(name + 1) + 1)};
    memcpy(a.bytes, name, a.length);
    return a;
}

static inline int send(struct file *f, const void *bytes, size_t n, struct carried *files,
                       bool waits) {
    struct socket_sending what = {
        .span = span_of(UA(bytes), n), .bytes = n, .files = files, .waits = waits};
    size_t done;
    int err = socket_send(socket_of(f), &what, &done);
    assert_null(what.files);
    return done ? (int)done : err;
}

static inline int receive(struct file *f, void *bytes, size_t n, bool waits,
                          struct carried **files) {
    struct socket_received r = {.span = span_of(UA(bytes), n), .bytes = n, .waits = waits};
    int err = socket_receive(socket_of(f), &r);
    if (files)
        *files = r.files;
    else if (r.files)
        carried_free(r.files);
    return err ? err : (int)r.done;
}

/* A record of one file, to which it has a reference. NULL: no memory. */
static inline struct carried *with(struct file *f) {
    struct carried *c = carried_make(1);
    if (c)
        c->file[c->n++] = file_get(f);
    return c;
}
