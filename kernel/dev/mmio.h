/* Device registers. Each call is one access of exactly this width. Accesses to
 * the same device keep their order (I/O regions, unprivileged spec 2.7); order
 * against memory that the device reads or writes is the caller's fence_io.
 *
 * Host tests implement the calls: there, a register's address is only a number. */
#pragma once
#include "lib/types.h"

#ifdef __riscv
static inline uint8_t mmio_read8(const volatile void *reg) {
    return *(const volatile uint8_t *)reg;
}
static inline uint32_t mmio_read32(const volatile void *reg) {
    return *(const volatile uint32_t *)reg;
}
static inline void mmio_write8(volatile void *reg, uint8_t v) { *(volatile uint8_t *)reg = v; }
static inline void mmio_write32(volatile void *reg, uint32_t v) { *(volatile uint32_t *)reg = v; }
#else
uint8_t mmio_read8(const volatile void *reg);
uint32_t mmio_read32(const volatile void *reg);
void mmio_write8(volatile void *reg, uint8_t v);
void mmio_write32(volatile void *reg, uint32_t v);
#endif
