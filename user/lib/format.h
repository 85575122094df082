/* Formatted text: the engine behind the printf family. */
#pragma once
#include <stdarg.h>
#include <stddef.h>

/* Takes the next n bytes of output. */
typedef void (*format_sink)(void *ctx, const char *text, size_t n);

/* Formats into the sink as stdio.h says; returns the number of bytes given to
 * it. Not reentrant: a sink must not format. */
int format(format_sink sink, void *ctx, const char *fmt, va_list ap);
