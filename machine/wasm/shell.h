/* The machine that a page has. */
#pragma once
#include "machine/sim.h"

#define EXPORT(name) __attribute__((export_name(#name))) name
#define IMPORT(name) __attribute__((import_module("page"), import_name(#name))) name

extern struct sim *live_sim;
/* How the last call that let it run has ended. */
extern struct sim_end live_end;
