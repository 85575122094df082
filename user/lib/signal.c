/* Signals and timers, made of the system calls. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <trellis.h>
#include <unistd.h>

int raise(int signal) { return thread_signal(thread_self(), signal); }

void (*signal(int signal, void (*handler)(int)))(int) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, old;
    return sigaction(signal, &action, &old) < 0 ? SIG_ERR : old.sa_handler;
}

int sigemptyset(sigset_t *set) {
    *set = 0;
    return 0;
}

int sigfillset(sigset_t *set) {
    *set = ~(sigset_t)0;
    return 0;
}

static sigset_t bit(int signal) {
    if (signal > 0 && signal < NSIG)
        return (sigset_t)1 << (signal - 1);
    errno = EINVAL;
    return 0;
}

int sigaddset(sigset_t *set, int signal) {
    *set |= bit(signal);
    return bit(signal) ? 0 : -1;
}

int sigdelset(sigset_t *set, int signal) {
    *set &= ~bit(signal);
    return bit(signal) ? 0 : -1;
}

int sigismember(const sigset_t *set, int signal) {
    return bit(signal) ? (*set & bit(signal)) != 0 : -1;
}

int pthread_sigmask(int how, const sigset_t *set, sigset_t *old) {
    int before = errno, error = sigprocmask(how, set, old) < 0 ? errno : 0;
    errno = before;
    return error;
}

int pause(void) {
    sigset_t mask;
    return sigprocmask(SIG_BLOCK, NULL, &mask) < 0 ? -1 : sigsuspend(&mask);
}

int getitimer(int which, struct itimerval *value) { return setitimer(which, NULL, value); }

unsigned alarm(unsigned seconds) {
    struct itimerval value = {.it_value.tv_sec = seconds}, old;
    if (setitimer(ITIMER_REAL, &value, &old) < 0)
        return 0;
    return (unsigned)old.it_value.tv_sec + (old.it_value.tv_usec > 0);
}

const char *strsignal(int signal) {
    static char other[sizeof "signal " + 3 * sizeof(int)];
#define SIGNAL(number, name, action, text) \
    case number: return text;
    switch (signal) {
#include "lib/signals.def"
    }
    snprintf(other, sizeof other, "signal %d", signal);
    return other;
}

void psignal(int signal, const char *s) {
    fprintf(stderr, "%s%s%s\n", s && *s ? s : "", s && *s ? ": " : "", strsignal(signal));
}
