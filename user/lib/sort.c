/* qsort as heapsort: n log n in the worst case, no recursion, since a stack
 * may be one page. Elements are swapped in words where size and address allow. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct array {
    char *base;
    size_t size;
    int (*compare)(const void *, const void *);
};

static void swap(const struct array *a, size_t i, size_t j) {
    char *p = a->base + i * a->size, *q = a->base + j * a->size;
    size_t n = 0;
    if (((uintptr_t)a->base | a->size) % sizeof(uint64_t) == 0) {
        for (; n < a->size; n += sizeof(uint64_t)) {
            uint64_t __attribute__((may_alias)) *x = (void *)(p + n), *y = (void *)(q + n), t = *x;
            *x = *y;
            *y = t;
        }
        return;
    }
    for (; n < a->size; n++) {
        char t = p[n];
        p[n] = q[n];
        q[n] = t;
    }
}

/* Lets element i sink until no child of it is greater; the heap has n elements. */
static void sift(const struct array *a, size_t i, size_t n) {
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= n)
            return;
        if (child + 1 < n &&
            a->compare(a->base + child * a->size, a->base + (child + 1) * a->size) < 0)
            child++;
        if (a->compare(a->base + i * a->size, a->base + child * a->size) >= 0)
            return;
        swap(a, i, child);
        i = child;
    }
}

void qsort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *)) {
    struct array a = {base, size, compare};
    for (size_t i = count / 2; i-- > 0;)
        sift(&a, i, count);
    for (size_t n = count; n > 1; n--) {
        swap(&a, 0, n - 1);
        sift(&a, 0, n - 1);
    }
}

void *bsearch(const void *key, const void *base, size_t count, size_t size,
              int (*compare)(const void *, const void *)) {
    const char *low = base;
    while (count > 0) {
        const char *middle = low + count / 2 * size;
        int order = compare(key, middle);
        if (order == 0)
            return (void *)middle;
        if (order > 0) {
            low = middle + size;
            count -= count / 2 + 1;
        } else {
            count /= 2;
        }
    }
    return NULL;
}
