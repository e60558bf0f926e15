#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

#define M UINT64_MAX

static const struct {
    const char *text;
    uint64_t min, max;
    enum err want;
    uint64_t number;
} unsigneds[] = {
    {"0", 0, M, E_OK, 0},
    {"007", 0, M, E_OK, 7},
    {"18446744073709551615", 0, M, E_OK, M},
    {"18446744073709551616", 0, M, E_FIELD_INVALID, 0},
    {"99999999999999999999999", 0, M, E_FIELD_INVALID, 0},
    {"5", 5, 5, E_OK, 5},
    {"4", 5, 9, E_FIELD_INVALID, 0},
    {"10", 5, 9, E_FIELD_INVALID, 0},
    {"", 0, M, E_FIELD_INVALID, 0},
    {"-0", 0, M, E_FIELD_INVALID, 0},
    {"+1", 0, M, E_FIELD_INVALID, 0},
    {" 1", 0, M, E_FIELD_INVALID, 0},
    {"1 ", 0, M, E_FIELD_INVALID, 0},
    {"1\n", 0, M, E_FIELD_INVALID, 0},
    {"0x1", 0, M, E_FIELD_INVALID, 0},
    {"1.0", 0, M, E_FIELD_INVALID, 0},
};

static void unsigned_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof unsigneds / sizeof *unsigneds; i++) {
        uint64_t n = 0;
        if (parse_u64(unsigneds[i].text, unsigneds[i].min, unsigneds[i].max, &n) != unsigneds[i].want ||
            n != unsigneds[i].number)
            fail_msg("row %zu", i);
    }
}

static const struct {
    const char *text;
    int64_t min, max;
    enum err want;
    int64_t number;
} signeds[] = {
    {"0", INT64_MIN, INT64_MAX, E_OK, 0},
    {"-0", INT64_MIN, INT64_MAX, E_OK, 0},
    {"-5", -5, -5, E_OK, -5},
    {"9223372036854775807", INT64_MIN, INT64_MAX, E_OK, INT64_MAX},
    {"9223372036854775808", INT64_MIN, INT64_MAX, E_FIELD_INVALID, 0},
    {"-9223372036854775808", INT64_MIN, INT64_MAX, E_OK, INT64_MIN},
    {"-9223372036854775809", INT64_MIN, INT64_MAX, E_FIELD_INVALID, 0},
    {"-18446744073709551615", INT64_MIN, INT64_MAX, E_FIELD_INVALID, 0},
    {"-6", -5, 5, E_FIELD_INVALID, 0},
    {"6", -5, 5, E_FIELD_INVALID, 0},
    {"-", INT64_MIN, INT64_MAX, E_FIELD_INVALID, 0},
    {"--1", INT64_MIN, INT64_MAX, E_FIELD_INVALID, 0},
    {"+1", INT64_MIN, INT64_MAX, E_FIELD_INVALID, 0},
    {"", INT64_MIN, INT64_MAX, E_FIELD_INVALID, 0},
};

static void signed_numbers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof signeds / sizeof *signeds; i++) {
        int64_t n = 0;
        if (parse_i64(signeds[i].text, signeds[i].min, signeds[i].max, &n) != signeds[i].want ||
            n != signeds[i].number)
            fail_msg("row %zu", i);
    }
}

static char order[8]; /* a letter for each release */

static void note_release(void *letter)
{
    size_t n = strlen(order);
    assert_true(n + 1 < sizeof order);
    order[n] = *(const char *)letter;
    order[n + 1] = '\0';
}

static void foreign_memory_goes_with_its_context_the_last_first(void **state)
{
    void *ctx = talloc_new(NULL);
    (void)state;
    order[0] = '\0';
    char a[] = "a", b[] = "b";
    assert_ptr_equal(own(ctx, a, note_release), a);
    assert_ptr_equal(own(ctx, b, note_release), b);
    assert_null(own(ctx, NULL, note_release));
    assert_string_equal(order, "");
    talloc_free(ctx);
    assert_string_equal(order, "ba");
}

struct point {
    int x, y;
};

static void records_are_zeroed_and_named(void **state)
{
    void *ctx = talloc_new(NULL);
    (void)state;
    struct point *p = mem_array(ctx, struct point, 3);
    assert_string_equal(talloc_get_name(p), "struct point");
    assert_int_equal(talloc_get_size(p), 3 * sizeof *p);
    assert_true(p[2].x == 0 && p[2].y == 0);
    assert_ptr_equal(talloc_parent(mem_new(ctx, struct point)), ctx);
    assert_non_null(mem_array(ctx, struct point, 0));
    talloc_free(ctx);
}

static void copies(void **state)
{
    void *ctx = talloc_new(NULL);
    (void)state;
    assert_null(mem_str(ctx, NULL));
    assert_string_equal(mem_str(ctx, "text"), "text");
    assert_string_equal(mem_strn(ctx, "text", 2), "te");
    assert_string_equal(mem_strn(ctx, NULL, 0), "");
    assert_memory_equal(mem_strn(ctx, "a\0b", 3), "a\0b", 4);
    assert_string_equal(mem_printf(ctx, "%s-%d", "a", 7), "a-7");
    talloc_free(ctx);
}

static void scope_ends(void **state)
{
    (void)state;
    int seen;
    order[0] = '\0';
    {
        CLEANUP(close_fd) int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        CLEANUP(close_fd) int none = -1;
        CLEANUP(free_mem) char *text = mem_str(NULL, "x");
        CLEANUP(free_mem) char *nothing = NULL;
        own(text, (char[]){'x', 0}, note_release);
        assert_true(fd >= 0 && none < 0 && nothing == NULL);
        seen = fd;
    }
    assert_int_equal(fcntl(seen, F_GETFD), -1);
    assert_string_equal(order, "x");
}

/* What ends the process is tried in a child with its standard error closed. */
static void ends_by_abort(void (*what)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        close(STDERR_FILENO);
        what();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void too_many(void)
{
    volatile size_t n = SIZE_MAX / 2;
    mem_zero(NULL, 4, n, "x");
}

static void too_big(void)
{
    volatile size_t n = SIZE_MAX / 4; /* talloc refuses, as the kernel would */
    mem_zero(NULL, 1, n, "x");
}

static void no_memory_ends_the_process(void **state)
{
    (void)state;
    ends_by_abort(too_many);
    ends_by_abort(too_big);
    ends_by_abort(mem_exhausted);
}

static void wiping(void **state)
{
    char secret[] = "secret";
    (void)state;
    mem_wipe(secret, sizeof secret);
    assert_memory_equal(secret, "\0\0\0\0\0\0", sizeof secret);
    mem_wipe(NULL, 0);
}

static void checked_sizes(void **state)
{
    size_t sum = 0;
    (void)state;
    assert_true(size_add(SIZE_MAX - 1, 1, &sum));
    assert_true(sum == SIZE_MAX);
    assert_false(size_add(SIZE_MAX, 1, &sum));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unsigned_numbers),
        cmocka_unit_test(signed_numbers),
        cmocka_unit_test(foreign_memory_goes_with_its_context_the_last_first),
        cmocka_unit_test(records_are_zeroed_and_named),
        cmocka_unit_test(copies),
        cmocka_unit_test(scope_ends),
        cmocka_unit_test(no_memory_ends_the_process),
        cmocka_unit_test(wiping),
        cmocka_unit_test(checked_sizes),
    };
    return cmocka_run_group_tests_name("mem", tests, NULL, NULL);
}
