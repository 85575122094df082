/* How programs that test instruction sets talk to whoever runs them: 64 bits that are stored at
 * their symbol `tohost` (the suites' host-target interface, HTIF). Bits 63:56 are a device, 55:48
 * a command, the rest is for it:
 *
 *     device 0, bit 0 set     the end, with the status payload >> 1
 *     device 0, bit 0 clear   a call: payload is the address of four words, number and arguments;
 *                             number 64 writes {file, address, bytes} to the console, others fail
 *     device 1, command 1     prints the byte of payload
 *
 * A kernel without that symbol has none of it, nor has one of S-mode. It is looked at between
 * turns: programs wait there. */
#pragma once
#include "machine/machine.h"

void htif_init(struct sim *sim);
void htif_look(struct sim *sim);
