/* Scheduling (POSIX), as far as there is a choice. */
#pragma once

int sched_yield(void); /* lets others run; 0 */
