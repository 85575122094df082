/* Sockets as Linux's programs have them: what its files do for each other. */
#pragma once
#include "linux/linux.h"
#include "socket/socket.h"

#define LINUX_AF_UNIX 1

/* Who has sent a message, or has the other end. */
struct ucred {
    int32_t pid;
    uint32_t uid, gid;
};

/* An address in user memory. -K_EINVAL: too long or too short; -K_EAFNOSUPPORT; -K_EFAULT. */
int linux_address(uint64_t at, uint64_t bytes, struct socket_address *a) must_check;
/* Tells that of who has sent a message, as far as there is room, whose length is at bytes_at and is
 * the address's afterwards: 0 of one without an address. -K_EFAULT, -K_EINVAL. */
int linux_tell_sender(const struct socket_address *a, uint64_t at, uint64_t bytes_at) must_check;

/* The open files of SCM_RIGHTS, from a message's control data; *out is NULL when there are none.
 * -K_EINVAL, -K_EBADF, -K_EFAULT, -K_EPERM: other credentials than the caller's; -K_ENOBUFS. */
int linux_read_control(uint64_t at, uint64_t bytes, struct carried **out) must_check;

/* Tells what came with a message: descriptors for its files, which are opened, and who has sent it.
 * The record of the files is given back. *bytes of room there are, and become what is used; what
 * had no room is closed, and *cut is true. -K_EFAULT. */
struct socket_received;
int linux_tell_control(struct socket_received *r, bool sender, bool on_exec, uint64_t at,
                       uint64_t *bytes, bool *cut) must_check;

/* The vector of one call as a single message or read; n entries. */
int linux_send_vector(struct file *f, uint64_t vector, uint64_t n, uint64_t *result) must_check;
int linux_receive_vector(struct file *f, uint64_t vector, uint64_t n, uint64_t *result) must_check;
