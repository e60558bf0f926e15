#include "core/device.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "crypt/crypt.h"

/* "<random token>.<HMAC of it and the account's key, hexadecimal>" */
#define MAC_LEN   (2 * HMAC_BYTES)
#define VALUE_LEN (TOKEN_LEN + 1 + MAC_LEN)

static enum err sign(struct core *c, const char *device, const char *key, char mac_out[static MAC_LEN + 1])
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const char *secret, *text = mem_printf(mem, "device\n%.*s\n%s", TOKEN_LEN, device, key);
    unsigned char mac[HMAC_BYTES];
    char fresh[TOKEN_LEN + 1];
    token_new(fresh);
    TRY(c->meta->ops->secret(c->meta, mem, fresh, &secret));
    hmac_sha256(secret, strlen(secret), text, strlen(text), mac);
    for (size_t i = 0; i < sizeof mac; i++)
        snprintf(mac_out + 2 * i, 3, "%02x", mac[i]);
    return E_OK;
}

enum err device_known(struct core *c, const char *shown, const char *key, bool *known_out)
{
    char mac[MAC_LEN + 1];
    *known_out = false;
    if (shown == NULL || key[0] == '\0' || strlen(shown) != VALUE_LEN || shown[TOKEN_LEN] != '.')
        return E_OK;
    TRY(sign(c, shown, key, mac));
    *known_out = token_equal(shown + TOKEN_LEN + 1, mac);
    return E_OK;
}

enum err device_value(struct core *c, const void *mem, const char *shown, const char *key, const char **value_out)
{
    char device[TOKEN_LEN + 1], mac[MAC_LEN + 1];
    bool known;
    TRY(device_known(c, shown, key, &known));
    if (known) {
        *value_out = shown;
        return E_OK;
    }
    token_new(device);
    TRY(sign(c, device, key, mac));
    *value_out = mem_printf(mem, "%s.%s", device, mac);
    return E_OK;
}
