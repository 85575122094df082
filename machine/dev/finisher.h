/* SiFive's test finisher: a word that ends the machine. The machine looks at `asked` after a write
 * and does it. */
#pragma once
#include "machine/dev/env.h"

enum finisher_asked { FINISHER_NOTHING, FINISHER_PASS, FINISHER_FAIL, FINISHER_RESET };

struct finisher {
    enum finisher_asked asked;
    uint32_t code; /* of FINISHER_FAIL, below 65536; else 0 */
};

void finisher_reset(struct finisher *f);
uint64_t finisher_read(struct dev_env *env, struct finisher *f, uint64_t offset, unsigned size);

/* What is no command is ignored. With 16 bits the code of a failure is 0. */
void finisher_write(struct dev_env *env, struct finisher *f, uint64_t offset, unsigned size,
                    uint64_t value);
