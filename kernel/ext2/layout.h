/* What stands on a disk of ext2 or ext3: the names and numbers of Linux's documentation of the
 * format (The Second Extended File System; ext4's "Data Structures and Algorithms"). All numbers
 * are little-endian, as the machine's. */
#pragma once
#include "lib/types.h"

#define EXT2_MAGIC 0xef53
#define EXT2_SUPER_OFFSET 1024 /* bytes from the start of the disk */

struct ext2_super {
    uint32_t inodes, blocks, blocks_reserved, blocks_free, inodes_free;
    uint32_t first_data_block; /* 1 where a block is 1024 bytes, else 0 */
    uint32_t log_block_size;   /* 0: 1024 bytes */
    uint32_t log_fragment_size;
    uint32_t blocks_per_group, fragments_per_group, inodes_per_group;
    uint32_t mounted_at, written_at;
    uint16_t mounts, mounts_max;
    uint16_t magic;
    uint16_t state, errors;
    uint16_t minor_revision;
    uint32_t checked_at, check_interval, creator;
    uint32_t revision; /* 0: what follows is not there */
    uint16_t reserved_uid, reserved_gid;
    uint32_t first_inode; /* that is free for all */
    uint16_t inode_size;
    uint16_t group;
    uint32_t compat, incompat, ro_compat;
    uint8_t uuid[16], name[16], last_mounted[64];
    uint32_t compression;
    uint8_t preallocate, preallocate_dir;
    uint16_t reserved_gdt_blocks;
    uint8_t journal_uuid[16];
    uint32_t journal_inode, journal_device;
    uint32_t last_orphan; /* the first of a list that goes on in the inodes' dtime */
    uint8_t rest[788];
};
_Static_assert(sizeof(struct ext2_super) == 1024, "the format says so");
_Static_assert(offsetof(struct ext2_super, magic) == 56, "the format says so");
_Static_assert(offsetof(struct ext2_super, incompat) == 96, "the format says so");
_Static_assert(offsetof(struct ext2_super, last_orphan) == 232, "the format says so");

#define EXT2_STATE_VALID 1  /* nobody has it mounted to write, or it has a journal */
#define EXT2_STATE_ERRORS 2 /* somebody met a contradiction */

/* Features. Those of `compat` may be ignored; of the others Trellis knows these. */
#define EXT2_COMPAT_JOURNAL 4
#define EXT2_INCOMPAT_FILETYPE 2 /* directories say what names are */
#define EXT2_INCOMPAT_RECOVER 4  /* the journal may have what is to be replayed */
#define EXT2_RO_SPARSE_SUPER 1
#define EXT2_RO_LARGE_FILE 2 /* a file may have 2 GiB and more */

struct ext2_group {
    uint32_t block_bitmap, inode_bitmap, inode_table; /* blocks */
    uint16_t blocks_free, inodes_free, directories, flags;
    uint32_t reserved[3];
};
_Static_assert(sizeof(struct ext2_group) == 32, "the format says so");

#define EXT2_ROOT_INODE 2
#define EXT2_DIRECT 12
#define EXT2_ADDRESSES 15 /* 12 direct, then one each of 1, 2 and 3 steps */

struct ext2_dinode {
    uint16_t mode, uid;
    uint32_t size, atime, ctime, mtime, dtime;
    uint16_t gid, links;
    uint32_t sectors; /* of 512 bytes, that it has, with indirect blocks */
    uint32_t flags, version;
    uint32_t block[EXT2_ADDRESSES];
    uint32_t generation, file_acl;
    uint32_t size_high; /* of a file */
    uint32_t fragment;
    uint16_t blocks_high, acl_high, uid_high, gid_high;
    uint32_t reserved;
    /* Here ends an inode of 128 bytes. */
    uint16_t extra_bytes, checksum_high;            /* so many follow */
    uint32_t ctime_extra, mtime_extra, atime_extra; /* nanoseconds << 2 | epoch */
    uint32_t crtime, crtime_extra;
    uint32_t version_high, project;
};
#define EXT2_INODE_OLD 128
#define EXT2_TIMES_EXTRA 16 /* extra_bytes, of an inode that has the three times' */
_Static_assert(offsetof(struct ext2_dinode, extra_bytes) == EXT2_INODE_OLD, "the format says so");
_Static_assert(sizeof(struct ext2_dinode) == 160, "the format says so");

#define EXT2_MODE_TYPE 0xf000
enum {
    EXT2_MODE_FIFO = 0x1000,
    EXT2_MODE_CHAR = 0x2000,
    EXT2_MODE_DIR = 0x4000,
    EXT2_MODE_BLOCK = 0x6000,
    EXT2_MODE_FILE = 0x8000,
    EXT2_MODE_LINK = 0xa000,
    EXT2_MODE_SOCKET = 0xc000,
};
#define EXT2_FLAG_INDEX 0x1000    /* a directory has an index; without the flag it is a list */
#define EXT2_FLAG_EXTENTS 0x80000 /* ext4's */

#define EXT2_NAME_MAX 255
#define EXT2_LINKS_MAX 32000

struct ext2_dirent {
    uint32_t inode; /* 0: free */
    uint16_t bytes; /* up to the next one */
    uint8_t name_length;
    uint8_t type; /* where INCOMPAT_FILETYPE says so */
    char name[];
};
_Static_assert(sizeof(struct ext2_dirent) == 8, "the format says so");

enum {
    EXT2_TYPE_FILE = 1,
    EXT2_TYPE_DIR,
    EXT2_TYPE_CHAR,
    EXT2_TYPE_BLOCK,
    EXT2_TYPE_FIFO,
    EXT2_TYPE_SOCKET,
    EXT2_TYPE_LINK
};

/* A block of extended attributes, of which only the count matters here: files may share one. */
struct ext2_xattr {
    uint32_t magic, references;
};
#define EXT2_XATTR_MAGIC 0xea020000
