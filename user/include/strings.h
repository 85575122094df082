/* The string functions that POSIX keeps here. */
#pragma once
#include <string.h>
