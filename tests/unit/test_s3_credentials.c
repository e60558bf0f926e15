/* Keys from the environment and from the profile file. The instance's role is in tests/fault/test_s3.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "blob/s3_credentials.h"

static char path[] = "/tmp/coffer-credentials-XXXXXX";

static int fresh(void **state)
{
    static const char *const names[] = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"};
    *state = talloc_new(NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
    setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
    setenv("AWS_SHARED_CREDENTIALS_FILE", path, 1);
    unlink(path);
    return 0;
}

static int gone(void **state)
{
    unlink(path);
    talloc_free(*state);
    return 0;
}

/* The time of its last change is given, since two in a row may come within one tick of the file system. */
static void write_file(const char *text, time_t changed)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){{.tv_sec = changed}, {.tv_sec = changed}}, 0), 0);
}

static void the_environment_comes_first(void **state)
{
    struct s3_credentials *c = s3_credentials_new(*state);
    struct s3_keys keys;
    write_file("[default]\naws_access_key_id=F\naws_secret_access_key=G\n", 1);
    setenv("AWS_ACCESS_KEY_ID", "A", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "B", 1);
    setenv("AWS_SESSION_TOKEN", "C", 1);
    assert_int_equal(s3_credentials_get(c, 0, &keys), E_OK);
    assert_string_equal(keys.id, "A");
    assert_string_equal(keys.secret, "B");
    assert_string_equal(keys.token, "C");
    assert_string_equal(s3_credentials_source(c), "environment");
    assert_false(s3_credentials_renew(c));
}

static const struct { const char *profile, *text, *id, *secret, *token; } files[] = {
    {NULL, "[default]\naws_access_key_id = A\naws_secret_access_key = B/+=\n", "A", "B/+=", ""},
    {NULL, "[default]\r\naws_access_key_id=A\r\naws_secret_access_key=B\r\naws_session_token = t==\r\n", "A", "B", "t=="},
    {NULL, "[other]\naws_access_key_id=X\naws_secret_access_key=Y\n[default]\n#aws_access_key_id=Z\naws_access_key_id=A\n"
           "aws_secret_access_key=B\n[third]\naws_access_key_id=X\n", "A", "B", ""},
    {"other", "[default]\naws_access_key_id=X\naws_secret_access_key=Y\n[other]\n aws_access_key_id = A \n\taws_secret_access_key=B", "A", "B", ""},
    {NULL, "[default2]\naws_access_key_id=X\naws_secret_access_key=Y\n", NULL, NULL, NULL},
    {NULL, "[default]\naws_access_key_id=X\n", NULL, NULL, NULL},
    {"none", "[default]\naws_access_key_id=X\naws_secret_access_key=Y\n", NULL, NULL, NULL},
    {NULL, "", NULL, NULL, NULL},
    {NULL, "=\n[\n]\n[default\naws_access_key_id=X\naws_secret_access_key=Y\n", NULL, NULL, NULL},
};

static void profiles_are_read_as_others_read_them(void **state)
{
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct s3_credentials *c = s3_credentials_new(*state);
        struct s3_keys keys;
        write_file(files[i].text, 1);
        if (files[i].profile != NULL)
            setenv("AWS_PROFILE", files[i].profile, 1);
        else
            unsetenv("AWS_PROFILE");
        enum err e = s3_credentials_get(c, 0, &keys);
        if ((e == E_OK) != (files[i].id != NULL))
            fail_msg("row %zu: %s", i, err_name(e));
        if (e == E_OK && (strcmp(keys.id, files[i].id) != 0 || strcmp(keys.secret, files[i].secret) != 0 ||
                          strcmp(keys.token, files[i].token) != 0))
            fail_msg("row %zu: %s %s %s", i, keys.id, keys.secret, keys.token);
    }
}

static void a_changed_file_is_read_again(void **state)
{
    struct s3_credentials *c = s3_credentials_new(*state);
    struct s3_keys keys;
    write_file("[default]\naws_access_key_id=A\naws_secret_access_key=B\n", 1);
    assert_int_equal(s3_credentials_get(c, 0, &keys), E_OK);
    write_file("[default]\naws_access_key_id=C\naws_secret_access_key=D\n", 2);
    assert_true(s3_credentials_renew(c));
    assert_int_equal(s3_credentials_get(c, 0, &keys), E_OK);
    assert_string_equal(keys.id, "C");
    write_file("[default]\naws_access_key_id=E\naws_secret_access_key=F\n", 3);
    assert_int_equal(s3_credentials_get(c, 0, &keys), E_OK);
    assert_string_equal(keys.id, "E");
    assert_false(s3_credentials_renew(c));
}

static void none_anywhere_is_said(void **state)
{
    struct s3_credentials *c = s3_credentials_new(*state);
    struct s3_keys keys;
    assert_int_equal(s3_credentials_get(c, 0, &keys), E_NOT_FOUND);
    assert_non_null(strstr(err_last(E_NOT_FOUND)->detail, "AWS_ACCESS_KEY_ID"));
    assert_string_equal(s3_credentials_source(c), "none");
}

static void a_profile_that_was_asked_for_must_be_there(void **state)
{
    struct s3_credentials *c = s3_credentials_new(*state);
    struct s3_keys keys;
    write_file("[default]\naws_access_key_id=A\naws_secret_access_key=SECRET\n", 1);
    setenv("AWS_PROFILE", "other", 1);
    assert_int_equal(s3_credentials_get(c, 0, &keys), E_FIELD_INVALID);
    assert_non_null(strstr(err_last(E_FIELD_INVALID)->detail, "the profile other"));
    assert_null(strstr(err_last(E_FIELD_INVALID)->detail, "SECRET"));
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, fresh, gone)
    const struct CMUnitTest tests[] = {
        TEST(the_environment_comes_first),
        TEST(profiles_are_read_as_others_read_them),
        TEST(a_changed_file_is_read_again),
        TEST(none_anywhere_is_said),
        TEST(a_profile_that_was_asked_for_must_be_there),
    };
    int fd = mkstemp(path);
    if (fd < 0)
        return 1;
    close(fd);
    return cmocka_run_group_tests_name("s3_credentials", tests, NULL, NULL);
}
