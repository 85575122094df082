/* Rounding, which is where overflow, underflow and inexactness come from. */
#include "machine/fpu/number.h"

/* Whether x, below the smallest normal number, stays there when it is rounded as if the exponent
 * had no limit: what counts as tiny (F 2.2; IEEE 754, 7.5). */
static bool is_tiny(const struct format *f, const struct number *x, unsigned rm) {
    uint64_t ones = (2ull << f->fraction) - 1;
    uint64_t rest = x->high << (f->fraction + 1) | (x->low != 0);
    return x->exponent < -f->bias || x->high >> (63 - f->fraction) != ones ||
           !rounds_away(rm, x->negative, true, rest);
}

uint64_t pack(const struct format *f, struct number x, unsigned rm, unsigned *flags) {
    uint64_t sign = x.negative ? f->sign : 0;
    if (x.high == 0)
        return sign;
    int biased = x.exponent + f->bias;
    bool tiny = false;
    if (biased <= 0) {
        tiny = is_tiny(f, &x, rm);
        x = shift_right(x, (unsigned)(1 - biased));
        biased = 1;
    }

    /* The hidden bit adds one to the exponent, and so does a carry out of the fraction. */
    uint64_t bits = ((uint64_t)(biased - 1) << f->fraction) + (x.high >> (63 - f->fraction));
    uint64_t rest = x.high << (f->fraction + 1) | (x.low != 0);
    bits += rounds_away(rm, x.negative, bits & 1, rest);
    if (bits >= f->infinity) {
        *flags |= FPU_OF | FPU_NX;
        bits = f->infinity - !rounds_away(rm, x.negative, true, UINT64_MAX);
    } else if (rest > 0) {
        *flags |= tiny ? FPU_UF | FPU_NX : FPU_NX;
    }
    return sign | bits;
}
