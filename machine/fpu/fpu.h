/* Software floating point with the results and flags of RISC-V (unprivileged specification,
 * chapters F and D), by integer arithmetic only, so that every host gives the same bits.
 *
 * Values are the bits of binary32 and binary64. A NaN result is the canonical one (F 2.3), and
 * tininess is detected after rounding (F 2.2). What an operation raises is or-ed into *flags; rm
 * is one of the five modes: the caller has resolved DYN and refused what is reserved. NaN-boxing
 * is the caller's too. No operation fails. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* Accrued exceptions, in the places of fflags (F 2.2). */
enum { FPU_NX = 1, FPU_UF = 2, FPU_OF = 4, FPU_DZ = 8, FPU_NV = 16 };

/* Rounding modes, with the numbers of frm (F 2.2). */
enum { FPU_RNE, FPU_RTZ, FPU_RDN, FPU_RUP, FPU_RMM };

/* What f32_class and f64_class tell: one of these (F 2.9). */
enum {
    FPU_NEGATIVE_INFINITY = 1,
    FPU_NEGATIVE_NORMAL = 2,
    FPU_NEGATIVE_SUBNORMAL = 4,
    FPU_NEGATIVE_ZERO = 8,
    FPU_POSITIVE_ZERO = 16,
    FPU_POSITIVE_SUBNORMAL = 32,
    FPU_POSITIVE_NORMAL = 64,
    FPU_POSITIVE_INFINITY = 128,
    FPU_SIGNALING_NAN = 256,
    FPU_QUIET_NAN = 512,
};

/* fma is a * b + c with one rounding; infinity * 0 + NaN is invalid (F 2.6). */
uint32_t f32_add(uint32_t a, uint32_t b, unsigned rm, unsigned *flags);
uint32_t f32_sub(uint32_t a, uint32_t b, unsigned rm, unsigned *flags);
uint32_t f32_mul(uint32_t a, uint32_t b, unsigned rm, unsigned *flags);
uint32_t f32_div(uint32_t a, uint32_t b, unsigned rm, unsigned *flags);
uint32_t f32_sqrt(uint32_t a, unsigned rm, unsigned *flags);
uint32_t f32_fma(uint32_t a, uint32_t b, uint32_t c, unsigned rm, unsigned *flags);
uint64_t f64_add(uint64_t a, uint64_t b, unsigned rm, unsigned *flags);
uint64_t f64_sub(uint64_t a, uint64_t b, unsigned rm, unsigned *flags);
uint64_t f64_mul(uint64_t a, uint64_t b, unsigned rm, unsigned *flags);
uint64_t f64_div(uint64_t a, uint64_t b, unsigned rm, unsigned *flags);
uint64_t f64_sqrt(uint64_t a, unsigned rm, unsigned *flags);
uint64_t f64_fma(uint64_t a, uint64_t b, uint64_t c, unsigned rm, unsigned *flags);

/* The smaller and the larger number: -0 is below +0, and a number wins against a NaN (F 2.6). */
uint32_t f32_min(uint32_t a, uint32_t b, unsigned *flags);
uint32_t f32_max(uint32_t a, uint32_t b, unsigned *flags);
uint64_t f64_min(uint64_t a, uint64_t b, unsigned *flags);
uint64_t f64_max(uint64_t a, uint64_t b, unsigned *flags);

/* False for a NaN, which is invalid: any NaN for lt and le, a signaling one for eq (F 2.8). */
bool f32_eq(uint32_t a, uint32_t b, unsigned *flags);
bool f32_lt(uint32_t a, uint32_t b, unsigned *flags);
bool f32_le(uint32_t a, uint32_t b, unsigned *flags);
bool f64_eq(uint64_t a, uint64_t b, unsigned *flags);
bool f64_lt(uint64_t a, uint64_t b, unsigned *flags);
bool f64_le(uint64_t a, uint64_t b, unsigned *flags);

unsigned f32_class(uint32_t a);
unsigned f64_class(uint64_t a);

/* What lies outside the integer's range after rounding becomes the end of the range that is next
 * to it, and a NaN the largest integer; that is invalid, and not inexact (F 2.7). */
int32_t f32_to_i32(uint32_t a, unsigned rm, unsigned *flags);
uint32_t f32_to_u32(uint32_t a, unsigned rm, unsigned *flags);
int64_t f32_to_i64(uint32_t a, unsigned rm, unsigned *flags);
uint64_t f32_to_u64(uint32_t a, unsigned rm, unsigned *flags);
int32_t f64_to_i32(uint64_t a, unsigned rm, unsigned *flags);
uint32_t f64_to_u32(uint64_t a, unsigned rm, unsigned *flags);
int64_t f64_to_i64(uint64_t a, unsigned rm, unsigned *flags);
uint64_t f64_to_u64(uint64_t a, unsigned rm, unsigned *flags);

uint32_t f32_from_i32(int32_t n, unsigned rm, unsigned *flags);
uint32_t f32_from_u32(uint32_t n, unsigned rm, unsigned *flags);
uint32_t f32_from_i64(int64_t n, unsigned rm, unsigned *flags);
uint32_t f32_from_u64(uint64_t n, unsigned rm, unsigned *flags);
uint64_t f64_from_i32(int32_t n, unsigned rm, unsigned *flags);
uint64_t f64_from_u32(uint32_t n, unsigned rm, unsigned *flags);
uint64_t f64_from_i64(int64_t n, unsigned rm, unsigned *flags);
uint64_t f64_from_u64(uint64_t n, unsigned rm, unsigned *flags);

uint64_t f32_to_f64(uint32_t a, unsigned rm, unsigned *flags);
uint32_t f64_to_f32(uint64_t a, unsigned rm, unsigned *flags);
