/* What the machine keeps of a process: registers at a trap from user mode, at a
 * switch inside the kernel, and of the floating-point unit. The assembly in
 * this folder knows these layouts by their offsets, which are checked here. */
#pragma once
#include "lib/types.h"

/* One frame a thread, mapped in the user table of its process: at TRAPFRAME for most. */
struct trapframe {
    uint64_t kernel_satp;                              /*   0: where the trampoline goes */
    uint64_t kernel_sp;                                /*   8 */
    uint64_t kernel_entry;                             /*  16: trap_user */
    uint64_t kernel_tp;                                /*  24: struct hart */
    uint64_t epc;                                      /*  32: user pc */
    uint64_t ra, sp, gp, tp;                           /*  40 */
    uint64_t t0, t1, t2, s0, s1;                       /*  72 */
    uint64_t a0, a1, a2, a3, a4, a5, a6, a7;           /* 112 */
    uint64_t s2, s3, s4, s5, s6, s7, s8, s9, s10, s11; /* 176 */
    uint64_t t3, t4, t5, t6;                           /* 256 */
};
_Static_assert(offsetof(struct trapframe, a0) == 112, "trampoline.S");
_Static_assert(sizeof(struct trapframe) == 288, "trampoline.S");

/* Registers that a C call preserves. */
struct context {
    uint64_t ra, sp, s[12];
};
_Static_assert(sizeof(struct context) == 112, "swtch.S");

/* Saves the running context in old, loads satp, then goes on in the context next:
 * no stack is touched between, so each side's stack need only be mapped in its
 * own table. Returns (to old's caller) when somebody switches back to old. */
void swtch(struct context *old, struct context *next, uint64_t satp);

/* A first context begins here: it calls what s[1] holds. */
extern char context_start[];

struct fpu_state {
    uint64_t f[32];
    uint64_t fcsr;
};
_Static_assert(offsetof(struct fpu_state, fcsr) == 256, "fpu.S");

/* Need sstatus.FS != off. */
void fpu_save(struct fpu_state *to);
void fpu_load(const struct fpu_state *from);

/* Registers at a trap from the kernel itself, on the kernel's stack. */
struct kernel_frame {
    uint64_t ra, sp, gp, tp, t0, t1, t2, s0, s1;
    uint64_t a0, a1, a2, a3, a4, a5, a6, a7;
    uint64_t s2, s3, s4, s5, s6, s7, s8, s9, s10, s11;
    uint64_t t3, t4, t5, t6;
    uint64_t sepc, sstatus, scause, stval;
    uint64_t pad;
};
_Static_assert(sizeof(struct kernel_frame) == 288, "kernelvec.S");
_Static_assert(offsetof(struct kernel_frame, sepc) == 248, "kernelvec.S");

/* The trampoline page: one page of code, mapped at TRAMPOLINE in every table. */
extern char trampoline_page[], trampoline_vector[], trampoline_return[];
/* The vector for traps from the kernel. */
extern char kernel_vector[];

/* What the way to user mode needs: the user's satp, and where that table has the trapframe. */
struct user_view {
    uint64_t satp, trapframe;
};

/* Returns to user mode through the trampoline. Called with the trampoline's alias address of
 * trampoline_return. */
typedef never_returns void (*trampoline_return_fn)(struct user_view view);
