/* Takes all there is of something and keeps it until it is killed: what the rest of the
 * system does then is the question.
 *
 *     hog slots     process slots
 *     hog bomb      the same, by processes that all go on forking
 *     hog memory    promises of memory
 *     hog threads   threads, in one process
 *     hog pipes     pipes
 *     hog inodes    open files, then the disk's inodes, in hog.d
 *     hog output    the console */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <trellis.h>
#include <unistd.h>

#define STEP_MAX (64L << 20)
#define HAS_ALL "hog: has it all\n"

static void stay(void) __attribute__((noreturn));
static void stay(void) {
    for (;;)
        sleep(1000);
}

static void say(const char *text) { write(1, text, strlen(text)); }

static void take_slots(void) {
    pid_t pid;
    while ((pid = fork()) > 0)
        ;
    if (pid == 0)
        stay();
}

static void take_bomb(void) {
    pid_t first = getpid();
    for (;;) {
        if (fork() < 0 && getpid() == first) {
            say(HAS_ALL);
            first = 0;
        }
    }
}

static void take_memory(void) {
    for (long step = STEP_MAX; step > 0; step /= 2)
        while (sbrk(step) != (void *)-1)
            ;
}

static void sleep_for_ever(void *word) {
    for (;;)
        futex_wait(word, 0, UINT64_MAX);
}

/* One stack for all, which all leave there the same. */
static void take_threads(void) {
    static uint64_t stack[512] __attribute__((aligned(16)));
    static uint32_t word;
    while (thread_create(sleep_for_ever, &word, stack + 512, NULL) > 0)
        ;
}

/* A chain of processes, each of which takes what one can have: goes on in the next, with no
 * such files; false when there can be none. */
static bool go_on(void) {
    pid_t pid = fork();
    if (pid > 0)
        stay();
    for (int fd = 3; fd < ABI_NOFILE && pid == 0; fd++)
        close(fd);
    return pid == 0;
}

static void take_pipes(void) {
    int fd[2], mine;
    do {
        for (mine = 0; pipe(fd) == 0; mine++)
            ;
    } while (mine > 0 && go_on());
}

static const char *file(int n) {
    static char name[32];
    snprintf(name, sizeof name, "hog.d/%d", n);
    return name;
}

static void take_inodes(void) {
    int n = 0, first;
    mkdir("hog.d", 0777);
    do {
        first = n;
        while (open(file(n), O_RDWR | O_CREATE) >= 0)
            n++;
        if (n == first) /* no file can be open any more: names do without */
            while (mknod(file(++n), 7, 7) == 0)
                ;
    } while (n > first && go_on());
}

static void take_output(void) {
    for (;;)
        say("hog hog hog hog hog hog hog hog\n");
}

int main(int argc, char *argv[]) {
    static const struct {
        const char *name;
        void (*take)(void);
    } things[] = {{"slots", take_slots},     {"bomb", take_bomb},   {"memory", take_memory},
                  {"threads", take_threads}, {"pipes", take_pipes}, {"inodes", take_inodes},
                  {"output", take_output}};
    for (size_t i = 0; i < sizeof things / sizeof things[0]; i++) {
        if (argc == 2 && strcmp(argv[1], things[i].name) == 0) {
            things[i].take();
            say(HAS_ALL);
            stay();
        }
    }
    fprintf(stderr, "usage: hog slots|bomb|memory|threads|pipes|inodes|output\n");
    return 2;
}
