#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../contract/blob/scratch.h"
#include "../contract/blob/traps.h"
#include "base/mem.h"
#include "crypt/crypt.h"

#define ROWS(table) (sizeof(table) / sizeof *(table))

enum { MEMORY = 8 << 20, PASSES = 1 }; /* the least that login.memory allows */

static int start(void **state)
{
    (void)state;
    return crypt_start() == E_OK ? 0 : -1;
}

/* The first three come with the reference implementation of argon2 (test.c), the next two with libsodium
 * (pwhash_argon2id.c); the sixth is what libsodium 1.0.18 makes with Coffer's defaults. */
static const struct {
    const char *hash, *password;
    enum err want;
} published[] = {
    {"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password", E_OK},
    {"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$C4TWUs9rDEvq7w3+J4umqA32aWKB1+DSiRuBfYxFj94", "differentpassword", E_OK},
    {"$argon2id$v=19$m=65536,t=2,p=1$ZGlmZnNhbHQ$vfMrBczELrFdWP0ZsfhWsRPaHppYdP3MVEMIVlqoFBw", "password", E_OK},
    {"$argon2id$v=19$m=4882,t=2,p=1$bA81arsiXysd3WbTRzmEOw$Nm8QBM+7RH1DXo9rvp5cwKEOOOfD2g6JuxlXihoNcpE", "", E_OK},
    {"$argon2id$v=19$m=4096,t=1,p=3$PkEgcHJldHR5IGxvbmcgc2FsdA$HUqx5Z1b/ZypnUrvvJ5UC2Q+T6Q1WwASK/Kr9dRbGA0",
     "K3S=KyH#)36_?]LxeR8QNKw6X=gFbxai$C%29V*", E_OK},
    {"$argon2id$v=19$m=65536,t=2,p=1$cxRG0LT0M9P/6JM+PsrgyQ$570oS83IWRRRv2KBCYDmu9tkQ2cvqwmRMijkSQvPPvA", "correct horse battery staple", E_OK},
    {"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "Password", E_CREDENTIALS},
    {"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "", E_CREDENTIALS},
    {"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/5", "password", E_CREDENTIALS},
    {"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ", "password", E_CREDENTIALS},
    {"$argon2id$", "password", E_CREDENTIALS},
    {"password", "password", E_CREDENTIALS},
    {"", "", E_CREDENTIALS},
    {NULL, "password", E_CREDENTIALS},
};

static void check_fits_published_hashes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof published / sizeof *published; i++) {
        enum err e = password_check(published[i].hash, published[i].password, MEMORY, PASSES);
        if (e != published[i].want)
            fail_msg("row %zu: %s", i, err_name(e));
    }
}

static void a_hash_fits_its_password_only_and_names_its_cost(void **state)
{
    const char *one, *other;
    void *ctx = talloc_new(NULL);
    (void)state;
    assert_int_equal(password_hash(ctx, "a pass\xc3\xa9 phrase", MEMORY, 2, &one), E_OK);
    assert_int_equal(password_hash(ctx, "a pass\xc3\xa9 phrase", MEMORY, 2, &other), E_OK);
    assert_int_equal(strncmp(one, "$argon2id$v=19$m=8192,t=2,p=1$", 30), 0);
    assert_string_not_equal(one, other);
    assert_int_equal(password_check(one, "a pass\xc3\xa9 phrase", MEMORY, PASSES), E_OK);
    assert_int_equal(password_check(one, "a passe phrase", MEMORY, PASSES), E_CREDENTIALS);
    talloc_free(ctx);
}

static void a_long_password_counts_to_its_last_byte(void **state)
{
    char password[1025];
    const char *hash;
    (void)state;
    memset(password, 'x', 1024);
    password[1024] = '\0';
    assert_int_equal(password_hash(NULL, password, MEMORY, PASSES, &hash), E_OK);
    assert_int_equal(password_check(hash, password, MEMORY, PASSES), E_OK);
    password[1023] = 'y';
    assert_int_equal(password_check(hash, password, MEMORY, PASSES), E_CREDENTIALS);
    talloc_free((void *)hash);
}

/* In time of the processor: the clock tells more of what else the machine does. */
static double cost_ms(const char *hash)
{
    clock_t t = clock();
    assert_int_equal(password_check(hash, "not the password", MEMORY, 4), E_CREDENTIALS);
    return (double)(clock() - t) * 1000 / CLOCKS_PER_SEC;
}

/* One pass less or more would be a fourth; what shares the processor's caches makes up to a quarter. So the least of several counts,
 * taken in turns, until they agree: those of different work never would. */
static void an_unknown_user_costs_what_a_known_one_costs(void **state)
{
    const char *hashes[] = {NULL, NULL, ""};
    double least[ROWS(hashes)] = {1e9, 1e9, 1e9};
    bool alike = false;
    (void)state;
    assert_int_equal(password_hash(NULL, "correct horse", MEMORY, 4, &hashes[0]), E_OK);
    for (int round = 0; round < 200 && !(round >= 7 && alike); round++) {
        for (size_t i = 0; i < ROWS(hashes); i++) {
            double ms = cost_ms(hashes[i]);
            least[i] = ms < least[i] ? ms : least[i];
        }
        alike = least[1] > least[0] * 0.85 && least[1] < least[0] * 1.15 && least[2] > least[0] * 0.85 && least[2] < least[0] * 1.15;
    }
    if (!alike)
        fail_msg("known %.2f ms, unknown %.2f ms, none %.2f ms", least[0], least[1], least[2]);
    talloc_free((void *)hashes[0]);
}

static int starve(void *arg)
{
    const char *hash = arg;
    const char *made;
    static const struct trap trap = {"mmap", SYS_mmap, 1, 512 << 20, ENOMEM}; /* of that many bytes */
    if (!trap_set(&trap))
        return NO_TRAPS;
    if (password_hash(NULL, "password", 512 << 20, 1, &made) != E_BUSY)
        return 2;
    return password_check(hash, "password", 512 << 20, 1) == E_BUSY ? 0 : 3;
}

/* Out of memory must not look like a wrong password: the throttle would count it. */
static void no_memory_is_not_a_wrong_password(void **state)
{
    static const char *const hashes[] = {
        "$argon2id$v=19$m=524288,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", NULL};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        int status = in_child(starve, (void *)hashes[i]);
        if (child_code(status) == NO_TRAPS) {
            print_message("# skipped: no seccomp here\n");
            skip();
        }
        if (status != 0)
            fail_msg("row %zu: status %x", i, (unsigned)status);
    }
}

static const struct {
    const char *password, *username;
    enum err want;
    const char *reason; /* a word of the sentence */
} strengths[] = {
    {"password", "alice", E_WEAK_PASSWORD, "common"},
    {"letmein99", "alice", E_WEAK_PASSWORD, "common"},
    {"P4ssw0rd!", "alice", E_WEAK_PASSWORD, "replaced"},
    {"alice123", "alice", E_WEAK_PASSWORD, "user name"},
    {"ALICE-alice", "alice", E_WEAK_PASSWORD, "user name"},
    {"4l1ce4l1ce", "alice", E_WEAK_PASSWORD, "user name"},
    {"coffer2024", "alice", E_WEAK_PASSWORD, "service"},
    {"xxxxyyyyxxxx", "alice", E_WEAK_PASSWORD, "repeats"},
    {"abcdefghij", "alice", E_WEAK_PASSWORD, "sequence"},
    {"zxcvbgfdsa", "alice", E_WEAK_PASSWORD, "keys"},
    {"1984-12-03", "alice", E_WEAK_PASSWORD, "date"},
    {"alice123", "", E_WEAK_PASSWORD, NULL},
    {"password", NULL, E_WEAK_PASSWORD, "common"},
    {"correct horse battery staple", "alice", E_OK, NULL},
    {"kX9!vq2#", "alice", E_OK, NULL},
    {"xkqzvwpj", "alice", E_OK, NULL},
    {"\xc3\xa9\xc3\xa8\xc3\xa0 \xe6\xbc\xa2\xe5\xad\x97", "alice", E_OK, NULL},
    {"1234567", "alice", E_FIELD_INVALID, "8 to 1,024"},
    {"", "alice", E_FIELD_INVALID, "8 to 1,024"},
};

static void strength(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof strengths / sizeof *strengths; i++) {
        enum err e = password_strength(strengths[i].password, strengths[i].username);
        const char *say = err_last(e)->say;
        if (e != strengths[i].want || (strengths[i].reason && !strstr(say, strengths[i].reason)))
            fail_msg("row %zu: %s %s \"%s\"", i, strengths[i].password, err_name(e), say);
    }
}

static void strength_takes_up_to_1024_bytes(void **state)
{
    static const struct { size_t len; enum err want; } rows[] = {{1024, E_OK}, {1025, E_FIELD_INVALID}};
    static const char words[] = "correct horse battery staple ";
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        char password[1026] = "";
        for (size_t at = 0; at < rows[i].len; at++)
            password[at] = words[at % (sizeof words - 1)];
        assert_int_equal(password_strength(password, "alice"), rows[i].want);
    }
}

/* What makes libzxcvbn try many combinations must not hold a worker up: no password is dearer to judge than ten are to check. */
static void strength_is_quick_whatever_the_password(void **state)
{
    static const char *const patterns[] = {"a", "4a@", "$5s", "abcabcd1", "password1", "$5s1!il|", "12", "\xc3\xa9"};
    double most_ms = 10 * cost_ms(NULL);
    (void)state;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        char password[1025] = "";
        for (size_t at = 0, len = strlen(patterns[i]); at < 1024; at++)
            password[at] = patterns[i][at % len];
        clock_t t = clock();
        enum err e = password_strength(password, "alice");
        double ms = (double)(clock() - t) * 1000 / CLOCKS_PER_SEC;
        if (ms > most_ms || (e != E_OK && e != E_WEAK_PASSWORD))
            fail_msg("row %zu: %.0f of %.0f ms, %s", i, ms, most_ms, err_name(e));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check_fits_published_hashes),
        cmocka_unit_test(a_hash_fits_its_password_only_and_names_its_cost),
        cmocka_unit_test(a_long_password_counts_to_its_last_byte),
        cmocka_unit_test(an_unknown_user_costs_what_a_known_one_costs),
        cmocka_unit_test(no_memory_is_not_a_wrong_password),
        cmocka_unit_test(strength),
        cmocka_unit_test(strength_takes_up_to_1024_bytes),
        cmocka_unit_test(strength_is_quick_whatever_the_password),
    };
    return cmocka_run_group_tests_name("password", tests, start, NULL);
}
