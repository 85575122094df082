/* Streams inside of the C library.
 *
 * A stream's buffer holds either input not yet read (at .. end) or output not
 * yet written (0 .. at), as `writing` says; between the two directions the
 * buffer is emptied. Input that was read ahead is given back with lseek when the
 * direction changes, where the file can seek.
 *
 * The stream is the lock holder's: functions below expect the caller to be it (streamlock.h). Who
 * reads or writes has it for as long as that takes. The list of streams has a lock of its own; who
 * holds that waits for no stream, since whoever has a stream may open or close others. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include "streamlock.h"

struct stream {
    int fd;
    bool can_read, can_write, append;
    bool at_end, failed;
    bool writing;
    int mode;  /* _IOFBF ..., or -1: to be decided at the first use */
    char *buf; /* BUFSIZ bytes behind UNGET free ones; NULL: not yet */
    size_t at, end;
    /* In the list of those that fopen made, the newest first; under its lock. */
    struct stream *next;
    uint64_t number;
    unsigned users; /* who flush it with all others: the last of them, or fclose, frees it */
    bool closed;
    uint32_t lock;
    void *owner;    /* of the lock: its thread pointer */
    unsigned depth; /* how often beyond once */
};

#define UNGET 8 /* bytes that ungetc may put in front of the buffer */

extern struct stream *streams; /* that fopen made */
extern uint32_t streams_lock;

/* Writes all of it; false: the stream has failed. */
bool stream_write(struct stream *f, const char *p, size_t n);
/* Writes what is in the buffer; false as stream_write. It is empty then. */
bool stream_empty(struct stream *f);
/* Makes the stream ready for output, or input; false with errno when it cannot. */
bool stream_begin_writing(struct stream *f);
bool stream_begin_reading(struct stream *f);
/* Reads more input, the buffer being empty; false: the end, or the stream has failed. */
bool stream_fill(struct stream *f);
/* The next character, or EOF. */
int stream_get(struct stream *f);
/* Without any lock: for the child of a fork, where all locks are free, and its only thread. */
void streams_forked(void);
