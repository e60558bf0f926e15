#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"

/* What the log said on standard error, behind the time, which is looked at and passed over. */
static char said[16384];
static int pipe_fds[2], stderr_fd;

static void listen_begin(void)
{
    assert_int_equal(pipe(pipe_fds), 0);
    stderr_fd = dup(STDERR_FILENO);
    dup2(pipe_fds[1], STDERR_FILENO);
}

static const char *listen_end(void)
{
    dup2(stderr_fd, STDERR_FILENO);
    close(stderr_fd);
    close(pipe_fds[1]);
    ssize_t n = read(pipe_fds[0], said, sizeof said - 1);
    close(pipe_fds[0]);
    said[n > 0 ? n : 0] = '\0';
    if (n <= 0)
        return "";
    char now[CLOCK_TEXT_MAX];
    int64_t t;
    assert_memory_equal(said, "ts=", 3);
    snprintf(now, sizeof now, "%.24s", said + 3);
    assert_int_equal(clock_parse_rfc3339(now, &t), E_OK);
    assert_int_equal(said[27], ' ');
    return said + 28;
}

static const struct {
    const char *value, *want;
} values[] = {
    {"plain-1.2/3:4", "v=plain-1.2/3:4"},
    {"two words", "v=\"two words\""},
    {"say \"hi\"", "v=\"say \\\"hi\\\"\""},
    {"back\\slash", "v=\"back\\\\slash\""},
    {"a=b", "v=\"a=b\""},
    {"line\nts=1 level=error", "v=\"line\\nts=1 level=error\""},
    {"\r\t\x01", "v=\"\\x0d\\t\\x01\""},
    {"\x7f", "v=\"\\x7f\""},
    {"\x1b[2J", "v=\"\\x1b[2J\""},
    {"\xc2\x9b"
     "2J",
     "v=\"\\xc2\\x9b2J\""}, /* C1: what ESC [ is in one character */
    {"na\xc3\xafve", "v=na\xc3\xafve"},
    {"\xf0\x9f\x98\x80", "v=\xf0\x9f\x98\x80"},
    {"\xff", "v=\"\\xff\""},
    {"a\xc3", "v=\"a\\xc3\""},
    {"\xed\xa0\x80", "v=\"\\xed\\xa0\\x80\""}, /* a surrogate */
    {"\xc0\xaf", "v=\"\\xc0\\xaf\""},          /* an overlong slash */
};

static void values_are_quoted_when_they_need_it(void **state)
{
    (void)state;
    log_setup(LOG_INFO, "api.3");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct log_line line;
        char want[256];
        listen_begin();
        log_begin(&line, LOG_WARN, "try");
        log_str(&line, "v", values[i].value);
        log_int(&line, "n", -7);
        log_end(&line);
        const char *got = listen_end();
        snprintf(want, sizeof want, "level=warn proc=api.3 event=try %s n=-7\n", values[i].want);
        if (strcmp(got, want) != 0)
            fail_msg("row %zu: %s", i, got);
    }
}

static void nothing_to_say_is_left_out(void **state)
{
    struct log_line line;
    (void)state;
    log_setup(LOG_INFO, "");
    listen_begin();
    log_begin(&line, LOG_INFO, "try");
    log_str(&line, "a", NULL);
    log_str(&line, "b", "");
    log_end(&line);
    assert_string_equal(listen_end(), "level=info event=try\n");
}

static void lines_below_the_level_are_not_written(void **state)
{
    (void)state;
    for (int lowest = LOG_DEBUG; lowest <= LOG_ERROR; lowest++) {
        log_setup((enum log_level)lowest, "x");
        for (int level = LOG_DEBUG; level <= LOG_ERROR; level++) {
            listen_begin();
            log_say((enum log_level)level, "try", "%d", level);
            if ((*listen_end() != '\0') != (level >= lowest))
                fail_msg("level %d, lowest %d", level, lowest);
        }
    }
    log_setup(LOG_INFO, "x");
}

/* Whatever is cut: one line, 4 KiB at most, no half character, no quote left open, no half key. */
static void long_lines_are_cut(void **state)
{
    static const char *const units[] = {"x", "\n", "\"", "\xe2\x82\xac", "x \xf0\x9f\x98\x80"};
    (void)state;
    log_setup(LOG_INFO, "x");
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        for (size_t lead = 0; lead < 8; lead++) {
            char value[6000] = "";
            struct log_line line;
            memset(value, 'a', lead);
            for (size_t len = lead; len + strlen(units[i]) < sizeof value; len += strlen(units[i]))
                memcpy(value + len, units[i], strlen(units[i]));
            listen_begin();
            log_begin(&line, LOG_INFO, "try");
            for (int again = 0; again < 3; again++)
                log_str(&line, "v", value);
            log_int(&line, "late", 123456789);
            log_end(&line);
            listen_end();
            size_t len = strlen(said);
            bool quoted = strstr(said, "v=\"") != NULL;
            if (len > 4096 || len < 4080 || said[len - 1] != '\n' || strchr(said, '\n') != said + len - 1)
                fail_msg("row %zu, lead %zu: %zu bytes", i, lead, len);
            if (quoted && (said[len - 2] != '"' || (said[len - 3] == '\\' && said[len - 4] != '\\')))
                fail_msg("row %zu, lead %zu: ends %s", i, lead, said + len - 5);
            unsigned char last = (unsigned char)said[len - 2 - quoted];
            if (i == 3 && last != 0xac)
                fail_msg("row %zu, lead %zu: half a character", i, lead);
        }
    }
}

static void errno_is_said_and_kept(void **state)
{
    (void)state;
    log_setup(LOG_INFO, "x");
    listen_begin();
    errno = ENOENT;
    log_say(LOG_ERROR, "sweep", "%s: %m", "name");
    int after = errno;
    assert_string_equal(listen_end(),
                        "level=error proc=x event=sweep detail=\"name: No such file or directory\"\n");
    assert_int_equal(after, ENOENT);
}

static void a_failure_has_its_level_code_and_detail(void **state)
{
    (void)state;
    log_setup(LOG_INFO, "x");
    listen_begin();
    log_err("put", err_set(E_IO, "rename a"));
    assert_string_equal(listen_end(), "level=error proc=x event=put err=E_IO detail=\"rename a\"\n");
    (void)err_set(E_IO, "another failure");
    listen_begin();
    log_err("put", E_NAME_TAKEN);
    assert_string_equal(listen_end(), "level=info proc=x event=put err=E_NAME_TAKEN\n");
}

static const struct {
    const char *text;
    enum err want;
    enum log_level level;
} levels[] = {
    {"debug", E_OK, LOG_DEBUG},           {"info", E_OK, LOG_INFO},
    {"notice", E_OK, LOG_NOTICE},         {"warn", E_OK, LOG_WARN},
    {"error", E_OK, LOG_ERROR},           {"", E_FIELD_INVALID, LOG_DEBUG},
    {"INFO", E_FIELD_INVALID, LOG_DEBUG}, {"warning", E_FIELD_INVALID, LOG_DEBUG},
};

static void level_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        enum log_level level = LOG_DEBUG;
        if (log_level_parse(levels[i].text, &level) != levels[i].want || level != levels[i].level)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_quoted_when_they_need_it),
        cmocka_unit_test(nothing_to_say_is_left_out),
        cmocka_unit_test(lines_below_the_level_are_not_written),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(errno_is_said_and_kept),
        cmocka_unit_test(a_failure_has_its_level_code_and_detail),
        cmocka_unit_test(level_words),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
