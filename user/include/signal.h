/* Signals (docs/signals.md). Each call returns -1 on error and sets errno:
 *
 * sigsend: EINVAL, ESRCH, EPERM
 * sigaction: EINVAL, EFAULT, ENOMEM
 * sigprocmask: EINVAL, EFAULT, ENOMEM
 * sigpending: EFAULT
 * sigsuspend: EFAULT, ENOMEM, EINTR
 * sigaltstack: EINVAL, EFAULT, ENOMEM, EPERM
 * kill and signal have those of the calls that they are made of; raise and sigaddset and its kin
 * EINVAL.
 * pthread_sigmask returns the number instead. */
#pragma once
#include <sys/types.h>
#include "lib/abi.h"

#define SIGNAL(number, name, action, text) name = (number),
enum signal_number {
#include "lib/signals.def"
};
#define NSIG (ABI_SIGNALS + 1)

typedef uint64_t sigset_t;
typedef int sig_atomic_t;

typedef struct {
    int si_signo, si_errno, si_code, si_pad;
    union {
        void *si_addr;
        struct {
            int si_pid;
            unsigned si_uid;
            int si_status;
        };
        long si_room[14];
    };
} siginfo_t;
_Static_assert(sizeof(siginfo_t) == sizeof(struct abi_siginfo), "as the kernel has it");

typedef struct abi_ucontext ucontext_t;

struct sigaction {
    union {
        void (*sa_handler)(int);
        void (*sa_sigaction)(int, siginfo_t *, void *); /* ucontext_t *: what it goes back to */
    };
    int sa_flags, sa_pad;
    sigset_t sa_mask;
};
_Static_assert(sizeof(struct sigaction) == sizeof(struct abi_sigaction), "as the kernel has it");

struct sigaltstack {
    void *ss_sp;
    int ss_flags;
    size_t ss_size;
};
typedef struct sigaltstack stack_t;
_Static_assert(sizeof(stack_t) == sizeof(struct abi_sigstack), "as the kernel has it");

#define SIG_DFL ((void (*)(int))ABI_SIG_DFL)
#define SIG_IGN ((void (*)(int))ABI_SIG_IGN)
#define SIG_ERR ((void (*)(int)) - 1)

#define SIG_BLOCK ABI_SIG_BLOCK
#define SIG_UNBLOCK ABI_SIG_UNBLOCK
#define SIG_SETMASK ABI_SIG_SETMASK
#define SA_NOCLDSTOP ABI_SA_NOCLDSTOP
#define SA_NOCLDWAIT ABI_SA_NOCLDWAIT
#define SA_SIGINFO ABI_SA_SIGINFO
#define SA_ONSTACK ABI_SA_ONSTACK
#define SA_RESTART ABI_SA_RESTART
#define SA_NODEFER ABI_SA_NODEFER
#define SA_RESETHAND ((int)ABI_SA_RESETHAND)
#define SS_ONSTACK ABI_SS_ONSTACK
#define SS_DISABLE ABI_SS_DISABLE
#define MINSIGSTKSZ ABI_SIGSTACK_MIN
#define SIGSTKSZ 8192

#define SI_USER ABI_SI_USER
#define SI_TKILL ABI_SI_TKILL
#define SI_KERNEL ABI_SI_KERNEL
#define ILL_ILLOPC ABI_ILL_ILLOPC
#define TRAP_BRKPT ABI_TRAP_BRKPT
#define SEGV_MAPERR ABI_SEGV_MAPERR
#define SEGV_ACCERR ABI_SEGV_ACCERR
#define BUS_ADRALN ABI_BUS_ADRALN
#define BUS_ADRERR ABI_BUS_ADRERR
#define BUS_OBJERR ABI_BUS_OBJERR
#define CLD_EXITED ABI_CLD_EXITED
#define CLD_KILLED ABI_CLD_KILLED
#define CLD_STOPPED ABI_CLD_STOPPED
#define CLD_CONTINUED ABI_CLD_CONTINUED

/* pid: a process; 0: the caller's group; -GROUP: that one. signal 0: nobody is sent anything. */
int kill(pid_t pid, int signal);
int sigsend(pid_t pid, int signal); /* the system call behind it */
int raise(int signal);              /* to the calling thread */

int sigaction(int signal, const struct sigaction *action, struct sigaction *old);
/* With SA_RESTART; the handler that there was, or SIG_ERR. */
void (*signal(int signal, void (*handler)(int)))(int);

int sigemptyset(sigset_t *set);
int sigfillset(sigset_t *set);
int sigaddset(sigset_t *set, int signal);
int sigdelset(sigset_t *set, int signal);
int sigismember(const sigset_t *set, int signal);

int sigprocmask(int how, const sigset_t *set, sigset_t *old);
int pthread_sigmask(int how, const sigset_t *set, sigset_t *old);
int sigpending(sigset_t *set);
int sigsuspend(const sigset_t *mask);
int sigaltstack(const stack_t *stack, stack_t *old);

const char *strsignal(int signal); /* a few words */
void psignal(int signal, const char *s);
