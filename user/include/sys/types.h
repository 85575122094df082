/* The types of the system interface. */
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef long ssize_t;
typedef int64_t off_t;
typedef int pid_t;
typedef int dev_t;
typedef unsigned int ino_t;
typedef unsigned int mode_t;
typedef short nlink_t;
typedef long time_t;
typedef long clock_t;
