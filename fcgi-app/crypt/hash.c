#include "crypt/crypt.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { SHA256_BYTES = 32 };

struct sha256 {
    EVP_MD_CTX *md; /* NULL once the sum was taken */
};

static int sha256_gone(struct sha256 *h)
{
    EVP_MD_CTX_free(h->md);
    return 0;
}

/* SHA-256 itself cannot fail: what OpenSSL reports here is memory that ran out or a library without it. */
static void must(int openssl_result)
{
    if (openssl_result != 1)
        abort();
}

struct sha256 *sha256_new(const void *ctx)
{
    struct sha256 *h = mem_new(ctx, struct sha256);
    h->md = EVP_MD_CTX_new();
    must(h->md != NULL);
    talloc_set_destructor(h, sha256_gone);
    must(EVP_DigestInit_ex(h->md, EVP_sha256(), NULL));
    return h;
}

void sha256_add(struct sha256 *h, const void *bytes, size_t n)
{
    assert(h->md);
    must(EVP_DigestUpdate(h->md, bytes, n));
}

void sha256_hex(struct sha256 *h, char hex_out[65])
{
    unsigned char sum[SHA256_BYTES];
    assert(h->md);
    must(EVP_DigestFinal_ex(h->md, sum, NULL));
    EVP_MD_CTX_free(h->md);
    h->md = NULL;
    sodium_bin2hex(hex_out, 2 * SHA256_BYTES + 1, sum, sizeof sum);
}

void hmac_sha256(const void *key, size_t key_len, const void *text, size_t len, unsigned char out[HMAC_BYTES])
{
    unsigned char sum[HMAC_BYTES]; /* of its own, since out may be the key */
    must(HMAC(EVP_sha256(), key, (int)key_len, text, len, sum, NULL) != NULL);
    memcpy(out, sum, sizeof sum);
}
