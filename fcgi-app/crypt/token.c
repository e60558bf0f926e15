#include "crypt/crypt.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"

enum { TOKEN_BYTES = 32 };
_Static_assert(sodium_base64_ENCODED_LEN(TOKEN_BYTES, sodium_base64_VARIANT_URLSAFE_NO_PADDING) ==
                   TOKEN_LEN + 1,
               "a token's text is as long as its bytes need");

void token_new(char token_out[TOKEN_LEN + 1])
{
    unsigned char bytes[TOKEN_BYTES];
    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(token_out, TOKEN_LEN + 1, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    mem_wipe(bytes, sizeof bytes);
}

/* A plain hash is enough: there is nothing to guess in 256 random bits, so nothing to slow down either. */
void token_hash(const char *token, char hex_out[65])
{
    struct sha256 *h = sha256_new(NULL);
    sha256_add(h, token, strlen(token));
    sha256_hex(h, hex_out);
    talloc_free(h);
}

int token_equal(const char *a, const char *b)
{
    size_t len = strlen(a);
    return len == strlen(b) && sodium_memcmp(a, b, len) == 0;
}
