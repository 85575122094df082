/* Jumps out of functions, as ISO C says.
 *
 * Kept are the registers that a function keeps for its caller: ra, sp, s0 to s11, and in programs
 * that the compiler makes for a hart with floating point (__riscv_flen, as ours are) fs0 to fs11;
 * of these longjmp is not for a hart without floating point. What the functions that are left have
 * not stored is lost; fcsr stays as it is. */
#pragma once

typedef struct {
    unsigned long ra, sp, s[12];
#ifdef __riscv_flen
    double fs[12];
#endif
} jmp_buf[1];

/* 0; or, when longjmp comes back here, its value, and 1 for 0. The function that has called it must
 * not have returned by then. */
int setjmp(jmp_buf env) __attribute__((returns_twice));
void longjmp(jmp_buf env, int value) __attribute__((noreturn));

/* The same with the mask of signals, as POSIX says: if save is not 0, siglongjmp brings back the
 * one of now, so that a handler can be left so. */
typedef struct {
    jmp_buf jump;
    int saved;
    unsigned long mask;
} sigjmp_buf[1];

void sigjump_save(sigjmp_buf env, int save); /* sigsetjmp's */
#define sigsetjmp(env, save) (sigjump_save(env, save), setjmp((env)->jump))
void siglongjmp(sigjmp_buf env, int value) __attribute__((noreturn));
