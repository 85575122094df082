/* The one interface that there is, to the machine itself, as Linux tells of its own. */
#pragma once

#define LOOPBACK_NAME "lo"
#define LOOPBACK_INDEX 1
#define LOOPBACK_FLAGS 0x49u       /* up, loopback, running */
#define LOOPBACK_LOWER_UP 0x10000u /* where there is room for it */
#define LOOPBACK_HARDWARE 772u
#define LOOPBACK_MTU 65536u
#define LOOPBACK_QUEUE 1000u
