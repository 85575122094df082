/* The table of function names for the kernel's first link, from which the real one
 * is made. A file of its own, so that no compiler relies on these lengths. */
#include "lib/ksyms.h"

__attribute__((weak)) const uint64_t ksyms_count = 0;
__attribute__((weak)) const struct ksym ksyms_table[1] = {{0}};
__attribute__((weak)) const char ksyms_names[1] = "";
