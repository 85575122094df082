/* The tables of function names and lines for the kernel's first link, from which the real
 * ones are made. A file of its own, so that no compiler relies on these lengths. */
#include "lib/ksyms.h"

__attribute__((weak)) const uint64_t ksyms_count = 0;
__attribute__((weak)) const struct ksym ksyms_table[1] = {{0}};
__attribute__((weak)) const char ksyms_names[1] = "";
__attribute__((weak)) const uint64_t klines_count = 0;
__attribute__((weak)) const struct kline klines_table[1] = {{0}};
__attribute__((weak)) const uint32_t klines_files[1] = {0};
__attribute__((weak)) const char klines_names[1] = "";
