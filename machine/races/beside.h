/* Whether an access stands beside a fence: compilers put the fence of an acquire right behind its
 * load, the fence of a release right before its store, and a full one between a store and a load
 * that are to be in this order. What was behind a fence is known when it is executed; this is about
 * the other side. */
#pragma once
#include "machine/machine.h"

/* Whether the load or store at pc stands right before a fence that belongs to it, as the code is
 * that the hart finds there: a load before an acquire, with no store between; a store as the last
 * instruction before a full fence. */
bool beside_next_fence(struct sim *sim, struct hart *hart, uint64_t pc, bool store);
