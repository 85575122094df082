/* Tests the stack that our programs are linked with: 8 MiB, filled when touched.
 *
 *     stacktest deep KIB    goes down so far and back
 *     stacktest fork        a child begins deep down, and goes on
 *     stacktest exec ARG    executes "stacktest args ARG" from deep down
 *     stacktest args ARG    where the arguments are, and how much of the stack is there
 *     stacktest full        goes down when all memory is promised to it
 *
 * Each failure is one line; the status says whether there was any. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <trellis.h>
#include <unistd.h>

#define STEP 1024L /* bytes, which a step down takes at least */

static int failures;
static char **arguments;

#define CHECK(cond) ((cond) ? (void)0 : check_failed(__LINE__, #cond))

static void check_failed(int line, const char *cond) {
    printf("stacktest: line %d: not %s\n", line, cond);
    failures++;
}

static void nothing(void) {}

/* So far down that the stack is so many bytes below top; there it does what is to be done. Each
 * step leaves words that must be there on the way back. */
static void dive(const char *top, long bytes, void (*at_the_end)(void)) {
    volatile long word[STEP / sizeof(long)];
    for (size_t i = 0; i < STEP / sizeof(long); i++)
        word[i] = bytes + (long)i;
    if (top - (const char *)word < bytes)
        dive(top, bytes, at_the_end);
    else
        at_the_end();
    for (size_t i = 0; i < STEP / sizeof(long); i++)
        if (word[i] != bytes + (long)i) {
            CHECK(word[i] == bytes + (long)i);
            break;
        }
}

static void go(long kib, void (*at_the_end)(void)) {
    char here;
    dive(&here, kib * 1024, at_the_end);
}

/* The stack's bytes, and the pages that are there. */
static void measure(uint64_t *bytes, uint64_t *present) {
    static struct abi_vmregion region[32];
    int n = vmregions(0, region, 32);
    *bytes = *present = 0;
    CHECK(n > 0 && n <= 32);
    for (int i = 0; i < n && i < 32; i++)
        if (region[i].flags & ABI_VM_GUARDED) {
            *bytes += region[i].end - region[i].start;
            *present += region[i].present;
        }
}

static void fork_here(void) {
    int status;
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        go(3000, nothing);
        _exit(failures);
    }
    CHECK(wait(&status) == pid && status == 0);
    go(2000, nothing);
}

static void exec_here(void) {
    static char name[] = "args";
    arguments[1] = name;
    execvp(arguments[0], arguments);
    CHECK(!"executed");
}

static void show_args(int argc, char *argv[]) {
    uint64_t bytes, present;
    uint64_t here = (uint64_t)&bytes;
    measure(&bytes, &present);
    CHECK(bytes == 8192 * 1024 && present <= 2);
    for (int i = 0; i < argc; i++)
        CHECK((uint64_t)argv[i] > here && (uint64_t)argv[i] < here + 8192);
    CHECK((uint64_t)argv > here && argv[argc] == NULL);
    printf("%s\n", argv[2]);
}

static void deep(long kib) {
    uint64_t bytes, present;
    go(kib, nothing);
    measure(&bytes, &present);
    CHECK(bytes == 8192 * 1024 && (long)present >= kib / 4 && (long)present <= kib / 4 + 4);
}

/* What is promised is there all the same; then the next page is not to be had. */
static void full(void) {
    for (long step = 64L << 20; step > 0; step /= 2)
        while (sbrk(step) != (void *)-1)
            ;
    go(56, nothing);
    printf("56 KiB\n");
    fflush(stdout);
    go(7168, nothing);
}

int main(int argc, char *argv[]) {
    const char *way = argc > 1 ? argv[1] : "";
    arguments = argv;
    if (argc == 3 && !strcmp(way, "deep"))
        deep(atol(argv[2]));
    else if (argc == 2 && !strcmp(way, "fork"))
        go(4096, fork_here);
    else if (argc == 3 && !strcmp(way, "exec"))
        go(4096, exec_here);
    else if (argc == 3 && !strcmp(way, "args"))
        show_args(argc, argv);
    else if (argc == 2 && !strcmp(way, "full"))
        full();
    else
        CHECK(!"a way that there is");
    return finish_output("stacktest") < 0 || failures;
}
