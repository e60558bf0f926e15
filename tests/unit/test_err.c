#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"

static void every_row_is_whole(void **state)
{
    (void)state;
    for (unsigned i = 0; i < E_COUNT; i++) {
        enum err e = (enum err)i;
        const char *code = err_code(e), *title = err_title(e);
        if (strncmp(err_name(e), "E_", 2) != 0 || *code == '\0' ||
            strspn(code, "abcdefghijklmnopqrstuvwxyz-") != strlen(code))
            fail_msg("row %u: name or code", i);
        if (*title == '\0' || title[strlen(title) - 1] != '.')
            fail_msg("row %u: the title is no sentence", i);
        if (i > 0 && (err_status(e) < 400 || err_status(e) > 507))
            fail_msg("row %u: status %u", i, err_status(e));
        if (err_level(e) < LOG_DEBUG || err_level(e) > LOG_ERROR)
            fail_msg("row %u: level", i);
        if (err_status(e) == 500 && err_level(e) != LOG_ERROR)
            fail_msg("row %u: a fault of the server that no administrator would see", i);
    }
}

static void public_codes_are_kept(void **state)
{
    (void)state;
    assert_string_equal(err_code(E_NAME_TAKEN), "name-taken");
    assert_int_equal(err_status(E_NAME_TAKEN), 409);
    assert_string_equal(err_name(E_NAME_TAKEN), "E_NAME_TAKEN");
    assert_string_equal(err_code(E_QUOTA), "quota-exceeded");
    assert_int_equal(err_status(E_QUOTA), 507);
    assert_int_equal(err_status(E_OK), 200);
}

static void particulars_stand_beside_their_code_only(void **state)
{
    (void)state;
    err_clear();
    assert_int_equal(err_set(E_IO, "rename %s", "abc"), E_IO);
    assert_string_equal(err_last(E_IO)->detail, "rename abc");
    assert_string_equal(err_last(E_DAMAGED)->detail, "");
    assert_int_equal(err_limit(E_TOO_LARGE, 42), E_TOO_LARGE);
    assert_int_equal(err_last(E_TOO_LARGE)->limit, 42);
    assert_string_equal(err_last(E_IO)->detail, ""); /* forgotten */
    assert_int_equal(err_retry(E_THROTTLED, 7), E_THROTTLED);
    assert_int_equal(err_last(E_THROTTLED)->retry_after_s, 7);
    assert_int_equal(err_last(E_THROTTLED)->limit, 0);
    err_clear();
    assert_int_equal(err_last(E_THROTTLED)->retry_after_s, 0);
}

static void a_field_and_its_sentence_go_together(void **state)
{
    (void)state;
    assert_int_equal(err_field_say(E_FIELD_INVALID, "size", "Not %d.", 3), E_FIELD_INVALID);
    assert_string_equal(err_last(E_FIELD_INVALID)->field, "size");
    assert_string_equal(err_last(E_FIELD_INVALID)->say, "Not 3.");
    err_field(E_FIELD_MISSING, "name");
    assert_string_equal(err_last(E_FIELD_MISSING)->field, "name");
    assert_string_equal(err_last(E_FIELD_MISSING)->say, "");
}

static void errno_is_the_callers(void **state)
{
    (void)state;
    errno = ENOENT;
    (void)err_set(E_IO, "open: %m");
    assert_string_equal(err_last(E_IO)->detail, "open: No such file or directory");
    errno = EACCES;
    (void)err_say(E_IO, "%m");
    assert_string_equal(err_last(E_IO)->say, "Permission denied");
}

static void an_argument_may_be_the_last_particulars(void **state)
{
    (void)state;
    (void)err_set(E_IO, "inner");
    (void)err_set(E_IO, "outer: %s", err_last(E_IO)->detail);
    assert_string_equal(err_last(E_IO)->detail, "outer: inner");
    (void)err_field_say(E_FIELD_INVALID, "a", "text");
    (void)err_field_say(E_FIELD_INVALID, err_last(E_FIELD_INVALID)->field, "%s!",
                        err_last(E_FIELD_INVALID)->say);
    assert_string_equal(err_last(E_FIELD_INVALID)->field, "a");
    assert_string_equal(err_last(E_FIELD_INVALID)->say, "text!");
    err_field(E_FIELD_INVALID, err_last(E_FIELD_INVALID)->field);
    assert_string_equal(err_last(E_FIELD_INVALID)->field, "a");
}

static void too_long_is_cut_between_characters(void **state)
{
    static const char *const ends[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    const size_t max = sizeof err_last(E_IO)->say - 1;
    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t whole = strlen(ends[i]);
        for (size_t fits = 1; fits <= whole; fits++) {
            char text[300];
            memset(text, 'x', sizeof text);
            snprintf(text + max - fits, sizeof text - (max - fits), "%sx", ends[i]);
            (void)err_say(E_IO, "%s", text);
            size_t want = fits == whole ? max : max - fits;
            if (strlen(err_last(E_IO)->say) != want)
                fail_msg("row %zu, %zu bytes: %zu, not %zu", i, fits, strlen(err_last(E_IO)->say), want);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(public_codes_are_kept),
        cmocka_unit_test(particulars_stand_beside_their_code_only),
        cmocka_unit_test(a_field_and_its_sentence_go_together),
        cmocka_unit_test(errno_is_the_callers),
        cmocka_unit_test(an_argument_may_be_the_last_particulars),
        cmocka_unit_test(too_long_is_cut_between_characters),
    };
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
