/* Memory, processes and pipes, as bench's operations use them: what fails ends bench. */
#pragma once
#include "benchcount.h"

static char *heap; /* what grow() got last */

static void grow(int bytes) {
    heap = sbrk(bytes);
    need(heap != (char *)-1, "sbrk");
}

static void touch_heap(int bytes) {
    for (int i = 0; i < bytes; i += PAGE)
        touch(heap + i);
}

static void give_back(int bytes) { need(sbrk(-bytes) != (char *)-1, "sbrk"); }

static void make_pipe(int fd[2]) { need(pipe(fd) == 0, "pipe"); }

static void close_pipe(int fd[2]) {
    close(fd[0]);
    close(fd[1]);
}

static int must_fork(void) {
    int pid = fork();
    need(pid >= 0, "fork");
    return pid;
}

static void must_wait(void) {
    int status;
    need(wait(&status) > 0 && status == 0, "a child");
}

static void must_read(int fd, void *p, int n) {
    for (int done = 0, got; done < n; done += got) {
        got = read(fd, (char *)p + done, n - done);
        need(got > 0, "read");
    }
}

static void must_write(int fd, const void *p, int n) { need(write(fd, p, n) == n, "write"); }

static void begin_touched(int bytes) {
    grow(bytes);
    touch_heap(bytes);
}
