/* Moving bytes from one open file to another, without a program's memory between. Each moves up to
 * n bytes, in *done, and stops early at the end of `from`, or when a signal has come, or where a
 * read or write that does not wait would end; an error is told only when nothing was moved. Both
 * are open for what is done with them (-K_EBADF), and all may sleep. */
#pragma once
#include "vfs/file.h"

/* A place in a file with offsets: another open file of the same, without a descriptor, whose offset
 * moves. waits false: what would wait is -K_EAGAIN. */
static inline struct file carry_view(const struct file *f, bool waits) {
    struct file view = *f;
    view.nonblock = view.nonblock || !waits;
    return view;
}

/* From one with an offset, by way of a frame. `to` waits or not as it does for a write.
 * -K_ENOMEM: none could be promised; else what the read and the write return. */
int carry(struct file *from, struct file *to, uint64_t n, uint64_t *done) must_check;

/* From or to a pipe, the other one being a view, if it has an offset; nothing is lost on the way.
 * waits: for the pipe and for the other file, until something has been moved. keep, from pipe to
 * pipe: what is moved stays there, too. -K_EAGAIN; and what pipe.h says. */
int carry_by_pipe(struct file *from, struct file *to, uint64_t n, bool waits, bool keep,
                  uint64_t *done) must_check;
