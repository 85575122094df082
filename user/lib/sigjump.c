/* Jumps out of handlers of signals. */
#include <setjmp.h>
#include <signal.h>

void sigjump_save(sigjmp_buf env, int save) {
    env->saved = save;
    if (save)
        sigprocmask(SIG_BLOCK, NULL, &env->mask);
}

void siglongjmp(sigjmp_buf env, int value) {
    if (env->saved)
        sigprocmask(SIG_SETMASK, &env->mask, NULL);
    longjmp(env->jump, value);
}
