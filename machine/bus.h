/* What is not RAM: the devices, at the addresses of QEMU's `virt` board. */
#pragma once
#include "machine/machine.h"

/* A naturally aligned access of the running hart. false: nothing is there. After a write the
 * hart's turn ends, since an interrupt may be pending. */
bool bus_read(struct sim *sim, struct hart *hart, uint64_t pa, unsigned size, uint64_t *value);
bool bus_write(struct sim *sim, struct hart *hart, uint64_t pa, unsigned size, uint64_t value);
