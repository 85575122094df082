/* A file as a memory object, whatever file system it is of: its pages are the page cache's own
 * frames, so what is mapped is what read and write see, at once. Before a page is cut off it is
 * taken away from all who have mapped it. A program that is run is mapped, too, by an object of its
 * own with the same pages: a file is either run or written, and which of the two came first
 * decides.
 *
 * What is stored through a shared mapping belongs to the transaction that ran when the page was
 * made writable. When that is closed the page is writable no more, and the next store faults and
 * joins the transaction that runs then. So stores are as durable as writes, and fsync, sync and
 * the flusher need not look for them. Where the log has not room for the two pages that one store
 * may need, the objects refuse stores. */
#pragma once
#include "mm/object.h"

struct filemap;

/* Part of each inode. All zero: nobody maps it. filemap.c's lock guards it. */
struct mappable {
    struct filemap *map; /* while it is mapped */
    uint32_t writers;    /* who may write it, as a file that is open */
};

/* What a file system does for it. */
struct filemap_ops {
    /* References to the inode. put may be the last one. */
    void (*get)(struct mappable *file);
    void (*put)(struct mappable *file);
    uint32_t (*number)(const struct mappable *file); /* the page cache knows it by */
    /* How many pages mappings can show now: these are promised. Not locked. */
    uint64_t (*pages)(const struct mappable *file);
    /* As an object's page and sync are (object.h), for a page that is promised. */
    int (*show)(struct mappable *file, uint32_t index, unsigned most, bool write,
                object_show_fn show, void *ctx);
    int (*sync)(struct mappable *file);
    /* Blocks of the log that an operation reserves to store to one page. */
    uint32_t (*store_cost)(void);
};

/* The object for the contents of a file, one for all its mappings, with one reference more; it has
 * one of its own to the inode, which is locked. pages: the mapping that is to be made shows none
 * behind so many; those that the file comes to have later are promised when they are asked for. As
 * long as the object is there the most that was mapped of it at a time counts as mapped. -K_ENOMEM:
 * it cannot be promised, or more would be mapped of all files than half of the page cache. After an
 * error there is no reference more. */
int filemap_create(struct mappable *file, const struct filemap_ops *ops, uint64_t pages,
                   struct object **out) must_check;

/* The same, to be run as a program: as long as there is a reference nobody can write the file, and
 * what its last page has behind the file's last block is to be made zero (pagefile_clean_end), if
 * so much is mapped. -K_ETXTBSY: it is open for writing, or mapped so that it may be written; or as
 * above, but of the page cache three quarters may be mapped, and seven eighths for whoever is in
 * the reserve (group.h). */
int filemap_create_program(struct mappable *file, const struct filemap_ops *ops, uint64_t pages,
                           struct object **out) must_check;

/* Somebody is going to write the file or change its size, until filemap_end_writes: nobody can run
 * it meanwhile. With a reference to the inode. all: how many there are of all files of the file
 * system; atomic. -K_ETXTBSY: it is run. */
int filemap_begin_writes(struct mappable *file, uint32_t *all) must_check;
void filemap_end_writes(struct mappable *file, uint32_t *all);

/* For the log: that page may be written through no mapping any more, until it is asked for again.
 * With a reference to the inode; no spinlock is held. */
void filemap_forbid_writes(struct mappable *file, uint32_t index);

/* The file has so many pages now: nobody shows one behind them. The inode is locked. */
void filemap_cut(struct mappable *file, uint64_t pages);
