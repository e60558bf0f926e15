/* Passwords, tokens, hashes. crypt_start once per process, before anything else here. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum err crypt_start(void) MUST_CHECK;

/* argon2id (RFC 9106) in the PHC text form by libsodium, on ctx. 8 to 1,024 bytes (checked by the caller). */
enum err password_hash(const void *ctx, const char *password, uint64_t memory_bytes, uint64_t passes, const char **hash_out) MUST_CHECK;
/* E_CREDENTIALS unless it fits. hash NULL: takes the same time against a dummy of the same cost, then E_CREDENTIALS. */
enum err password_check(const char *hash, const char *password, uint64_t memory_bytes, uint64_t passes) MUST_CHECK;
/* E_WEAK_PASSWORD with a sentence that says why (libzxcvbn's guess), or E_FIELD_INVALID for the length. */
enum err password_strength(const char *password, const char *username) MUST_CHECK;

/* Opaque tokens: 256 random bits as 43 characters of base64url. Stores keep only the hash. */
#define TOKEN_LEN 43
void token_new(char token_out[TOKEN_LEN + 1]);
void token_hash(const char *token, char hex_out[65]);
/* Same time for any difference. */
int token_equal(const char *a, const char *b);

/* SHA-256 by OpenSSL, streaming. */
struct sha256;
struct sha256 *sha256_new(const void *ctx);
void sha256_add(struct sha256 *h, const void *bytes, size_t n);
void sha256_hex(struct sha256 *h, char hex_out[65]);

/* HMAC-SHA-256 (RFC 2104); out may be the key. */
#define HMAC_BYTES 32
void hmac_sha256(const void *key, size_t key_len, const void *text, size_t len, unsigned char out[HMAC_BYTES]);
