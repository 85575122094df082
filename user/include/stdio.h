/* Streams and formatted text, as ISO C and POSIX say.
 *
 * stdin and stdout are buffered; stdout is written at each newline when it is a
 * device, else when the buffer is full, and before stdin waits for input.
 * stderr is written at the end of each call. With several threads a call has the stream for itself
 * until it returns, and a thread between flockfile and funlockfile for all its calls. */
#pragma once
#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

#define EOF (-1)
#define BUFSIZ 1024
#define FOPEN_MAX 16
#define FILENAME_MAX 128
#ifndef SEEK_SET
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#endif
#define _IOFBF 0
#define _IOLBF 1
#define _IONBF 2

typedef struct stream FILE;
extern FILE *const stdin;
extern FILE *const stdout;
extern FILE *const stderr;

/* Modes r w a, each with + and b. NULL with errno on error. */
FILE *fopen(const char *restrict path, const char *restrict mode);
FILE *fdopen(int fd, const char *mode);
FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f);
int fclose(FILE *f);
int fflush(FILE *f); /* NULL: all streams */
int fileno(FILE *f);
/* The mode alone; the buffer is the stream's own. Before any other use. */
int setvbuf(FILE *restrict f, char *restrict buf, int mode, size_t size);
void setbuf(FILE *restrict f, char *restrict buf);

size_t fread(void *restrict p, size_t size, size_t count, FILE *restrict f);
size_t fwrite(const void *restrict p, size_t size, size_t count, FILE *restrict f);
int fgetc(FILE *f);
int getc(FILE *f);
int getchar(void);
int ungetc(int c, FILE *f); /* at least one character */
char *fgets(char *restrict s, int size, FILE *restrict f);
ssize_t getline(char **restrict line, size_t *restrict size, FILE *restrict f);
ssize_t getdelim(char **restrict line, size_t *restrict size, int delim, FILE *restrict f);
int fputc(int c, FILE *f);
int putc(int c, FILE *f);
int putchar(int c);
int fputs(const char *restrict s, FILE *restrict f);
int puts(const char *s);

void flockfile(FILE *f);   /* as often as funlockfile */
int ftrylockfile(FILE *f); /* 0: now it has it */
void funlockfile(FILE *f);
/* Without its lock: for one that has it. */
int getc_unlocked(FILE *f);
int getchar_unlocked(void);
int putc_unlocked(int c, FILE *f);
int putchar_unlocked(int c);

int fseek(FILE *f, long offset, int whence);
long ftell(FILE *f);
void rewind(FILE *f);
int feof(FILE *f);
int ferror(FILE *f);
void clearerr(FILE *f);
void perror(const char *s);

int remove(const char *path);
/* Atomic; replaces a file that is there. 0, or -1 with errno set.
 *
 * rename: path errors, disk errors, EINVAL, EISDIR, ENOTEMPTY, EXDEV, EBUSY, ENOSPC, EMLINK */
int rename(const char *from, const char *to);

/* Conversions d i u x X o c s p % f F e E g G, flags - 0 + # and blank, width,
 * precision, lengths hh h l ll z j t. Floating point is exact; no long double. */
#define STDIO_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define STDIO_SCANF(fmt, first) __attribute__((format(scanf, fmt, first)))
int printf(const char *restrict fmt, ...) STDIO_PRINTF(1, 2);
int fprintf(FILE *restrict f, const char *restrict fmt, ...) STDIO_PRINTF(2, 3);
int dprintf(int fd, const char *restrict fmt, ...) STDIO_PRINTF(2, 3);
int sprintf(char *restrict s, const char *restrict fmt, ...) STDIO_PRINTF(2, 3);
int snprintf(char *restrict s, size_t size, const char *restrict fmt, ...) STDIO_PRINTF(3, 4);
int vprintf(const char *restrict fmt, va_list ap) STDIO_PRINTF(1, 0);
int vfprintf(FILE *restrict f, const char *restrict fmt, va_list ap) STDIO_PRINTF(2, 0);
int vsprintf(char *restrict s, const char *restrict fmt, va_list ap) STDIO_PRINTF(2, 0);
int vsnprintf(char *restrict s, size_t size, const char *restrict fmt, va_list ap)
    STDIO_PRINTF(3, 0);

/* Conversions d i u x X o c s [ f e g n %, with * and width. */
int scanf(const char *restrict fmt, ...) STDIO_SCANF(1, 2);
int fscanf(FILE *restrict f, const char *restrict fmt, ...) STDIO_SCANF(2, 3);
int sscanf(const char *restrict s, const char *restrict fmt, ...) STDIO_SCANF(2, 3);
int vsscanf(const char *restrict s, const char *restrict fmt, va_list ap) STDIO_SCANF(2, 0);
int vfscanf(FILE *restrict f, const char *restrict fmt, va_list ap) STDIO_SCANF(2, 0);
