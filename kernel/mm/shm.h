/* Memory that processes share: zeros until somebody writes them, then the same for all that map
 * it. It lives as long as a mapping or another reference, fork's children included. */
#pragma once
#include "mm/object.h"

/* An object of so many pages, with one reference. All that it may come to need is promised.
 * -K_ENOMEM: nothing was taken. */
int shm_create(uint64_t pages, struct object **out) must_check;

/* Frames that records of such objects are in. */
uint64_t shm_frames(void);
