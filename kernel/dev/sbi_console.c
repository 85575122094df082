/* The firmware's console, where there is no UART that we know: no interrupts, and each
 * character is a call. */
#include "arch/sbi.h"
#include "dev/uart_driver.h"

static int start(fdt_node node) { return 0; }
static uint32_t room(void) { return 1; }
static void send(char c) { sbi_console_write(&c, 1); }
static bool receive(char *c) { return sbi_console_read(c); }
static bool idle(void) { return true; }

const struct uart_driver sbi_console = {NULL, start, room, send, receive, idle, NULL};
