/* The function and the line at an address: binary search. */
#include "lib/ksyms.h"

const char *ksym_lookup(uint64_t addr, uint64_t *offset) {
    uint64_t low = 0, high = ksyms_count; /* below low: all <= addr; from high: all > addr */
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (ksyms_table[mid].addr <= addr)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0 || low == ksyms_count)
        return NULL;
    *offset = addr - ksyms_table[low - 1].addr;
    return ksyms_names + ksyms_table[low - 1].name;
}

const char *kline_lookup(uint64_t addr, unsigned *line) {
    uint64_t low = 0, high = klines_count;
    while (low < high) {
        uint64_t mid = low + (high - low) / 2;
        if (klines_table[mid].addr <= (uint32_t)addr)
            low = mid + 1;
        else
            high = mid;
    }
    if (low == 0)
        return NULL;
    *line = klines_table[low - 1].line;
    return klines_names + klines_files[klines_table[low - 1].file];
}
