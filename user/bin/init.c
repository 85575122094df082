/* The first program.
 *
 *     init               a shell on the console, for ever
 *     init -c COMMANDS   runs them and powers off with their status: 255 when
 *                        the shell was killed, 127 when there is none; their
 *                        standard input is at its end, since nobody types
 *
 * It is the parent of orphans, for which it waits. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>

#define CONSOLE_MAJOR 1
#define CONSOLE_MINOR 0
#define NO_SHELL 127

static const char name[] = "Trellis init";

/* Ends the machine; where that cannot be done, stays for the orphans' sake. */
static void power_off(int status) __attribute__((noreturn));
static void power_off(int status) {
    poweroff(status);
    dprintf(2, "%s: cannot power off\n", name);
    for (;;)
        if (wait(NULL) < 0)
            sleep(1);
}

/* Standard input, output and error become the console. */
static void open_console(void) {
    int fd = open("console", O_RDWR);
    if (fd < 0) {
        mknod("console", CONSOLE_MAJOR, CONSOLE_MINOR);
        fd = open("console", O_RDWR);
    }
    if (fd < 0)
        power_off(NO_SHELL); /* and nowhere to say it */
    while (fd >= 0 && fd < 2)
        fd = dup(0);
}

/* Standard input becomes a pipe that nobody writes to. */
static void close_input(void) {
    int p[2];
    if (pipe(p) < 0) {
        close(0); /* then reading is an error; on the console it would wait for ever */
        return;
    }
    dup2(p[0], 0);
    close(p[0]);
    close(p[1]);
}

/* Starts the shell and waits until it ends, and for every orphan meanwhile. */
static int run_shell(char *const argv[]) {
    int status = -1; /* not a success that nobody has reported */
    pid_t pid = fork();
    if (pid == 0) {
        exec("/bin/sh", argv);
        exec("/sh", argv); /* an image of xv6 */
        dprintf(2, "%s: cannot execute sh\n", name);
        _exit(NO_SHELL);
    }
    if (pid < 0) {
        dprintf(2, "%s: cannot fork\n", name);
        return NO_SHELL;
    }
    for (pid_t ended; (ended = wait(&status)) != pid;)
        if (ended < 0)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int main(int argc, char *argv[]) {
    open_console();
    if (argc >= 3 && strcmp(argv[1], "-c") == 0) {
        char *args[] = {"sh", "-c", argv[2], NULL};
        close_input();
        power_off(run_shell(args) & 0xff);
    }
    char *args[] = {"sh", NULL};
    for (;;) {
        printf("%s: starting sh\n", name);
        struct stat st;
        if (stat("/bin/sh", &st) < 0 && stat("/sh", &st) < 0) {
            dprintf(2, "%s: there is no /bin/sh\n", name);
            power_off(NO_SHELL);
        }
        if (run_shell(args) == NO_SHELL)
            sleep(1); /* it could not start: try again, but not in a frenzy */
    }
}
