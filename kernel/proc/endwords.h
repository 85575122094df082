/* What a thread that ends leaves in its program's memory, for those that go on: a word that says
 * that it has ended, and its locks, which nobody else would give back. thread_self()->end_words
 * says where these are.
 *
 * The list of locks is Linux's, which the program keeps: a head of three words of 8 bytes, the
 * address of the first entry, the distance from an entry to its lock, and the entry that is being
 * taken or given back, or 0; each entry begins with the address of the next one, the last one with
 * that of the head. Bit 0 of an address is not part of it. A lock is a word of 4 bytes with the
 * number of the thread that has it, and two bits more. Nothing there is trusted: what cannot be
 * read or written ends the list, and so does the entry after END_WORDS_LOCKS. */
#pragma once
#include "lib/types.h"

#define LOCK_OWNER 0x3fffffffU      /* the thread's number */
#define LOCK_OWNER_DIED 0x40000000U /* it has ended, and nobody has looked at what it guards */
#define LOCK_WAITED_FOR 0x80000000U

#define END_WORDS_LOCKS 2048

/* The running thread ends, or its program does: each lock in the list that it has gets the bit that
 * says so, and no owner, and one who waits for it is woken; who waits for a lock that knows its
 * owner (futexpi.h) gets it. others_go_on: the word that is to be cleared is, too; not when the
 * whole process ends. May sleep. Once: there is nothing left to do afterwards. */
void end_words_leave(bool others_go_on);
