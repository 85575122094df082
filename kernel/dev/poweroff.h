/* See dev.h: machine_poweroff. */
#pragma once

/* Finds the device that ends the machine with a status. At boot. */
void poweroff_init(void);
