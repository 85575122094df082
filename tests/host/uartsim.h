/* A simulated NS16550A for host tests: a transmitter that takes its time, interrupts as
 * the data sheet has them (and one that gets lost), and a keyboard. Time passes in
 * sim_step, and for those who poll the line status. */
#pragma once
#include "devstub.h"

#define SIM 0x10000000UL /* its registers' address */
#define SIM_BYTES 0x100
#define SIM_IRQ 10
#define SIM_FIFO 16        /* characters that its transmitter holds */
#define SIM_IER_RECEIVED 1 /* of ier */

extern struct uartsim {
    uint32_t shift, width; /* of its registers */
    bool instant;          /* sends at once, as QEMU's does; else on sim_send_one */
    bool lose_next;        /* the next transmit interrupt does not come */
    uint8_t ier, fcr, lcr;
    bool thr_pending; /* the transmit interrupt's condition */
    bool just_taken;  /* a key; the next is on the line still */
    uint32_t fifo_used;
    char fifo[SIM_FIFO];
    uint32_t polled; /* looks at LSR while it was busy: every fourth sends a character */
    char sent[1 << 17];
    size_t sent_size;
    const char *keys; /* what is still to be typed */
    size_t keys_size;
} sim;

/* A new one on the stub's bus, which stub_reset has emptied. */
void sim_reset(uint32_t shift, uint32_t width, bool instant);

/* One character leaves; no interrupt is taken. */
void sim_send_one(void);
/* Whether its interrupt is pending, and the handler as long as it is. */
bool sim_irq(void);
void sim_raise(void);
/* Time passes: a few characters leave, and interrupts are taken. */
void sim_step(void);

/* The keys are there at once, and stay the caller's until they are read. */
void sim_type(const char *keys, size_t n);
