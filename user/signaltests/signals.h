/* What the tests of signals share. */
#pragma once
#include "../tests/test.h"
#include <signal.h>

#define BIT(signal) (1ULL << ((signal)-1))

/* The handler, with SA_SIGINFO. */
void on_signal(int signal, void (*handler)(int, siginfo_t *, void *), int flags);
void ignore_signal(int signal);
/* Waits for this child as waitpid does, and returns the status. */
int next_word(int pid, int options);
/* kill, for the running process. */
void send_self(int signal);
