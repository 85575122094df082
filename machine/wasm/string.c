/* The functions of <string.h> that the machine uses. The target copies and fills memory with
 * single instructions, which the compiler makes of its builtins here. */
#include <stdint.h>
#include <string.h>

void *(memcpy)(void *restrict to, const void *restrict from, size_t bytes) {
    return __builtin_memcpy(to, from, bytes);
}

void *(memmove)(void *to, const void *from, size_t bytes) {
    return __builtin_memmove(to, from, bytes);
}

void *(memset)(void *to, int value, size_t bytes) { return __builtin_memset(to, value, bytes); }

int(memcmp)(const void *a, const void *b, size_t bytes) {
    const unsigned char *x = a, *y = b;
    size_t i = 0;
    for (uint64_t v, w; i + 8 <= bytes; i += 8) { /* whole pages are compared */
        memcpy(&v, x + i, 8);
        memcpy(&w, y + i, 8);
        if (v != w)
            break;
    }
    for (; i < bytes; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

void *memchr(const void *where, int what, size_t bytes) {
    const unsigned char *at = where;
    for (size_t i = 0; i < bytes; i++)
        if (at[i] == (unsigned char)what)
            return (void *)(at + i);
    return NULL;
}

size_t strlen(const char *s) {
    size_t length = 0;
    while (s[length])
        length++;
    return length;
}

char *strcpy(char *restrict to, const char *restrict from) {
    return memcpy(to, from, strlen(from) + 1);
}

int strncmp(const char *a, const char *b, size_t most) {
    for (; most > 0 && *a == *b; most--, a++, b++)
        if (*a == 0)
            return 0;
    return most > 0 ? (unsigned char)*a - (unsigned char)*b : 0;
}

int strcmp(const char *a, const char *b) { return strncmp(a, b, SIZE_MAX); }

char *strchr(const char *s, int c) { return memchr(s, c, strlen(s) + 1); }

char *strrchr(const char *s, int c) {
    const char *found = NULL;
    do {
        if (*s == (char)c)
            found = s;
    } while (*s++);
    return (char *)found;
}
