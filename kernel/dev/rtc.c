/* Goldfish's real-time clock (the goldfish virtual platform, "Goldfish RTC"): nanoseconds since the
 * beginning of 1970, in two registers. Reading the low half keeps the high one for the next read.
 */
#include "dev/rtc.h"
#include "dev/fdt.h"
#include "dev/mmio.h"
#include "mm/kmap.h"
#include "proc/clock.h"

#define RTC_TIME_LOW 0x00
#define RTC_TIME_HIGH 0x04
#define RTC_BYTES 0x08 /* of the registers that are read */

void rtc_init(void) {
    fdt_node node = fdt_next_compatible(FDT_NONE, "google,goldfish-rtc");
    struct fdt_reg reg;
    if (node == FDT_NONE || fdt_reg(node, 0, &reg) || reg.size < RTC_BYTES)
        return;
    char *base = kmap_device(reg.start, reg.size);
    if (!base)
        return;
    uint64_t low = mmio_read32(base + RTC_TIME_LOW);
    uint64_t high = mmio_read32(base + RTC_TIME_HIGH);
    clock_set_date(high << 32 | low);
}
