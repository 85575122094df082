/* Memory mappings (POSIX). Each call that fails returns -1, or MAP_FAILED, and sets errno.
 *
 * mmap: EINVAL, EBADF, EACCES, ENODEV, EIO, ENOMEM, EEXIST, ENOTSUP
 * munmap: EINVAL, ENOMEM
 * mprotect: EINVAL, ENOMEM, EACCES
 * madvise: EINVAL, ENOMEM
 * msync: EINVAL, EIO, ENOMEM */
#pragma once
#include "lib/abi.h"
#include <sys/types.h>

#define PROT_NONE ABI_PROT_NONE
#define PROT_READ ABI_PROT_READ
#define PROT_WRITE ABI_PROT_WRITE /* and so read */
#define PROT_EXEC ABI_PROT_EXEC   /* and so read */

#define MAP_SHARED ABI_MAP_SHARED
#define MAP_PRIVATE ABI_MAP_PRIVATE
#define MAP_FIXED ABI_MAP_FIXED
#define MAP_FIXED_NOREPLACE ABI_MAP_FIXED_NOREPLACE
#define MAP_ANONYMOUS ABI_MAP_ANONYMOUS
#define MAP_ANON MAP_ANONYMOUS
#define MAP_NORESERVE ABI_MAP_NORESERVE /* refused: what is granted is promised */
#define MAP_POPULATE ABI_MAP_POPULATE   /* pages are there from the start, as far as can be */
#define MAP_FAILED ((void *)-1)

#define MS_ASYNC ABI_MS_ASYNC
#define MS_SYNC ABI_MS_SYNC
#define MS_INVALIDATE ABI_MS_INVALIDATE

#define MADV_NORMAL ABI_MADV_NORMAL
#define MADV_RANDOM ABI_MADV_RANDOM
#define MADV_SEQUENTIAL ABI_MADV_SEQUENTIAL
#define MADV_WILLNEED ABI_MADV_WILLNEED
#define MADV_DONTNEED ABI_MADV_DONTNEED

/* After an error nothing is mapped that was not, and nothing is gone. EINVAL: no bytes, unknown
 * bits, not one of MAP_SHARED and MAP_PRIVATE, an offset or a fixed addr in the middle of a page,
 * a file's offset below 0. EOVERFLOW: offset + n of a file is beyond off_t. EBADF: fd is not open.
 * EACCES: it is not open for reading, or for what prot wants of a shared file. ENODEV: fd is no
 * file of the disk. EIO: the disk. EEXIST: something is there (MAP_FIXED_NOREPLACE). ENOMEM: no
 * room, or it cannot be promised. ENOTSUP: MAP_NORESERVE, or a disk too small for stores to its
 * files. */
void *mmap(void *addr, size_t n, int prot, int flags, int fd, off_t offset);
/* EINVAL: no bytes, addr in the middle of a page, or beyond what a process can have. ENOMEM: no
 * memory to note that both ends of a mapping stay. Then all is mapped as before. */
int munmap(void *addr, size_t n);
/* EINVAL: unknown bits, addr in the middle of a page. ENOMEM: something there is not mapped, or
 * cannot be promised. EACCES: something there may never permit this. Then all is as before. */
int mprotect(void *addr, size_t n, int prot);
/* EINVAL: unknown advice, addr in the middle of a page: nothing was done. ENOMEM: something there
 * is not mapped; the rest was done. */
int madvise(void *addr, size_t n, int advice);
/* EINVAL: unknown bits, MS_SYNC with MS_ASYNC, addr in the middle of a page: nothing was done.
 * EIO: some of what was stored will never be on the disk. ENOMEM: something there is not mapped;
 * the rest is stored. */
int msync(void *addr, size_t n, int flags);
