/* Heapsort: in place, and as fast for bad input as for good. It is not stable, so an order that
 * matters for equal elements has to be part of the comparison. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

void sort(void *base, size_t count, size_t size, bool (*less)(const void *a, const void *b));
