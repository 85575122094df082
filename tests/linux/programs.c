/* Which files exec takes for programs: scripts, programs with an interpreter, and damaged ones of
 * both sorts, after which the process goes on. With arguments it is the reader of a script, or the
 * program with an interpreter, and tells by its status what it has found. */
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "check.h"

#define READ 95 /* status of a reader, and how many arguments it has */
#define WRONG 94
#define LINKER "/lib/ld-linux-riscv64-lp64d.so.1"

/* What exec says, or how the program ends. */
static int run(const char *path) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        execl(path, "ignored", "a", "", NULL);
        _exit(errno);
    }
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void write_file(const char *path, const void *bytes, size_t n) {
    int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0755);
    if (fd < 0 || write(fd, bytes, n) != (ssize_t)n || close(fd)) {
        perror(path);
        exit(1);
    }
}

/* ---- scripts ---- */

static int read_script(int argc, char **argv) {
    const char *longest = getenv("LONG");
    char exe[64] = {0};
    if (longest && (strspn(longest, "l") != strlen(longest) || strlen(longest) != 60000))
        return WRONG;
    if (strcmp(argv[argc - 2], "a") || *argv[argc - 1])
        return WRONG;
    if (argc > 4 && (strcmp(argv[0], "/linux/programs") || strcmp(argv[1], "two words") ||
                     !strstr(argv[2], "/s1")))
        return WRONG;
    /* Not the script's. */
    if (argc > 4 &&
        (readlink("/proc/self/exe", exe, sizeof(exe) - 1) < 0 || strcmp(exe, "/linux/programs")))
        return WRONG;
    return READ + argc;
}

static int script(const char *text) {
    write_file("/tmp/s", text, strlen(text));
    return run("/tmp/s");
}

/* Each is read by the one before. */
static void check_chain(void) {
    char path[] = "/tmp/s1", text[] = "#!/tmp/s0\n",
         start[] = "#! \t/linux/programs  two words \t\nx";
    write_file(path, start, strlen(start));
    for (int n = 1; n <= 6; n++) {
        CHECK_EQ(run(path), n <= 5 ? READ + 4 + n : ELOOP);
        text[8] = path[6]++;
        write_file(path, text, strlen(text));
    }
}

static void check_scripts(void) {
    char line[600];
    check_chain();
    CHECK_EQ(script("#!/linux/programs"), READ + 4);
    CHECK_EQ(script("#!/bin/true some\n"), 0); /* a program of another system */
    CHECK_EQ(script("#!/linux/nosuch\n"), ENOENT);
    CHECK_EQ(script("#!/linux\n"), EACCES);
    CHECK_EQ(script("#!/dev/null\n"), EACCES);
    CHECK_EQ(script("#!\n/linux/programs\n"), ENOEXEC);
    CHECK_EQ(script("# !/linux/programs\n"), ENOEXEC);
    CHECK_EQ(script(""), ENOEXEC);
    /* A line of 255 bytes, and one more. */
    memset(line, '/', sizeof(line));
    memcpy(line, "#!", 2);
    strcpy(line + 255 - strlen("linux/programs"), "linux/programs\n");
    CHECK_EQ(script(line), READ + 4);
    strcpy(line + 256 - strlen("linux/programs"), "linux/programs\n");
    CHECK_EQ(script(line), ENOEXEC);
    /* Paths. */
    memset(line, '/', sizeof(line));
    strcpy(line + 255 - strlen("tmp/s1"), "tmp/s1");
    CHECK_EQ(run(line), READ + 5);
    strcpy(line + 256 - strlen("tmp/s1"), "tmp/s1");
    CHECK_EQ(run(line), ENAMETOOLONG);
    CHECK_EQ(run(""), ENOENT);
    CHECK_EQ(run("/tmp"), EACCES);
    CHECK_EQ(run("/console"), EACCES);
    /* One bit of three will do, and a file that has none is not even looked at. */
    CHECK(chmod("/tmp/s1", 0601) == 0);
    CHECK_EQ(run("/tmp/s1"), READ + 5);
    CHECK(chmod("/tmp/s1", 0666) == 0);
    CHECK_EQ(run("/tmp/s1"), EACCES);
    CHECK_EQ(script(""), ENOEXEC);
    CHECK(chmod("/tmp/s", 0644) == 0);
    CHECK_EQ(run("/tmp/s"), EACCES);
    CHECK(chmod("/tmp/s", 0755) == 0 && chmod("/tmp/s1", 0755) == 0);
}

static void check_long_strings(void) {
    char *longest = malloc(60001);
    memset(longest, 'l', 60000);
    longest[60000] = '\0';
    setenv("LONG", longest, 1);
    CHECK_EQ(run("/tmp/s1"), READ + 5);
    unsetenv("LONG");
    free(longest);
}

/* ---- interpreters ---- */

struct image {
    char bytes[1 << 20];
    size_t n;
};

static struct image program, linker;

static void read_file(struct image *image, const char *path) {
    int fd = open(path, O_RDONLY);
    ssize_t n = read(fd, image->bytes, sizeof(image->bytes));
    if (n < 1000) {
        perror(path);
        exit(1);
    }
    image->n = (size_t)n;
    close(fd);
}

static Elf64_Ehdr *header(struct image *image) { return (Elf64_Ehdr *)image->bytes; }

static Elf64_Phdr *segment(struct image *image, unsigned type, unsigned n) {
    Elf64_Phdr *p = (Elf64_Phdr *)(image->bytes + header(image)->e_phoff);
    while (p->p_type != type || n-- > 0)
        p++;
    return p;
}

static int run_with(const char *interpreter) {
    Elf64_Phdr *p = segment(&program, PT_INTERP, 0);
    strncpy(program.bytes + p->p_offset, interpreter, p->p_filesz);
    write_file("/tmp/p", program.bytes, program.n);
    return run("/tmp/p");
}

static int run_with_linker(size_t n) {
    write_file("/tmp/i", linker.bytes, n);
    return run_with("/tmp/i");
}

/* With one field of a program header of the interpreter as it should not be. */
#define CHECK_DAMAGED(kind, nth, field, value) \
    do { \
        Elf64_Phdr before = *segment(&linker, kind, nth); \
        segment(&linker, kind, nth)->field = (value); \
        CHECK_EQ(run_with_linker(linker.n), ELIBBAD); \
        *segment(&linker, kind, nth) = before; \
    } while (0)

static void check_damaged_interpreters(void) {
    CHECK_EQ(run_with_linker(linker.n), READ + 3);
    CHECK_EQ(run_with_linker(0), ELIBBAD);
    CHECK_EQ(run_with_linker(64), ELIBBAD);
    CHECK_EQ(run_with_linker(linker.n / 2), ELIBBAD);
    CHECK_DAMAGED(PT_LOAD, 0, p_memsz, UINT64_MAX);
    CHECK_DAMAGED(PT_LOAD, 1, p_vaddr, 1UL << 60);
    CHECK_DAMAGED(PT_LOAD, 1, p_vaddr, 0);
    CHECK_DAMAGED(PT_LOAD, 1, p_vaddr, segment(&linker, PT_LOAD, 1)->p_vaddr + 8);
    CHECK_DAMAGED(PT_LOAD, 1, p_offset, UINT64_MAX - 4095);
    CHECK_DAMAGED(PT_LOAD, 1, p_memsz, 1UL << 60);
    CHECK_DAMAGED(PT_LOAD, 0, p_flags, PF_R);
    CHECK_DAMAGED(PT_LOAD, 0, p_align, 3);
    CHECK_DAMAGED(PT_LOAD, 0, p_align, 1UL << 63);
    header(&linker)->e_machine = EM_X86_64;
    CHECK_EQ(run_with_linker(linker.n), ELIBBAD);
    header(&linker)->e_machine = EM_RISCV;
}

static void check_programs(void) {
    Elf64_Phdr *p = segment(&program, PT_INTERP, 0), before = *segment(&program, PT_LOAD, 1);
    CHECK_EQ(run_with(LINKER), READ + 3);
    CHECK_EQ(run_with("/tmp/none"), ENOENT);
    CHECK_EQ(run_with("/tmp/s/p"), ENOTDIR);
    CHECK_EQ(run_with("/tmp"), EACCES);
    CHECK_EQ(run_with("/tmp/s1"), ELIBBAD);
    CHECK_EQ(run_with("/tmp/p") < 0, 1); /* itself: it is entered before it is linked */
    segment(&program, PT_LOAD, 1)->p_vaddr = 1UL << 60;
    CHECK_EQ(run_with(LINKER), ENOEXEC);
    *segment(&program, PT_LOAD, 1) = before;
    program.bytes[p->p_offset + p->p_filesz - 1] = 'x';
    write_file("/tmp/p", program.bytes, program.n);
    CHECK_EQ(run("/tmp/p"), ENOEXEC);
    program.bytes[p->p_offset + p->p_filesz - 1] = '\0';
    p->p_filesz = 1;
    write_file("/tmp/p", program.bytes, program.n);
    CHECK_EQ(run("/tmp/p"), ENOEXEC);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return read_script(argc, argv);
    check_scripts();
    check_long_strings();
    read_file(&program, "/linux/programs-dynamic");
    read_file(&linker, LINKER);
    check_damaged_interpreters();
    check_programs();
    CHECK_EQ(unlink("/tmp/p") | unlink("/tmp/i"), 0);
    return tell_end();
}
