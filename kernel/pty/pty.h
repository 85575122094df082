/* Pseudo-terminals: a terminal (tty/tty.h) at whose other side a program sits, as it does with a
 * terminal emulator or a login from elsewhere. Who opens /dev/ptmx has the master of a new one; its
 * slave, which is a terminal for all who use it, is /dev/pts/NUMBER. What is written to the master
 * is typed at the slave, and what is written to the slave, and echoed there, is read at the master:
 * up to PTY_QUEUE bytes wait for that, then a writer waits, and an echo is lost.
 *
 * The pair is there until the master and all slaves are closed, and keeps its number as long. When
 * the master closes, the slave's name goes, and the terminal is hung up. While no slave is open any
 * more, a read of the master is -K_EIO behind the last byte; before the first one was, it waits. */
#pragma once
#include "lib/types.h"

#define PTY_QUEUE 4096
#define PTY_MOST 128 /* pairs */
#define PTY_KEPT 8   /* of these: for the session at the console and its commands (fd_in_reserve) */

struct file;
struct node;
struct pty;
struct tty;

/* At boot: what /dev/ptmx does. */
void pty_boot_init(void);
/* The folder of all slaves, to be mounted. There is one: dev is the number of the file system if
 * nobody has asked for it yet. */
struct node *pty_folder(uint32_t dev);

/* Of which pair f is the master; NULL: it is none. */
struct pty *pty_of_master(const struct file *f);
struct tty *pty_tty(struct pty *p);
struct node *pty_node(struct pty *p); /* of its slave, which nobody can open while it is locked */
uint32_t pty_number(const struct pty *p);
void pty_lock(struct pty *p, bool locked);
bool pty_has_lock(struct pty *p);
