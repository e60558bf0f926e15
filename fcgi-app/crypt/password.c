#include "crypt/crypt.h"

#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <zxcvbn.h>

#include "base/mem.h"

enum { PASSWORD_MIN = 8, PASSWORD_MAX = 1024 };

/* Only so much is looked at: libzxcvbn's effort grows with the fourth power of the length where everything
 * may be a date ("1212...": 14 ms for 40 bytes, 1.2 s for 100). A password good for 40 bytes stays good. */
enum { LOOKED_AT = 40 };

/* 10^8 guesses: a year of them through the throttled sign-in does not get there, and argon2id makes them
 * cost two months of one core when the hashes were stolen. */
static const double BITS_ENOUGH = 26.6;

enum err password_hash(const void *ctx, const char *password, uint64_t memory_bytes, uint64_t passes,
                       const char **hash_out)
{
    char hash[crypto_pwhash_STRBYTES];
    if (crypto_pwhash_str_alg(hash, password, strlen(password), passes, (size_t)memory_bytes,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return err_set(E_BUSY, "no memory for a password hash of %llu bytes (login.memory)",
                       (unsigned long long)memory_bytes);
    *hash_out = mem_str(ctx, hash);
    return E_OK;
}

/* A well-formed hash that nothing fits: its salt and its sum are random. Checking against it is the same
 * work as against a real one, and making it is none, so that not even the first unknown user stands out. */
static void dummy_hash(char hash_out[crypto_pwhash_STRBYTES], uint64_t memory_bytes, uint64_t passes)
{
    enum { SALT = crypto_pwhash_SALTBYTES, SUM = 32, BASE64 = sodium_base64_VARIANT_ORIGINAL_NO_PADDING };
    unsigned char random[SALT + SUM];
    char salt[sodium_base64_ENCODED_LEN(SALT, BASE64)], sum[sodium_base64_ENCODED_LEN(SUM, BASE64)];

    randombytes_buf(random, sizeof random);
    sodium_bin2base64(salt, sizeof salt, random, SALT, BASE64);
    sodium_bin2base64(sum, sizeof sum, random + SALT, SUM, BASE64);
    snprintf(hash_out, crypto_pwhash_STRBYTES, "%sv=19$m=%llu,t=%llu,p=1$%s$%s", crypto_pwhash_STRPREFIX,
             (unsigned long long)(memory_bytes / 1024), (unsigned long long)passes, salt, sum);
}

/* An account that was never given a password has no hash to compare with; it must not answer faster. */
static bool usable(const char *hash)
{
    return hash && strncmp(hash, crypto_pwhash_STRPREFIX, strlen(crypto_pwhash_STRPREFIX)) == 0;
}

/* libsodium 1.0.18 calls a hash for which there was no memory a mismatch; the same memory asked for again
 * tells them apart. */
static bool memory_there(uint64_t bytes)
{
    void *memory = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    munmap(memory, (size_t)bytes);
    return true;
}

enum err password_check(const char *hash, const char *password, uint64_t memory_bytes, uint64_t passes)
{
    char dummy[crypto_pwhash_STRBYTES];
    bool known = usable(hash);
    if (!known)
        dummy_hash(dummy, memory_bytes, passes);

    bool fits = crypto_pwhash_str_verify(known ? hash : dummy, password, strlen(password)) == 0;
    if (known && fits)
        return E_OK;
    if (!memory_there(memory_bytes))
        return err_set(E_BUSY, "no memory to check a password (login.memory)");
    return err_set(E_CREDENTIALS, "%s",
                   known ? "the password does not fit" : "there is no password to check");
}

/* What to tell about a password that consists of such a piece. */
static const char *const reasons[] = {
    [BRUTE_MATCH] = "This password is too short to be hard to guess; add a few more words.",
    [DICTIONARY_MATCH] = "This password is a common word, name or password; use several unusual words.",
    [DICT_LEET_MATCH] = "This password is a common word with letters replaced; use several unusual words.",
    [USER_MATCH] = "This password contains your user name or the name of this service; use other words.",
    [USER_LEET_MATCH] = "This password contains your user name or the name of this service; use other words.",
    [REPEATS_MATCH] = "This password repeats the same characters; use several unusual words.",
    [SEQUENCE_MATCH] = "This password is a sequence like abcd or 4321; use several unusual words.",
    [SPATIAL_MATCH] = "This password follows neighbouring keys of the keyboard; use several unusual words.",
    [DATE_MATCH] = "This password is mostly a date; add a few words that have nothing to do with it.",
    [YEAR_MATCH] = "This password is mostly a year; add a few words that have nothing to do with it.",
};

/* The kind of piece that most characters belong to. Stray characters between words explain nothing unless
 * there is nothing else. */
static const char *reason_for(const ZxcMatch_t *match)
{
    int longest = 0;
    ZxcTypeMatch_t kind = BRUTE_MATCH;
    for (; match; match = match->Next) {
        ZxcTypeMatch_t type = match->Type & ~(unsigned)MULTIPLE_MATCH;
        if (type == BRUTE_MATCH || type >= sizeof reasons / sizeof *reasons || match->Length <= longest)
            continue;
        longest = match->Length;
        kind = type;
    }
    return reasons[kind] ? reasons[kind] : reasons[BRUTE_MATCH];
}

enum err password_strength(const char *password, const char *username)
{
    size_t len = strlen(password);
    if (len < PASSWORD_MIN || len > PASSWORD_MAX)
        return err_say(E_FIELD_INVALID, "A password is %d to 1,024 bytes long.", PASSWORD_MIN);

    char head[LOOKED_AT + 1] = "";
    memcpy(head, password, len < LOOKED_AT ? len : LOOKED_AT);
    const char *words[] = {"coffer", username && *username ? username : NULL, NULL};
    ZxcMatch_t *matches = NULL;
    double bits = ZxcvbnMatch(head, words, &matches);
    const char *reason = reason_for(matches);
    ZxcvbnFreeInfo(matches);
    mem_wipe(head, sizeof head);

    return bits >= BITS_ENOUGH ? E_OK : err_say(E_WEAK_PASSWORD, "%s", reason);
}
