/* Entries of page tables: privileged specification 4.3.1, 4.4.1. */
#pragma once

#define PTE_V 0x01ull
#define PTE_R 0x02ull
#define PTE_W 0x04ull
#define PTE_X 0x08ull
#define PTE_U 0x10ull
#define PTE_G 0x20ull
#define PTE_A 0x40ull
#define PTE_D 0x80ull
#define PTE_LEAF (PTE_R | PTE_W | PTE_X)
#define PTE_RESERVED (0x3ffull << 54) /* without Svnapot and Svpbmt */
