/* The list of designs, which the linker makes. */
#include "mm/design.h"
#include "lib/string.h"

extern const struct design __start_designs[], __stop_designs[];

const struct design *design_default;

const struct design *design_at(unsigned i) {
    return i < __stop_designs - __start_designs ? &__start_designs[i] : NULL;
}

const struct design *design_named(const char *name) {
    for (const struct design *d = __start_designs; d < __stop_designs; d++)
        if (!strcmp(d->name, name))
            return d;
    return NULL;
}
