/* What the files of tests about address spaces share: aspacetest.c has their main. */
#pragma once
#include "levels.h"
#include "world.h"
#include <string.h>

#define MEMORY 48 /* MiB */
#define P PAGE_SIZE
#define RW (PTE_R | PTE_W)

void test_strings(void **state);
void test_bytes_at_borders(void **state);
void test_pieces(void **state);
void test_lazy_and_promised(void **state);
void test_all_lazy(void **state);
void test_the_checker_finds(void **state);
void test_the_checker_compares_the_roots(void **state);
