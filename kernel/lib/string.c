/* Memory and strings. Copies and fills go by words of 8 bytes, eight a round,
 * always at multiples of 8. No word is loaded that has no byte of the caller's
 * range, and none stored that has a byte outside it. */
#include "lib/string.h"

/* Else gcc turns the loops below into calls of the functions they implement, and works out behind
 * a loop from its beginning where the pointers are that it has in registers. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns", "no-tree-scev-cprop")
#endif

typedef uint64_t __attribute__((__may_alias__)) word_t;

#define WORD sizeof(word_t)
#define ROUND (8 * WORD)
#define SMALL (2 * WORD) /* below this, bytes are as good */
#define MISALIGNMENT(p) ((uintptr_t)(p) % WORD)

/* Eight words. */
always_inline void fill_round(word_t *w, word_t fill) {
    w[0] = w[1] = w[2] = w[3] = w[4] = w[5] = w[6] = w[7] = fill;
}

void *memset(void *dst, int c, size_t n) {
    unsigned char *d = dst;
    if (n >= SMALL) {
        for (; MISALIGNMENT(d); n--)
            *d++ = (unsigned char)c;
        word_t fill = (unsigned char)c * 0x0101010101010101ULL;
        word_t *w = (word_t *)d, *end = w + n / WORD;
        for (; w <= end - 32; w += 32) { /* a page is most of what is filled */
            fill_round(w, fill);
            fill_round(w + 8, fill);
            fill_round(w + 16, fill);
            fill_round(w + 24, fill);
        }
        for (; w <= end - 8; w += 8)
            fill_round(w, fill);
        while (w < end)
            *w++ = fill;
        d = (unsigned char *)w;
        n %= WORD;
    }
    for (; n > 0; n--)
        *d++ = (unsigned char)c;
    return dst;
}

/* One round, all loads before all stores, so that either direction may overlap. It ends before
 * the next begins: else the compiler loads more than it has registers for. */
always_inline void copy_round(word_t *d, const word_t *s) {
    word_t a = s[0], b = s[1], c = s[2], e = s[3], f = s[4], g = s[5], h = s[6], i = s[7];
    d[0] = a, d[1] = b, d[2] = c, d[3] = e, d[4] = f, d[5] = g, d[6] = h, d[7] = i;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

/* Copies words to d from s, both aligned, as many as n bytes have; returns their bytes. */
always_inline size_t copy_aligned(word_t *d, const word_t *s, size_t n) {
    const word_t *end = s + n / WORD;
    for (; s <= end - 32; d += 32, s += 32) {
        copy_round(d, s); /* a page, or much of one, is most of what is copied */
        copy_round(d + 8, s + 8);
        copy_round(d + 16, s + 16);
        copy_round(d + 24, s + 24);
    }
    for (; s <= end - 8; d += 8, s += 8)
        copy_round(d, s);
    for (; s < end; d++, s++)
        *d = *s;
    return n / WORD * WORD;
}

/* The same from s, skew bytes above a word's start: each stored word is put together from two
 * loaded ones. */
always_inline size_t copy_skewed(word_t *d, const unsigned char *s, size_t skew, size_t n) {
    const word_t *from = (const word_t *)(s - skew);
    unsigned shift = 8 * (unsigned)skew;
    word_t low = *from++;
    size_t done = 0;
    for (; n - done + skew >= 2 * WORD; done += WORD) {
        word_t high = *from++;
        *d++ = low >> shift | high << (64 - shift);
        low = high;
    }
    return done;
}

/* From the lowest byte to the highest: right for overlapping ranges when d < s. */
always_inline void copy_up(unsigned char *d, const unsigned char *s, size_t n) {
    if (n >= SMALL) {
        size_t head = (WORD - MISALIGNMENT(d)) % WORD;
        size_t skew = MISALIGNMENT(s + head);
        n -= head;
        for (; head > 0; head--)
            *d++ = *s++;
        size_t done = skew ? copy_skewed((word_t *)d, s, skew, n)
                           : copy_aligned((word_t *)d, (const word_t *)s, n);
        d += done;
        s += done;
        n -= done;
    }
    for (; n > 0; n--)
        *d++ = *s++;
}

/* From the highest byte to the lowest: right for overlapping ranges when d > s. */
always_inline void copy_down(unsigned char *d, const unsigned char *s, size_t n) {
    d += n;
    s += n;
    if (n >= SMALL && MISALIGNMENT(d) == MISALIGNMENT(s)) {
        for (; MISALIGNMENT(d); n--)
            *--d = *--s;
        word_t *wd = (word_t *)d;
        const word_t *ws = (const word_t *)s;
        for (; n >= ROUND; n -= ROUND)
            copy_round(wd -= 8, ws -= 8);
        for (; n >= WORD; n -= WORD)
            *--wd = *--ws;
        d = (unsigned char *)wd;
        s = (const unsigned char *)ws;
    }
    for (; n > 0; n--)
        *--d = *--s;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n) {
    copy_up(dst, src, n);
    return dst;
}

void *memmove(void *dst, const void *src, size_t n) {
    /* One comparison for both "below" and "no overlap". */
    if ((uintptr_t)dst - (uintptr_t)src >= n)
        copy_up(dst, src, n);
    else
        copy_down(dst, src, n);
    return dst;
}

int memcmp(const void *a, const void *b, size_t n) {
    const unsigned char *p = a, *q = b;
    if (n >= SMALL && MISALIGNMENT(p) == MISALIGNMENT(q)) {
        for (; MISALIGNMENT(p) && *p == *q; n--)
            p++, q++;
        if (!MISALIGNMENT(p))
            for (; n >= WORD && *(const word_t *)p == *(const word_t *)q; n -= WORD)
                p += WORD, q += WORD;
    }
    for (; n > 0; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

size_t strlen(const char *s) {
    const char *end = s;
    while (*end)
        end++;
    return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t max) {
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b) {
    while (*a && *a == *b)
        a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t n) {
    for (; n > 0; n--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}

char *strchr(const char *s, int c) {
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}

size_t str_copy(char *dst, const char *src, size_t size) {
    size_t length = strlen(src);
    size_t n = MIN(length, size - 1);
    memcpy(dst, src, n);
    dst[n] = '\0';
    return length;
}
