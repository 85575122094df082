/* Memory mappings (POSIX). Each call that fails returns -1, or MAP_FAILED, and sets errno; when,
 * and what is true then, says docs/system-calls.md.
 *
 * mmap: EINVAL, EOVERFLOW, EBADF, EACCES, ENODEV, EIO, ENOMEM, EEXIST, ENOTSUP
 * munmap: EINVAL, ENOMEM
 * mprotect: EINVAL, ENOMEM, EACCES
 * madvise: EINVAL, ENOMEM
 * msync: EINVAL, EIO, ENOMEM
 * mremap: EINVAL, EFAULT, ENOMEM
 *
 * mremap is not of POSIX; with MREMAP_FIXED it has an argument more, the new address. */
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
#define MAP_NORESERVE ABI_MAP_NORESERVE /* private memory is not promised */
#define MAP_POPULATE ABI_MAP_POPULATE   /* pages are there from the start, as far as can be */
#define MAP_FAILED ((void *)-1)

#define MREMAP_MAYMOVE ABI_MREMAP_MAYMOVE
#define MREMAP_FIXED ABI_MREMAP_FIXED
#define MREMAP_DONTUNMAP ABI_MREMAP_DONTUNMAP

#define MS_ASYNC ABI_MS_ASYNC
#define MS_SYNC ABI_MS_SYNC
#define MS_INVALIDATE ABI_MS_INVALIDATE

#define MADV_NORMAL ABI_MADV_NORMAL
#define MADV_RANDOM ABI_MADV_RANDOM
#define MADV_SEQUENTIAL ABI_MADV_SEQUENTIAL
#define MADV_WILLNEED ABI_MADV_WILLNEED
#define MADV_DONTNEED ABI_MADV_DONTNEED

void *mmap(void *addr, size_t n, int prot, int flags, int fd, off_t offset);
int munmap(void *addr, size_t n);
int mprotect(void *addr, size_t n, int prot);
int madvise(void *addr, size_t n, int advice);
int msync(void *addr, size_t n, int flags);
void *mremap(void *addr, size_t old, size_t n, int flags, ...);
