#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "crypt/crypt.h"

/* FIPS 180-2, appendix B, and NIST's example values for SHA-256. */
static const struct {
    const char *text;
    unsigned times;
    const char *want;
} rows[] = {
    {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
     1, "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"aaaaaaaaaa", 100000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

static void published_sums(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char hex[65];
        struct sha256 *h = sha256_new(NULL);
        for (unsigned n = 0; n < rows[i].times; n++)
            sha256_add(h, rows[i].text, strlen(rows[i].text));
        sha256_hex(h, hex);
        talloc_free(h);
        if (strcmp(hex, rows[i].want) != 0)
            fail_msg("row %zu: %s", i, hex);
    }
}

static void the_pieces_do_not_matter(void **state)
{
    (void)state;
    const char *text = rows[3].text;
    size_t len = strlen(text);
    for (size_t cut = 0; cut <= len; cut++) {
        char hex[65];
        struct sha256 *h = sha256_new(NULL);
        sha256_add(h, text, cut);
        sha256_add(h, text + cut, len - cut);
        sha256_hex(h, hex);
        talloc_free(h);
        if (strcmp(hex, rows[3].want) != 0)
            fail_msg("cut at %zu: %s", cut, hex);
    }
}

static void goes_with_its_context(void **state)
{
    (void)state;
    void *ctx = talloc_new(NULL);
    struct sha256 *h = sha256_new(ctx);
    sha256_add(h, "abc", 3); /* not finished: a leak would be OpenSSL's context */
    assert_true(talloc_total_blocks(ctx) > 1);
    talloc_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_sums),
        cmocka_unit_test(the_pieces_do_not_matter),
        cmocka_unit_test(goes_with_its_context),
    };
    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
