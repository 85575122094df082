/* Formatted text: one engine, with a sink per use.
 * Conversions: %d %i %u %x %X %o %c %s %p %%, flags - 0 + # and blank, width,
 * precision (a number or *), lengths hh h l ll z j t. No floating point. */
#pragma once
#include "lib/types.h"
#include <stdarg.h>

/* Takes the next n bytes of output. */
typedef void (*printf_sink)(void *ctx, const char *text, size_t n);

/* As ISO C: at most size bytes with the terminator; returns the full length. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) printf_like(3, 4);

/* To the console. Safe from any context, interrupt handlers and panics
 * included; a line printed by one call is not mixed with another hart's. */
int kprintf(const char *fmt, ...) printf_like(1, 2);

/* The owner of the console puts its output routine here (at boot arch, with the SBI
 * console; later dev/console). Called under kprintf's lock. */
void kprintf_set_sink(printf_sink sink, void *ctx);

/* For a panic: kprintf stops taking its lock, whose owner may be stopped. The
 * sink asks whether that has happened and does the same with its own. */
void kprintf_break_lock(void);
bool kprintf_lock_broken(void);
