#include "base/id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/log.h"

#define ID_BYTES (ID_LEN / 2)

struct id id_new(void)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[ID_BYTES];
    struct id id = {0};
    ssize_t n;

    do
        n = getrandom(raw, sizeof raw, 0); /* up to 256 bytes come whole, or not at all */
    while (n < 0 && errno == EINTR);
    if (n != sizeof raw) {
        log_say(LOG_ERROR, "random", "getrandom: %m");
        abort(); /* an id that can be guessed or comes twice is worse than no process */
    }
    for (size_t i = 0; i < sizeof raw; i++) {
        id.s[2 * i] = digits[raw[i] >> 4];
        id.s[2 * i + 1] = digits[raw[i] & 15];
    }
    return id;
}

enum err id_parse(const char *text, struct id *id_out)
{
    struct id id = {0};
    if (strspn(text, "0123456789abcdef") != ID_LEN || text[ID_LEN] != '\0')
        return E_NOT_FOUND;
    memcpy(id.s, text, ID_LEN);
    *id_out = id;
    return E_OK;
}
