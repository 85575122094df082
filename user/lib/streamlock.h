/* The lock of a stream, for the library: taken when there are several threads. */
#pragma once
#include <stdio.h>
#include "lock.h"

static inline void stream_lock(FILE *f) {
    if (several_threads)
        flockfile(f);
}

static inline void stream_unlock(FILE *f) {
    if (several_threads)
        funlockfile(f);
}
