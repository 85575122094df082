/* The integer and address types that every layer uses. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Three kinds of address that must never be mixed up: each is a type of its
 * own, so that a mix-up does not compile. */
typedef struct {
    uint64_t v;
} paddr_t; /* physical */
typedef struct {
    uint64_t v;
} vaddr_t; /* virtual, in whichever page table is meant */
typedef struct {
    uint64_t v;
} uaddr_t; /* virtual, in the user half, not to be trusted */

#define PA(x) ((paddr_t){(uint64_t)(x)})
#define VA(x) ((vaddr_t){(uint64_t)(x)})
#define UA(x) ((uaddr_t){(uint64_t)(x)})

/* A piece of kernel memory. */
struct kpiece {
    uint8_t *start;
    size_t bytes;
};

#define must_check __attribute__((__warn_unused_result__))
#define never_returns __attribute__((__noreturn__))
/* What is seldom called: inside its caller it would cost that the saving of registers each time. */
#define seldom __attribute__((__noinline__))
/* What the most usual way consists of: as a function of its own it would save registers that its
 * caller has saved already. */
#define always_inline static inline __attribute__((__always_inline__))
#define printf_like(fmt, first) __attribute__((format(printf, fmt, first)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Each argument is evaluated once; the names are unique, so that uses nest. */
#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)
#define CHOOSE_(a, op, b, x, y) \
    ({ \
        __typeof__(a) x = (a); \
        __typeof__(b) y = (b); \
        x op y ? x : y; \
    })
#define MIN(a, b) CHOOSE_(a, <, b, PASTE(x_, __COUNTER__), PASTE(y_, __COUNTER__))
#define MAX(a, b) CHOOSE_(a, >, b, PASTE(x_, __COUNTER__), PASTE(y_, __COUNTER__))

/* n must be a power of two; ROUND_UP wraps when x is within n of 2^64. */
#define ROUND_DOWN(x, n) ((uint64_t)(x) & ~((uint64_t)(n)-1))
#define ROUND_UP(x, n) ROUND_DOWN((uint64_t)(x) + (uint64_t)(n)-1, n)
#define IS_ALIGNED(x, n) (((uint64_t)(x) & ((uint64_t)(n)-1)) == 0)
