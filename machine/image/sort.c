/* Heapsort: see sort.h. */
#include "machine/image/sort.h"

typedef bool less_fn(const void *a, const void *b);

static void swap(char *a, char *b, size_t size) {
    for (size_t i = 0; i < size; i++) {
        char c = a[i];
        a[i] = b[i];
        b[i] = c;
    }
}

/* Each element but `at` is no less than those below it, at 2i + 1 and 2i + 2; now `at` too. */
static void sift(char *base, size_t at, size_t count, size_t size, less_fn *less) {
    for (size_t child = 2 * at + 1; child < count; at = child, child = 2 * at + 1) {
        if (child + 1 < count && less(base + child * size, base + (child + 1) * size))
            child++;
        if (!less(base + at * size, base + child * size))
            return;
        swap(base + at * size, base + child * size, size);
    }
}

void sort(void *base, size_t count, size_t size, less_fn *less) {
    for (size_t i = count / 2; i-- > 0;)
        sift(base, i, count, size, less);
    for (size_t end = count; end-- > 1;) {
        swap(base, (char *)base + end * size, size);
        sift(base, 0, end, size, less);
    }
}
