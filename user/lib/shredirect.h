/* The shell's redirections. Each call says itself what is wrong. */
#pragma once
#include <stdbool.h>
#include <trellis.h>
#include "shexpand.h"
#include "shparse.h"

#define SAVED_FIRST 10 /* copies of redirected descriptors are kept from here on */
#define SAVED_MAX 10   /* descriptors that can be redirected: a digit names one */

struct saved {
    int fd;
    int copy; /* no program inherits it; -1: fd was not open */
};

/* Makes all redirections, in order, up to the first that fails. */
bool redirect_all(const struct redirect *r, const struct shell_args *shell);

/* Keeps a copy of each descriptor that r changes, *n of them; false: there can be no more. */
bool save_all(const struct redirect *r, struct saved saved[], int *n);
void restore_all(const struct saved *saved, int n);
