/* See files.h. */
#include "machine/cli/files.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool grow(uint8_t **bytes, size_t *room) {
    size_t wanted = *room ? *room * 2 : 1 << 20;
    uint8_t *more = realloc(*bytes, wanted);
    if (more == NULL)
        return false;
    *bytes = more;
    *room = wanted;
    return true;
}

static bool read_file(const char *path, struct sim_image *image, char *error, size_t error_size) {
    uint8_t *bytes = NULL;
    size_t size = 0, room = 0, got = 1;
    FILE *file = fopen(path, "rb");
    if (file != NULL) {
        while (got > 0 && (size < room || grow(&bytes, &room))) {
            got = fread(bytes + size, 1, room - size, file);
            size += got;
        }
        if (!ferror(file) && got == 0) {
            fclose(file);
            *image = (struct sim_image){bytes, size, path};
            return true;
        }
    }
    snprintf(error, error_size, "%s: cannot be read (%s)", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    free(bytes);
    return false;
}

bool files_open(struct cli *cli, char *error, size_t error_size) {
    if (!read_file(cli->kernel, &cli->sim.kernel, error, error_size))
        return false;
    if (cli->firmware != NULL && !read_file(cli->firmware, &cli->sim.firmware, error, error_size))
        return false;
    if (cli->initrd != NULL && !read_file(cli->initrd, &cli->sim.initrd, error, error_size))
        return false;
    if (cli->profile != NULL && !read_file(cli->profile, &cli->sim.profile, error, error_size))
        return false;
    for (unsigned i = 0; i < cli->disk_count; i++)
        if (!read_file(cli->disks[i], &cli->sim.disks[i], error, error_size))
            return false;
    if (!cli->mode_given)
        cli->sim.machine_mode = cli->firmware != NULL ||
                                sim_begins_in_machine_mode(&cli->sim.kernel);
    if (!cli->misaligned_given) /* as firmwares do for S-mode and user programs */
        cli->sim.misaligned = !cli->sim.machine_mode;
    return true;
}

static bool keep_one(const char *path, const char *mode, struct sim *sim, unsigned disk,
                     uint64_t size) {
    uint8_t block[4096];
    bool good = true;
    FILE *file = fopen(path, mode);
    for (uint64_t at = 0; file != NULL && good && at < size; at += sizeof(block)) {
        size_t count = size - at < sizeof(block) ? size - at : sizeof(block);
        good = sim_disk_read(sim, disk, at, block, count) && fwrite(block, 1, count, file) == count;
    }
    int err = errno;
    if (file != NULL && fclose(file) != 0 && good) {
        err = errno;
        good = false;
    }
    if (file == NULL || !good)
        fprintf(stderr, "sim: %s: cannot be written (%s)\n", path, strerror(err));
    return file != NULL && good;
}

bool files_keep(const struct cli *cli, struct sim *sim) {
    bool good = true;
    for (unsigned i = 0; cli->keep_disks && i < cli->disk_count; i++)
        good &= keep_one(cli->disks[i], "r+b", sim, i, cli->sim.disks[i].size);
    return good;
}

bool files_keep_beside(const struct cli *cli, struct sim *sim, uint64_t number) {
    char path[4096];
    bool good = true;
    for (unsigned i = 0; cli->keep_disks && i < cli->disk_count; i++) {
        snprintf(path, sizeof(path), "%s.%" PRIu64, cli->disks[i], number);
        good &= keep_one(path, "wb", sim, i, cli->sim.disks[i].size);
    }
    return good;
}

bool files_sign(const struct cli *cli, const struct sim *sim) {
    uint64_t at, end;
    uint32_t word;
    if (cli->signature == NULL)
        return true;
    if (!sim_symbol(sim, "begin_signature", &at) || !sim_symbol(sim, "end_signature", &end)) {
        fprintf(stderr, "sim: --signature: %s has no begin_signature or no end_signature\n",
                cli->kernel);
        return false;
    }
    FILE *file = fopen(cli->signature, "w");
    bool good = file != NULL;
    for (; good && at < end && sim_memory(sim, at, &word, sizeof(word)); at += sizeof(word))
        good = fprintf(file, "%08" PRIx32 "\n", word) > 0;
    if (file != NULL)
        good &= fclose(file) == 0;
    if (!good)
        fprintf(stderr, "sim: %s: cannot be written (%s)\n", cli->signature, strerror(errno));
    return good;
}

void files_close(struct cli *cli) {
    free((void *)cli->sim.kernel.bytes);
    free((void *)cli->sim.firmware.bytes);
    free((void *)cli->sim.initrd.bytes);
    free((void *)cli->sim.profile.bytes);
    for (unsigned i = 0; i < cli->disk_count; i++)
        free((void *)cli->sim.disks[i].bytes);
}
