/* How many levels page tables have: see layout.h. The boot table has three. */
#include "arch/layout.h"

struct paging paging = PAGING(3);
