/* The file system on the host: what it needs from the layers below, and its
 * system calls as functions. */
#pragma once
#include "fsimage.h"
#include "kstub.h"
#include "lib/abi.h"
#include "lib/errno.h"
#include "memdisk.h"

/* ---- memory. Frames are counted: fsenv_frames_used is 0 when none is taken. */
extern int64_t fsenv_frames_used;
extern int64_t fsenv_commit_limit; /* frames that can be promised */
int64_t fsenv_promised(void);
uint64_t fsenv_reclaim(uint64_t n); /* as memory does that is short; how many came */

/* User addresses are the test's own; a byte in the page at fsenv_bad and every
 * address below 4096 faults, after what lies before it was copied. The pages
 * before and behind fsenv_bad can be touched. */
extern uint8_t *const fsenv_bad;
extern uint64_t fsenv_bad_left; /* after so many faults it can be touched, too; from the start: none
                                 * but UINT64_MAX */
/* While it is not NULL that page is not bad: a file has it, so that it has to be asked for with no
 * lock held. Then this is called, once, and the page is there until the next mount. */
extern void (*fsenv_asked)(void);
/* It has always been taken away again when the copy comes there; how often it was asked for. */
extern bool fsenv_never_there;
extern unsigned fsenv_asks;

/* ---- boot and mount. All from the start: memory, processes, files. */
void fsenv_boot(void);                                            /* no more than that */
int fsenv_mount(const char **why);                                /* what memdisk has */
void fsenv_mount_ok(void);                                        /* fails the test if it cannot */
void fsenv_fresh(uint32_t size, uint32_t nlog, uint32_t ninodes); /* a new image, mounted */
extern uint64_t fsenv_ram; /* that the tables are sized for; 32 MiB */

/* All that was done is on the disk: ends the file system in order and mounts it again, or
 * gives the disk's bytes. */
void fsenv_remount(void);
uint8_t *fsenv_disk(void);

/* For a test's start: a disk of 2000 blocks and 200 inodes, and memory enough. 0. */
int fsenv_setup(void **state);
/* For a test's end: nobody has a file open, and fsenv_check. 0, as cmocka wants it. */
int fsenv_teardown(void **state);

/* Checks the disk, which must be consistent when nothing is under way, and that the kernel's
 * counts agree. */
void fsenv_check(void);

/* ---- system calls: the result, or a negative errno. */
#define NEW (ABI_O_CREATE | ABI_O_RDWR)
int t_open(const char *path, int mode);
int t_close(int fd);
int64_t t_read(int fd, void *buf, int n);
int64_t t_write(int fd, const void *buf, int n);
int t_fstat(int fd, struct abi_stat *st);
int t_dup(int fd);
int t_pipe(int fd[2]);
int t_mkdir(const char *path);
int t_mknod(const char *path, int major, int minor);
int t_link(const char *old, const char *new);
int t_unlink(const char *path);
int t_rename(const char *from, const char *to);
int t_chdir(const char *path);
int64_t t_lseek(int fd, int64_t offset, int whence);
int t_ftruncate(int fd, uint64_t size);
int t_fsync(int fd);
int t_sync(void);

/* Stores n bytes through a shared mapping, to the end of the page or the file at most; only a page
 * that may not be written just now is asked for. 0; -K_ENODEV: no file; -K_ENXIO. */
int t_store(const char *path, uint64_t offset, const void *src, size_t n);

/* Called when a commit begins to take over its transaction, once for each page that was stored to.
 */
extern void (*fsenv_forbidding)(void);

/* Makes path a file with n bytes that are different for each seed. */
void t_make_file(const char *path, size_t n, uint32_t seed);
/* Whether it is one. */
bool t_file_is(const char *path, size_t n, uint32_t seed);
