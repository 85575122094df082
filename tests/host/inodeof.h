/* The inode that a path names, with a reference, in a test that looks into it. */
#pragma once
#include "fs/fsnode.h"
#include "vfs/path.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static inline struct inode *inode_of(const char *path) {
    struct node *n;
    assert_int_equal(path_lookup(path, &n), 0);
    return fsnode_inode(n);
}
