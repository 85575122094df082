/* Forks until fork fails, as it must without harm when slots or memory run out;
 * then all children are waited for, each once and with its own status, and it
 * all goes again: nothing was lost. No stdio, to be as small as can be. */
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIMIT 1000 /* a system has fewer process slots */
#define ROUNDS 2

static pid_t child[LIMIT];
static bool ended[LIMIT];

static int fail(const char *why) {
    static const char name[] = "forktest: ";
    write(1, name, sizeof name - 1);
    write(1, why, strlen(why));
    write(1, "\n", 1);
    return 1;
}

/* The children wait for gate's other end to be closed, so that they all exist at
 * once. The number of children, or -1. */
static int fork_all(const int gate[2]) {
    for (int n = 0; n < LIMIT; n++) {
        child[n] = fork();
        ended[n] = false;
        if (child[n] < 0)
            return n;
        if (child[n] == 0) {
            char c;
            close(gate[1]);
            read(gate[0], &c, 1);
            _exit(n % 100);
        }
    }
    return -1;
}

/* Waits for n children; NULL, or what is wrong. */
static const char *wait_all(int n) {
    for (int left = n; left > 0; left--) {
        int status, i = 0;
        pid_t pid = wait(&status);
        if (pid < 0)
            return "wait stopped early";
        while (i < n && child[i] != pid)
            i++;
        if (i == n || ended[i])
            return "wait returned a strange process";
        if (!WIFEXITED(status) || WEXITSTATUS(status) != i % 100)
            return "wrong exit status";
        ended[i] = true;
    }
    return wait(NULL) < 0 ? NULL : "wait got too many";
}

static const char *round_of_forks(int *forks) {
    int gate[2];
    if (pipe(gate) < 0)
        return "no pipe";
    int n = fork_all(gate);
    close(gate[0]);
    close(gate[1]);
    *forks = n;
    if (n < 0)
        return "fork never fails";
    if (n == 0)
        return "fork never works";
    return wait_all(n);
}

int main(void) {
    int forks[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        const char *why = round_of_forks(&forks[i]);
        if (why)
            return fail(why);
    }
    if (forks[1] < forks[0] / 2)
        return fail("far fewer children the second time");
    write(1, "forktest: OK\n", 13);
    return 0;
}
