/* The harts' records. */
#include "arch/hart.h"

struct hart harts[NHART];
uint32_t hart_count;
