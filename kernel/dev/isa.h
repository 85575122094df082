/* What a hart can do, as its node of the device tree says. */
#pragma once
#include "dev/fdt.h"

/* Whether a hart has an extension: a name in lower case, of one letter or several ("d",
 * "zicntr"). A node that says nothing of extensions has all of G. */
bool isa_has(fdt_node cpu, const char *extension);
