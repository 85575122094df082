/* Pipes with a name: a node of a file system has one while somebody has it open. */
#pragma once
#include "vfs/pipe.h"

/* A node's part: who has it open shares this pipe. NULL: nobody has. */
struct fifo {
    struct pipe *pipe;
};

/* Opens it for what f, which is new, may do; f takes over the reference to n, of which the fifo is
 * a part. To read waits until somebody writes, and the other way round; to do both does not wait.
 * f->nonblock: nor does to read, and to write is -K_ENXIO while nobody reads. -K_EINTR; -K_ENFILE,
 * -K_ENOMEM: no pipe. After an error the reference is the caller's, and who has met it meanwhile
 * sees that it has gone. */
int fifo_open(struct fifo *fifo, struct node *n, struct file *f) must_check;
