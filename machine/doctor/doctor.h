/* The doctor: looks on while a machine runs, notices when a kernel is stuck, and says in the end
 * what is most likely wrong with it, as records that a program words (tools/doctor.py) or a page.
 *
 * A user makes the machine with options.locks and without DOCTOR_CHECKS, hands over what it prints
 * and its findings, and calls doctor_look between pieces of the run. Nothing of this changes the
 * run, but that it goes on by what doctor_look and doctor_report run of it. */
#pragma once
#include "machine/sim.h"

/* Of these the doctor has more to say itself, since it looks at the exceptions. */
#define DOCTOR_CHECKS \
    (SIM_CHECK_STACK | SIM_CHECK_USER_MEMORY | SIM_CHECK_MARKS | SIM_CHECK_MISALIGNED)

struct doctor;

/* seconds: how long nothing may happen (nothing printed, no request of a disk) before the kernel
 * counts as stuck: of the machine's clock while its harts wait, and while they compute so many
 * times DOCTOR_BUSY instructions of all of them. NULL: no memory. */
#define DOCTOR_BUSY 100000000ull
struct doctor *doctor_create(struct sim *sim, unsigned harts, uint64_t seconds);
void doctor_destroy(struct doctor *doctor);
/* As it is now, for the same machine: what a snapshot keeps of it. NULL: no memory. */
struct doctor *doctor_copy(const struct doctor *doctor);

/* What the machine's calls of the same names tell. */
void doctor_console(struct doctor *doctor, uint8_t byte);
void doctor_finding(struct doctor *doctor, const struct sim_finding *finding);

/* The machine has run for a while, some millions of instructions at most. true: the kernel is
 * stuck, or has given up, and it is of no use to go on. */
bool doctor_look(struct doctor *doctor);
/* Whether doctor_look would let the machine run, some thousand instructions. */
bool doctor_runs(const struct doctor *doctor);
/* For how many instructions nothing has happened, at the last look. */
uint64_t doctor_quiet(const struct doctor *doctor);

/* Why the run is over. */
enum doctor_over {
    DOCTOR_DONE,  /* the guest has done what was asked, or has ended the machine (sim_end) */
    DOCTOR_STUCK, /* doctor_look has said so */
    DOCTOR_WAITS, /* all harts wait for ever */
    DOCTOR_LIMIT, /* it had no more instructions */
};
/* Calls line(context, text) for each record: one line of JSON, in this order:
 *
 *   {"record":"diagnosis","name":..,"weight":..,"hart":..,"where":..,"stack":[..],"facts":{..}}
 *        the stack has the place itself and who has called it; x3 behind one: three times in a row.
 *        the most likely first; none: nothing is wrong. "forgive" is the option of ./sim with
 *        which the machine overlooks it, as QEMU does. Numbers in facts are text.
 *   {"record":"hart",..}     where each hart is, and what it does
 *   {"record":"table","title":..,"dump":..}    the page tables in use, as ptview reads them
 *   {"record":"console","lines":[..]}          what was printed last
 *   {"record":"end",..}
 *
 * The machine runs some ten thousand instructions more. Once only. */
void doctor_report(struct doctor *doctor, enum doctor_over over, struct sim_end end,
                   void (*line)(void *context, const char *text), void *context);
