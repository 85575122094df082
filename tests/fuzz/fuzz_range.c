/* The range check of user memory, against arithmetic that is wide enough. */
/* sources: tests/host/hostarch.c */
#include "arch/layout.h"
#include "mm/uaccess.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint64_t word[2];
    if (size < sizeof word)
        return 0;
    memcpy(word, data, sizeof word);
    unsigned __int128 end = (unsigned __int128)word[0] + word[1];
    if (user_range_ok(UA(word[0]), word[1]) != (word[0] <= USER_MAX && end <= USER_MAX))
        abort();
    return 0;
}
