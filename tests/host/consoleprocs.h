/* What processes and time are to the console, in the tests that include its source. */
#pragma once
#include "proc/clock.h"
#include "proc/session.h"

static struct proc reader; /* who reads: a shell or not */
static unsigned interrupts, interrupts_of_all;
static void (*on_interrupt)(void); /* runs while ^C ends processes */
void proc_interrupt(struct control *c, int32_t signal) {
    assert_ptr_equal(c, &console.control);
    assert_false(spin_held(&console.lock)); /* it looks for whom to end under other locks */
    interrupts++;
    interrupts_of_all += signal == ABI_SIGQUIT;
    if (on_interrupt)
        on_interrupt();
}

static int background;            /* what proc_from_background says */
static int32_t background_signal; /* what it was asked last */
int proc_from_background(struct control *c, int32_t signal) {
    assert_ptr_equal(c, &console.control);
    assert_false(spin_held(&console.lock));
    background_signal = signal;
    return background;
}

static unsigned window_changes;
void proc_signal_foreground(struct control *c, int32_t signal) {
    assert_ptr_equal(c, &console.control);
    assert_false(spin_held(&console.lock));
    assert_int_equal(signal, ABI_SIGWINCH);
    window_changes++;
}

void control_init(struct control *c, bool firsts, uint32_t device) { assert_true(firsts); }
struct control *proc_terminal(void (*hold)(struct control *c)) {
    return &console.control;
}
void proc_hang_up(struct control *c) { fail(); }

/* An alarm rings when the test says so. */
static bool alarm_set, alarm_rang;
static uint64_t alarm_span;
static unsigned alarms;
uint64_t clock_after(uint64_t nanoseconds) { return nanoseconds; }
void clock_set_alarm(uint64_t when) {
    assert_false(alarm_set);
    alarm_set = true;
    alarm_rang = false;
    alarm_span = when;
    alarms++;
}
bool clock_end_alarm(void) {
    assert_true(alarm_set);
    alarm_set = false;
    return alarm_rang;
}
bool clock_alarm_rang(void) { return alarm_rang; }

static void console_power_on(void) {
    console_begin();
    interrupts = interrupts_of_all = 0;
    on_interrupt = NULL;
    background = background_signal = 0;
    window_changes = alarms = 0;
    assert_false(alarm_set);
    alarm_rang = false;
    reader = (struct proc){.depth = 2};
}
