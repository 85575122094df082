/* The machine that a page has. */
#pragma once
#include "machine/doctor/doctor.h"

/* What a page calls, and what the page has that is called. Compiled for a host (tools/stories.py
 * loads it there) the latter are pointers. */
#ifdef __wasm__
#define EXPORT(name) __attribute__((export_name(#name))) name
#define IMPORT(name) __attribute__((import_module("page"), import_name(#name))) name
#else
#define EXPORT(name) name
#define IMPORT(name) (*name)
#endif

extern struct sim *live_sim;
extern struct doctor *live_doctor;
/* How the last call that let it run has ended. */
extern struct sim_end live_end;
/* What the machine tells now is not of its run: it goes on for a while, and then back. */
extern bool live_aside;
