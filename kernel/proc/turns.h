/* How threads wait for a change of their space's mappings (mm/turn.h). */
#pragma once

void turns_init(void); /* at boot, once */
