/* What the kernel's sources find on the host instead of a machine: harts, which
 * are threads, RAM, which is a mapping, and a panic() that a test can catch. */
#pragma once
#include "arch/hart.h"
#include "arch/layout.h"
#include "lib/types.h"
#include <setjmp.h>

#define HOST_RAM_START 0x80000000ULL /* the physical address of the arena's first byte */

/* Makes the arena: bytes of zeroed RAM from HOST_RAM_START on, with unmapped
 * pages around it, for pa_ptr and ptr_pa. An earlier one is gone. Frames are
 * backed when they are touched, so it may be larger than the host's memory.
 * Without an arena, physical addresses are the host's own addresses. */
void host_ram_map(uint64_t bytes);

/* Makes the calling thread hart i, and hart_count at least i + 1. The main
 * thread is hart 0 from the start; another one must say first what it is. */
void host_hart_be(uint32_t i);

/* Runs stmt; true when it panicked. Then host_panic_text is the sentence.
 * stmt's locks stay taken, though the hart does not count as holding them: a test that goes on
 * starts anew with what they guard.
 * A panic outside ends the test program. Not to be nested. */
#define HOST_PANICS(stmt) \
    ({ \
        jmp_buf host_panic_here; \
        volatile bool host_panicked = true; \
        volatile uint32_t host_locks = host_keep_locks(UINT32_MAX); \
        host_panic_exit = &host_panic_here; \
        if (setjmp(host_panic_here) == 0) { \
            stmt; \
            host_panicked = false; \
        } \
        host_panic_exit = NULL; \
        host_keep_locks(host_locks); \
        host_panicked; \
    })

/* This hart counts as holding at most the n spinlocks that it took first; how many it holds. */
uint32_t host_keep_locks(uint32_t n);
extern __thread jmp_buf *host_panic_exit;
extern __thread char host_panic_text[256];

/* A small generator of random numbers (xorshift64*), the same on every host.
 * The seed comes from the environment's SEED if that is set, else from the test,
 * and is printed, so that a failure can be repeated. */
void host_random_seed(uint64_t otherwise);
void host_random_start(uint64_t seed); /* with this one, and nothing printed */
uint64_t host_random(void);
static inline uint64_t host_random_below(uint64_t n) { return host_random() % n; }
