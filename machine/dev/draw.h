/* Random numbers that follow from a seed: SplitMix64 (Steele, Lea, Flood: Fast Splittable
 * Pseudorandom Number Generators, 2014). Any seed will do, and near ones give unlike numbers. */
#pragma once
#include <stdint.h>

static inline uint64_t draw(uint64_t *seed) {
    uint64_t v = *seed += 0x9e3779b97f4a7c15;
    v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
    v = (v ^ v >> 27) * 0x94d049bb133111eb;
    return v ^ v >> 31;
}

/* From 0 to end - 1; end is not 0. */
static inline uint64_t draw_below(uint64_t *seed, uint64_t end) { return draw(seed) % end; }
