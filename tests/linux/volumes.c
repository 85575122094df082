/* Disks as devices, and the file system of one: mounted, taken away, mounted again. Without an
 * argument it asks for what is not there; else where the file system is, which of the two disks
 * has it, and of which type it is: "/xv6 /dev/vda xv6". */
#define _GNU_SOURCE
#include "check.h"
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define MAJOR 254
#define EXT2_MARK 1080 /* bytes from the start, two of them */

static int has_line(const char *path, const char *text) {
    char line[512];
    int found = 0;
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof(line), f))
        found |= strstr(line, text) != NULL;
    if (f)
        fclose(f);
    return found;
}

static void no_such_disk(void) {
    CHECK_EQ(mknod("/tmp/vdp", S_IFBLK | 0600, makedev(MAJOR, 240)), 0);
    CHECK(open("/tmp/vdp", O_RDONLY) < 0 && errno == ENXIO);
    CHECK(mount("/tmp/vdp", "/tmp", "ext2", 0, NULL) < 0 && errno == ENXIO);
    CHECK(mount("/dev/null", "/tmp", "ext2", 0, NULL) < 0 && errno == ENOTBLK);
    CHECK(mount("/none", "/tmp", "ext2", 0, NULL) < 0 && errno == ENOENT);
    CHECK_EQ(unlink("/tmp/vdp"), 0);
}

static void is_a_disk(const char *path, unsigned minor) {
    static unsigned char all[3 * 4096], part[777];
    struct stat st;
    uint64_t bytes = 0;
    unsigned long sectors = 0;
    int sector = 0;
    CHECK(stat(path, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == makedev(MAJOR, minor));
    CHECK(open(path, O_WRONLY) < 0 && errno == EROFS);
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && ioctl(fd, BLKGETSIZE64, &bytes) == 0 && bytes > sizeof(all));
    CHECK(ioctl(fd, BLKGETSIZE, &sectors) == 0 && sectors * 512 == bytes);
    CHECK(ioctl(fd, BLKSSZGET, &sector) == 0 && sector == 512);
    CHECK(ioctl(fd, BLKGETSIZE64, (void *)8) < 0 && errno == EFAULT);
    CHECK(ioctl(fd, 0x1234, 0) < 0 && errno == ENOTTY);
    CHECK_EQ(read(fd, all, sizeof(all)), sizeof(all));
    for (off_t at = 1; at + sizeof(part) < sizeof(all); at += 1111) {
        CHECK_EQ(pread(fd, part, sizeof(part), at), sizeof(part));
        CHECK(!memcmp(part, all + at, sizeof(part)));
    }
    CHECK(lseek(fd, -100, SEEK_END) == (off_t)bytes - 100);
    CHECK_EQ(read(fd, part, sizeof(part)), 100);
    CHECK_EQ(read(fd, part, sizeof(part)), 0);
    CHECK(read(fd, (void *)8, 1) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    CHECK(read(fd, (void *)8, 1) < 0 && errno == EFAULT);
    close(fd);
    CHECK(mknod("/tmp/part", S_IFBLK | 0600, makedev(MAJOR, minor + 1)) == 0);
    CHECK(open("/tmp/part", O_RDONLY) < 0 && errno == ENXIO);
    CHECK_EQ(unlink("/tmp/part"), 0);
}

static int has_ext2_mark(const char *path) {
    unsigned char mark[2] = {0};
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && pread(fd, mark, 2, EXT2_MARK) == 2);
    close(fd);
    return mark[0] == 0x53 && mark[1] == 0xef;
}

static void file_system(const char *place, const char *device, const char *type) {
    const char *other = strcmp(device, "/dev/vda") ? "/dev/vda" : "/dev/vdb";
    char line[100], file[64];
    snprintf(file, sizeof(file), "%s/volumes", place);
    snprintf(line, sizeof(line), "%s %s %s rw 0 0\n", device, place, type);
    CHECK(has_line("/proc/mounts", line));
    snprintf(line, sizeof(line), "\t%s\n", type);
    CHECK(has_line("/proc/filesystems", line));
    int fd = open(file, O_RDWR | O_CREAT, 0644);
    CHECK(fd >= 0 && write(fd, "kept", 4) == 4);
    CHECK(umount(place) < 0 && errno == EBUSY);
    CHECK(mount(NULL, place, NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0 && errno == EBUSY);
    close(fd);
    CHECK(mount(device, "/tmp", type, 0, NULL) < 0 && errno == EBUSY);
    CHECK_EQ(umount(place), 0);
    CHECK(access(file, F_OK) < 0 && !has_line("/proc/mounts", device));
    CHECK(mount(device, place, strcmp(type, "xv6") ? "xv6" : "ext3", 0, NULL) < 0);
    CHECK_EQ(errno, EINVAL);
    CHECK(mount(other, place, type, 0, NULL) < 0 && errno == EBUSY);
    CHECK_EQ(mount(device, place, type, MS_RDONLY, NULL), 0);
    CHECK(open(file, O_WRONLY) < 0 && errno == EROFS);
    CHECK_EQ(mount(NULL, place, NULL, MS_REMOUNT, NULL), 0);
    char text[8] = "";
    fd = open(file, O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof(text)) == 4 && !strcmp(text, "kept"));
    CHECK_EQ(umount2(place, MNT_DETACH), 0);
    CHECK(lseek(fd, 0, SEEK_SET) == 0 && read(fd, text, sizeof(text)) == 4);
    close(fd);
    CHECK_EQ(mount(device, place, type, 0, NULL), 0);
    CHECK_EQ(unlink(file), 0);
}

int main(int argc, char **argv) {
    if (argc < 4) {
        no_such_disk();
        return tell_end();
    }
    is_a_disk("/dev/vda", 0);
    is_a_disk("/dev/vdb", 16);
    CHECK(!has_ext2_mark("/dev/vda") && has_ext2_mark("/dev/vdb"));
    file_system(argv[1], argv[2], argv[3]);
    return tell_end();
}
