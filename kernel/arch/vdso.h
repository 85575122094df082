/* The library in vdso.S, less than a page. */
#pragma once

extern const char vdso_start[], vdso_end[];
