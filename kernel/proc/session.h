/* Sessions: processes that have one terminal in common, whose groups come to its foreground in
 * turn. setsid begins one, which fork hands on; the process that has begun it leads it. The first
 * process leads the first session, whose terminal the console is, unless another session has taken
 * it. A session has one controlling terminal at most, and a terminal one session. */
#pragma once
#include "proc/proc.h"

struct signal_info;

/* What a terminal has of its session. Guarded by the family lock; foreground is read without it,
 * for a first look. */
struct control {
    struct list link;    /* among all terminals that can have a session */
    int32_t session;     /* whose it is; 0: nobody's, but the first session's if `firsts` */
    int32_t foreground;  /* the group whom ^C is for; 0: nobody has said */
    bool interrupted;    /* ^C has ended something since foreground was set */
    bool firsts;         /* constant */
    uint32_t device;     /* constant: its number, as programs are told of it */
    struct control *own; /* itself; NULL: it has been hung up */
};

#define CONTROLS_MAX 129 /* terminals that can have a session, all that there may be */

/* A terminal begins, which nobody has yet. firsts: it is the console. */
void control_init(struct control *c, bool firsts, uint32_t device);

/* The caller leads a session of its own, without a terminal, in a group of its own. -K_EPERM: there
 * is a group with its number already, as when it leads one: nothing changed. */
int proc_new_session(void) must_check;
/* The session of a process; pid 0: the running one. -K_ESRCH: there is none. */
int proc_get_session(int32_t pid, int32_t *session) must_check;

/* The caller's controlling terminal, for which hold is called before anybody can hang it up. NULL:
 * it has none. */
struct control *proc_terminal(void (*hold)(struct control *c));
/* The number of the terminal of a process, and which group is in its foreground; 0 and -1: it has
 * none. */
void proc_terminal_of(int32_t pid, uint32_t *device, int32_t *foreground);

/* c becomes the terminal of the session that the caller leads, and its group the foreground. It may
 * have been already. steal: from whatever session has it. -K_EPERM: the caller leads none, or its
 * session has another terminal, or another session has this one; -K_EIO: it was hung up. Of the
 * console, in the first session: who leads a group makes that the foreground. */
int proc_take_terminal(struct control *c, bool steal) must_check;
/* The same for who has opened it, if nothing speaks against it: it is not the console, and nobody
 * has it. */
void proc_offer_terminal(struct control *c);
/* The caller has no terminal any more; nor has its session, if it leads it: then SIGHUP and SIGCONT
 * go to the foreground. -K_ENOTTY: c is not its own. */
int proc_leave_terminal(struct control *c) must_check;
/* Nobody will be at the terminal again: SIGHUP and SIGCONT for who leads its session and for the
 * foreground, and the session has none. */
void proc_hang_up(struct control *c);

/* The session that c is the terminal of. -K_ENOTTY: it is not the caller's, and `any` is false. */
int proc_session_of(struct control *c, bool any, int32_t *session) must_check;
/* The foreground; of the console, when nobody has named one, the caller's own group, else 0.
 * -K_ENOTTY: as above. */
int proc_get_foreground(struct control *c, bool any, int32_t *group) must_check;
/* Makes a group the foreground of c; NULL: of the caller's own terminal. manages: the caller is a
 * shell that manages jobs, and ^C is never for it from now on. *interrupted: whether ^C was sent to
 * somebody since the last call. -K_ENOTTY: c is not its own, or it has none; -K_ESRCH: there is
 * nobody in that group; -K_EPERM: which is of another session. */
int proc_set_foreground(struct control *c, int32_t group, bool manages,
                        bool *interrupted) must_check;

/* A signal to the foreground, if there is one; of the console, see above. No lock is held. */
void proc_signal_foreground(struct control *c, int32_t signal);

/* For a process that uses its terminal, which those in the background may not: another group is in
 * the foreground, and it is not of the first process's own children. Its group gets signal, SIGTTIN
 * or SIGTTOU: -K_EINTR, and when somebody continues it the call is made again. -K_EIO: it ignores
 * or blocks SIGTTIN; or no parent is there who could continue it. 0: it goes on, as one that
 * ignores or blocks SIGTTOU does, and one whose terminal this is not. */
int proc_from_background(struct control *c, int32_t signal) must_check;

/* ^C and ^Z: SIGINT or SIGTSTP for the processes of the foreground group, but for the first process
 * and its children, and processes that manage jobs, unless they handle SIGINT themselves. At the
 * console, when no group was ever named, or the shell that named it has gone, SIGINT is for all but
 * these, and SIGTSTP for nobody, since nobody would continue it; and ^\, SIGQUIT, is for all but
 * these. One that was stopped continues with SIGINT and SIGQUIT. From an interrupt handler, no lock
 * held. */
void proc_interrupt(struct control *c, int32_t signal);
