/* Tests the parts of the C library that need a kernel: streams, descriptors,
 * the heap, processes, names. tests/host has the other parts. Each failure is
 * one line; the status says whether there was any. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <trellis.h>
#include <unistd.h>

#define FILE_NAME "libtest.tmp"
#define LINES 1000

static int failures;

#define CHECK(cond) ((cond) ? (void)0 : check_failed(__LINE__, #cond))

static void check_failed(int line, const char *cond) {
    printf("libtest: line %d: not %s\n", line, cond);
    failures++;
}

static void test_lines(void) {
    char *line = NULL;
    size_t room = 0;
    int n = 0, value;
    FILE *f = fopen(FILE_NAME, "w+");
    CHECK(f != NULL);
    if (!f)
        return;
    for (int i = 0; i < LINES; i++)
        CHECK(fprintf(f, "line %d\n", i) > 6);
    CHECK(ftell(f) == 8890);
    CHECK(fseek(f, 0, SEEK_SET) == 0);
    for (; getline(&line, &room, f) > 0; n++)
        CHECK(sscanf(line, "line %d", &value) == 1 && value == n);
    CHECK(n == LINES && feof(f) && !ferror(f));
    free(line);
    CHECK(fclose(f) == 0);
}

/* Reading and writing in turn through one stream, over what test_lines left. */
static void test_update(void) {
    char s[16];
    FILE *f = fopen(FILE_NAME, "r+");
    CHECK(f != NULL);
    if (!f)
        return;
    CHECK(fseek(f, 5, SEEK_SET) == 0 && getc(f) == '0');
    CHECK(ungetc('x', f) == 'x' && getc(f) == 'x' && ftell(f) == 6);
    CHECK(fseek(f, 0, SEEK_CUR) == 0 && fwrite("ZZ", 1, 2, f) == 2);
    CHECK(fseek(f, 0, SEEK_SET) == 0);
    CHECK(fgets(s, sizeof s, f) && strcmp(s, "line 0ZZine 1\n") == 0);
    CHECK(fgets(s, 4, f) && strcmp(s, "lin") == 0);
    CHECK(fputc('E', f) == 'E'); /* what was read ahead is given back first */
    CHECK(fflush(f) == 0 && ftell(f) == 18);
    rewind(f);
    CHECK(fread(s, 1, 15, f) == 15 && fread(s, 2, 2, f) == 2 && memcmp(s, "inE ", 4) == 0);
    CHECK(fclose(f) == 0);
}

static void test_modes(void) {
    char s[16];
    int n;
    FILE *f = fopen(FILE_NAME, "a");
    CHECK(f && fputs("end\n", f) == 0 && fclose(f) == 0);
    f = fopen(FILE_NAME, "r");
    CHECK(f && fseek(f, -4, SEEK_END) == 0);
    CHECK(fgets(s, sizeof s, f) && strcmp(s, "end\n") == 0);
    CHECK(fscanf(f, "%d", &n) == EOF && feof(f));
    CHECK(fputc('a', f) == EOF && ferror(f));
    clearerr(f);
    CHECK(!ferror(f) && fclose(f) == 0);
    CHECK(!fopen("no/such", "w") && !fopen("nosuch", "r") && errno == ENOENT);
    CHECK(!fopen(FILE_NAME, "q") && errno == EINVAL);
    CHECK(rename(FILE_NAME, "libtest.2") == 0 && remove("libtest.2") == 0);
    CHECK(remove("libtest.2") < 0);
}

/* stdout is buffered when it is a file, and exit writes what is there. */
static void test_exit_flushes(void) {
    char s[16] = "";
    int status = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (!freopen(FILE_NAME, "w", stdout))
            _exit(1);
        printf("at exit\n");
        int fd = open(FILE_NAME, O_RDONLY);
        exit(fd >= 0 && read(fd, s, 1) == 0 ? 5 : 1);
    }
    CHECK(pid > 0 && wait(&status) == pid && WEXITSTATUS(status) == 5);
    FILE *f = fopen(FILE_NAME, "r");
    CHECK(f && fgets(s, sizeof s, f) && strcmp(s, "at exit\n") == 0);
    if (f)
        fclose(f);
    remove(FILE_NAME);
}

static void test_dup2(void) {
    static int extra[ABI_NOFILE];
    int fds[2], n = 0;
    char s[8];
    CHECK(pipe(fds) == 0);
    CHECK(dup2(fds[1], 10) == 10 && write(10, "abc", 3) == 3 && read(fds[0], s, 8) == 3);
    CHECK(dup2(10, 10) == 10 && write(10, "d", 1) == 1 && read(fds[0], s, 8) == 1);
    CHECK(dup2(14, 3) < 0 && dup2(14, 14) < 0 && dup2(-1, 3) < 0 && dup2(10, ABI_NOFILE) < 0);
    CHECK(write(10, "e", 1) == 1 && read(fds[0], s, 8) == 1); /* unharmed */
    while (n < ABI_NOFILE && (extra[n] = dup(1)) >= 0)
        n++;
    CHECK(n < ABI_NOFILE);
    CHECK(dup2(fds[1], extra[0]) == extra[0]); /* with every descriptor in use */
    CHECK(write(extra[0], "f", 1) == 1 && read(fds[0], s, 8) == 1 && s[0] == 'f');
    while (n > 0)
        close(extra[--n]);
    close(10);
    close(fds[0]);
    CHECK(write(fds[1], "g", 1) < 0); /* nobody reads */
    close(fds[1]);
}

static void test_heap(void) {
    char *p = malloc(3000000);
    CHECK(p != NULL);
    if (!p)
        return;
    memset(p, 1, 3000000);
    CHECK(sbrk(16) != (void *)-1); /* the heap may not rely on owning the break */
    char *q = realloc(p, 5000000);
    CHECK(q && q[0] == 1 && q[2999999] == 1);
    free(q ? q : p);
    CHECK(!malloc(1UL << 39) && errno == ENOMEM && !malloc(SIZE_MAX));
    CHECK((p = calloc(1000, 3000)) != NULL);
    for (int i = 0; p && i < 3000000; i += 500)
        CHECK(p[i] == 0);
    free(p);
}

static void test_processes(void) {
    int status;
    fflush(stdout);
    if (fork() == 0) {
        fclose(stderr);
        abort();
    }
    CHECK(wait(&status) > 0 && WIFSIGNALED(status) && !WIFEXITED(status));
    if (fork() == 0)
        execlp("false", "false", NULL), _exit(9);
    CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 1);
    CHECK(execl("/nosuch", "nosuch", NULL) < 0 && wait(&status) < 0 && errno == ECHILD);
    clock_t before = clock();
    CHECK(usleep(150000) == 0 && clock() - before >= 2 * CLOCKS_PER_SEC / 10);
}

/* The kernel's reasons, and that what succeeds leaves errno as it is. */
static void test_errno(void) {
    char *argv[] = {"x", NULL};
    int fds[2], fd = open(FILE_NAME, O_CREATE | O_RDONLY);
    CHECK(fsync(99) < 0 && errno == EBADF && read(99, fds, 1) < 0 && errno == EBADF);
    CHECK(ftruncate(fd, 0) < 0 && errno == EBADF && fstat(fd, (struct stat *)-8) < 0);
    CHECK(errno == EFAULT && pipe((int *)-8) < 0 && errno == EFAULT);
    CHECK(open("/init", O_RDWR) < 0 && errno == ETXTBSY && pipe(fds) == 0 && errno == ETXTBSY);
    CHECK(fsync(fds[0]) < 0 && errno == EINVAL && lseek(fds[0], 0, SEEK_SET) < 0 &&
          errno == ESPIPE);
    CHECK(mkdir("/bin") < 0 && errno == EEXIST && sbrk(INT_MIN) == (void *)-1 && errno == ENOMEM);
    CHECK(dup2(-1, 3) < 0 && errno == EBADF && execvp("/bin", argv) < 0 && errno == ENOEXEC);
    CHECK(execvp("nosuch", argv) < 0 && errno == ENOENT && rmdir("/bin") < 0 && errno == ENOTEMPTY);
    CHECK(strcmp(strerror(ENOTEMPTY), "Directory not empty") == 0);
    CHECK(close(fd) == 0 && close(fds[0]) == 0 && close(fds[1]) == 0 && unlink(FILE_NAME) == 0);
}

static void test_names(void) {
    struct stat st, root;
    int seen = 0;
    CHECK(stat("/", &root) == 0 && S_ISDIR(root.st_mode) && root.st_ino == FS_ROOT_INODE);
    CHECK(mkdir("libtest.d", 0777) == 0 && chdir("libtest.d") == 0);
    CHECK(stat("..", &st) == 0 && chdir("..") == 0);
    CHECK(mknod("libtest.d/c", 1, 0) == 0 && stat("libtest.d/c", &st) == 0);
    CHECK(S_ISCHR(st.st_mode) && !opendir("libtest.d/c") && errno == ENOTDIR);
    CHECK(rmdir("libtest.d/c") < 0 && rmdir("libtest.d") < 0);
    DIR *dir = opendir("libtest.d");
    CHECK(dir != NULL);
    for (struct dirent *e; dir && (e = readdir(dir));)
        seen += !strcmp(e->d_name, ".") + !strcmp(e->d_name, "..") * 10 +
                !strcmp(e->d_name, "c") * 100;
    CHECK(seen == 111 && dir && closedir(dir) == 0);
    CHECK(unlink("libtest.d/c") == 0 && rmdir("libtest.d") == 0);
}

/* libtest -e: which strings of the environment came. */
static int see_environment(int argc, char **envp) {
    const char *value = getenv("LIBTEST");
    int n = 0;
    while (environ && environ[n])
        n++;
    return envp != environ || argc != 2 ? 99 : n * 10 + (value && !strcmp(value, "a b=c"));
}

static int status_of_child(char *const envp[], bool with) {
    char *argv[] = {"libtest", "-e", NULL};
    int status = -1;
    fflush(NULL);
    if (fork() == 0) {
        with ? execve("/tests/libtest", argv, envp) : execv("/tests/libtest", argv);
        _exit(98);
    }
    wait(&status);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_environment(void) {
    char *none[] = {NULL}, *two[] = {"x=y", "LIBTEST=a b=c", NULL};
    CHECK(status_of_child(two, true) == 21 && status_of_child(none, true) == 0);
    CHECK(status_of_child(NULL, true) == 0);
    CHECK(clearenv() == 0 && status_of_child(NULL, false) == 0);
    CHECK(setenv("LIBTEST", "a b=c", 1) == 0 && setenv("OTHER", "", 1) == 0);
    CHECK(status_of_child(NULL, false) == 21 && unsetenv("OTHER") == 0);
    CHECK(status_of_child(NULL, false) == 11 && unsetenv("LIBTEST") == 0);
    CHECK(status_of_child(NULL, false) == 0);
    char *large = calloc(1, 5000);
    CHECK(large && memset(large, 'x', 4999) && setenv("LARGE", large, 1) == 0);
    CHECK(execlp("true", "true", NULL) < 0 && errno == E2BIG && unsetenv("LARGE") == 0);
    free(large);
}

#define EACH_KEPT(text) __asm__(".irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11\n" text "\n.endr")

/* Sets the registers that setjmp keeps to known values, saves them in env, spoils them, jumps back
 * and adds them up: 2 * (1 + ... + 12) when all are kept, and 1000 times what setjmp said. Its own
 * caller's registers are on the stack meanwhile. */
__attribute__((naked)) static long kept_by_setjmp(jmp_buf env, long value) {
    __asm__("addi sp, sp, -224\n sd ra, 0(sp)\n sd a0, 8(sp)\n sd a1, 16(sp)");
    EACH_KEPT("sd s\\n, 32 + 8 * \\n(sp)\n fsd fs\\n, 128 + 8 * \\n(sp)");
    EACH_KEPT("li s\\n, 1 + \\n\n fcvt.d.l fs\\n, s\\n");
    __asm__("call setjmp\n bnez a0, 1f");
    EACH_KEPT("li s\\n, 0\n fmv.d.x fs\\n, zero");
    __asm__("addi sp, sp, -64\n ld a0, 72(sp)\n ld a1, 80(sp)\n call longjmp");
    __asm__("1: li t0, 1000\n mul a0, a0, t0");
    EACH_KEPT("fcvt.l.d t0, fs\\n\n add a0, a0, s\\n\n add a0, a0, t0");
    EACH_KEPT("ld s\\n, 32 + 8 * \\n(sp)\n fld fs\\n, 128 + 8 * \\n(sp)");
    __asm__("ld ra, 0(sp)\n addi sp, sp, 224\n ret");
}

static jmp_buf outer;

static int jump_out(const void *a, const void *b) { longjmp(outer, -7); }

static void test_setjmp(void) {
    jmp_buf env;
    CHECK(kept_by_setjmp(env, 3) == 3156);
    CHECK(kept_by_setjmp(env, 0) == 1156);
    volatile int came = 0;
    int value = setjmp(outer);
    came++;
    if (value == 0)
        qsort((int[]){2, 1}, 2, sizeof(int), jump_out);
    CHECK(value == -7 && came == 2);
}

int main(int argc, char *argv[], char *envp[]) {
    if (argc > 1 && strcmp(argv[1], "-e") == 0)
        return see_environment(argc, envp);
    test_environment();
    test_setjmp();
    test_lines();
    test_update();
    test_modes();
    test_exit_flushes();
    test_dup2();
    test_heap();
    test_processes();
    test_errno();
    test_names();
    printf("libtest: %s\n", failures ? "FAILED" : "OK");
    return failures > 0;
}
