/* Ends of TCP and UDP. An address of IPv4 is one of IPv6 as that has it (mapped, ::ffff:0:0/96: RFC
 * 4291, section 2.5.5.2), so there is one sort of them. */
#pragma once
#include "lib/types.h"

#define INET_BYTES 16
#define INET_V4_AT 12 /* bytes in front of an address of IPv4 */

struct inet_end {
    uint8_t ip[INET_BYTES];
    uint16_t port; /* as a number */
};

bool inet_is_v4(const uint8_t ip[INET_BYTES]);
/* The one that stands for all of this machine, of IPv4 or of IPv6. */
bool inet_is_any(const uint8_t ip[INET_BYTES]);
/* One of this machine: 127.0.0.0/8, and ::1. */
bool inet_is_here(const uint8_t ip[INET_BYTES]);
