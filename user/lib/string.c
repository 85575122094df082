/* Memory in words where addresses allow, strings in bytes. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ctype.h>

/* Else gcc turns the loops below into calls of themselves. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-tree-loop-distribute-patterns")
#endif

typedef uint64_t __attribute__((may_alias)) word;
#define WORD sizeof(word)
#define LOW_BITS(p) ((uintptr_t)(p) % WORD)

void *memset(void *dst, int c, size_t n) {
    unsigned char *d = dst;
    word pattern = (unsigned char)c * 0x0101010101010101ULL;
    for (; n > 0 && LOW_BITS(d); n--)
        *d++ = (unsigned char)c;
    for (; n >= 8 * WORD; n -= 8 * WORD, d += 8 * WORD)
        for (int i = 0; i < 8; i++)
            ((word *)d)[i] = pattern;
    for (; n >= WORD; n -= WORD, d += WORD)
        *(word *)d = pattern;
    while (n-- > 0)
        *d++ = (unsigned char)c;
    return dst;
}

/* Copies whole words from s, which is not aligned, to d, which is: each word is
 * put together from two aligned ones, all of which hold bytes of the source. */
static size_t copy_shifted(unsigned char *d, const unsigned char *s, size_t n) {
    unsigned shift = 8 * (unsigned)LOW_BITS(s);
    const word *from = (const word *)(s - LOW_BITS(s));
    size_t done = 0;
    word have = *from++;
    for (; n - done >= 2 * WORD; done += WORD) {
        word next = *from++;
        *(word *)(d + done) = have >> shift | next << (64 - shift);
        have = next;
    }
    return done;
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n) {
    unsigned char *d = dst;
    const unsigned char *s = src;
    for (; n > 0 && LOW_BITS(d); n--)
        *d++ = *s++;
    if (LOW_BITS(s) == 0) {
        for (; n >= 8 * WORD; n -= 8 * WORD, d += 8 * WORD, s += 8 * WORD)
            for (int i = 0; i < 8; i++)
                ((word *)d)[i] = ((const word *)s)[i];
        for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
            *(word *)d = *(const word *)s;
    } else if (n >= 4 * WORD) {
        size_t done = copy_shifted(d, s, n);
        d += done, s += done, n -= done;
    }
    while (n-- > 0)
        *d++ = *s++;
    return dst;
}

void *memmove(void *dst, const void *src, size_t n) {
    unsigned char *d = dst;
    const unsigned char *s = src;
    if ((uintptr_t)d - (uintptr_t)s >= n && (uintptr_t)s - (uintptr_t)d >= n)
        return memcpy(dst, src, n);
    if (d < s) {
        if (LOW_BITS(d) == LOW_BITS(s)) {
            for (; n > 0 && LOW_BITS(d); n--)
                *d++ = *s++;
            for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
                *(word *)d = *(const word *)s;
        }
        while (n-- > 0)
            *d++ = *s++;
        return dst;
    }
    d += n, s += n;
    if (LOW_BITS(d) == LOW_BITS(s)) {
        for (; n > 0 && LOW_BITS(d); n--)
            *--d = *--s;
        for (; n >= WORD; n -= WORD)
            d -= WORD, s -= WORD, *(word *)d = *(const word *)s;
    }
    while (n-- > 0)
        *--d = *--s;
    return dst;
}

int memcmp(const void *a, const void *b, size_t n) {
    const unsigned char *p = a, *q = b;
    if (LOW_BITS(p) == LOW_BITS(q)) {
        for (; n > 0 && LOW_BITS(p) && *p == *q; n--)
            p++, q++;
        if (!LOW_BITS(p))
            for (; n >= WORD && *(const word *)p == *(const word *)q; n -= WORD)
                p += WORD, q += WORD;
    }
    for (; n > 0; n--, p++, q++)
        if (*p != *q)
            return *p - *q;
    return 0;
}

void *memchr(const void *s, int c, size_t n) {
    for (const unsigned char *p = s; n > 0; n--, p++)
        if (*p == (unsigned char)c)
            return (void *)p;
    return NULL;
}

size_t strlen(const char *s) {
    const char *p = s;
    while (*p)
        p++;
    return (size_t)(p - s);
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

int strncasecmp(const char *a, const char *b, size_t n) {
    for (; n > 0; n--, a++, b++) {
        int x = tolower((unsigned char)*a), y = tolower((unsigned char)*b);
        if (x != y || !x)
            return x - y;
    }
    return 0;
}

int strcasecmp(const char *a, const char *b) { return strncasecmp(a, b, SIZE_MAX); }

char *strcpy(char *restrict dst, const char *restrict src) {
    memcpy(dst, src, strlen(src) + 1);
    return dst;
}

char *strncpy(char *restrict dst, const char *restrict src, size_t n) {
    size_t len = strnlen(src, n);
    memcpy(dst, src, len);
    memset(dst + len, 0, n - len);
    return dst;
}

char *strcat(char *restrict dst, const char *restrict src) {
    strcpy(dst + strlen(dst), src);
    return dst;
}

char *strncat(char *restrict dst, const char *restrict src, size_t n) {
    char *d = dst + strlen(dst);
    size_t len = strnlen(src, n);
    memcpy(d, src, len);
    d[len] = 0;
    return dst;
}

size_t strlcpy(char *restrict dst, const char *restrict src, size_t size) {
    size_t len = strlen(src);
    if (size > 0) {
        size_t fits = len < size ? len : size - 1;
        memcpy(dst, src, fits);
        dst[fits] = 0;
    }
    return len;
}

size_t strlcat(char *restrict dst, const char *restrict src, size_t size) {
    size_t used = strnlen(dst, size);
    return used + strlcpy(dst + used, src, size - used);
}

char *strchr(const char *s, int c) {
    for (;; s++) {
        if (*s == (char)c)
            return (char *)s;
        if (!*s)
            return NULL;
    }
}

char *strrchr(const char *s, int c) {
    const char *found = NULL;
    do
        if (*s == (char)c)
            found = s;
    while (*s++);
    return (char *)found;
}

char *strstr(const char *s, const char *part) {
    size_t n = strlen(part);
    if (n == 0)
        return (char *)s;
    for (; (s = strchr(s, *part)) != NULL; s++)
        if (strncmp(s, part, n) == 0)
            return (char *)s;
    return NULL;
}

size_t strspn(const char *s, const char *accept) {
    size_t n = 0;
    while (s[n] && strchr(accept, s[n]))
        n++;
    return n;
}

size_t strcspn(const char *s, const char *reject) {
    size_t n = 0;
    while (s[n] && !strchr(reject, s[n]))
        n++;
    return n;
}

char *strpbrk(const char *s, const char *accept) {
    s += strcspn(s, accept);
    return *s ? (char *)s : NULL;
}

char *strtok_r(char *restrict s, const char *restrict separators, char **restrict rest) {
    if (!s)
        s = *rest;
    s += strspn(s, separators);
    char *end = s + strcspn(s, separators);
    *rest = *end ? end + 1 : end;
    *end = 0;
    return end > s ? s : NULL;
}

char *strtok(char *restrict s, const char *restrict separators) {
    static char *rest;
    return strtok_r(s, separators, &rest);
}

char *strndup(const char *s, size_t n) {
    size_t len = strnlen(s, n);
    char *copy = malloc(len + 1);
    if (copy) {
        memcpy(copy, s, len);
        copy[len] = 0;
    }
    return copy;
}

char *strdup(const char *s) { return strndup(s, SIZE_MAX); }
