/* The file systems that programs may mount. */
#pragma once

/* At boot, before anything is mounted. */
void mountable_init(void);
