/* What a hart has fetched: code pages, and what is done when memory changes under them. */
#pragma once
#include "machine/machine.h"
#include <stddef.h>

static inline struct code_page *code_page_of(const struct op *ops) {
    return (struct code_page *)(uintptr_t)((const char *)ops - offsetof(struct code_page, ops));
}

/* The code page of the RAM page at pa, fetched now when the hart has not kept it. */
struct code_page *code_fetch(struct sim *sim, struct hart *hart, uint64_t pa);
/* That page if the hart has it, or NULL. */
struct code_page *code_find(struct hart *hart, uint64_t pa);
/* Decodes the op in a slot from what was fetched. */
void code_decode(struct code_page *page, unsigned slot);
/* The op of the last slot gets the second half that stands in the next page, wherever that is
 * mapped now. false: a trap is to be taken. */
bool code_cross(struct sim *sim, struct hart *hart, struct code_page *page);
/* An instruction is about to be executed that memory has other bytes for. */
void code_stale(struct sim *sim, struct hart *hart, struct code_page *page, unsigned slot);
/* The 16 or 32 bits of the instruction in a slot, for mtval. */
uint32_t code_word(const struct code_page *page, unsigned slot);

/* The ops of the page where there are hooks now are OP_HOOK, and no others. */
void code_set_hooks(const struct sim *sim, struct code_page *page);
/* The op at pa is OP_HOOK from now on, in every hart. */
void code_hook(struct sim *sim, uint64_t pa);

/* fence.i: what was fetched is as memory is. */
void code_fence(struct sim *sim, struct hart *hart);
/* Bytes of RAM from which somebody has fetched are others now. */
void code_written(struct sim *sim, uint64_t pa, uint64_t bytes);
/* Gives back all code pages of the hart. */
void code_drop(struct hart *hart);
