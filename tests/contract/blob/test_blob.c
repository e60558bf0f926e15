/* What every blob store promises; each test runs against every row of openers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "bench.h"
#include "scratch.h"

#define MIB (1024u * 1024)
#define ROWS(table) (sizeof(table) / sizeof *(table))

static void a_second_prepare_keeps_what_is_there(void **state)
{
    struct bench *b = *state;
    struct id id = id_new();
    assert_int_equal(bench_put(b, id, "hello", 5), E_OK);
    assert_int_equal(b->s->ops->prepare(b->s), E_OK);
    assert_true(bench_holds(b, id, "hello", 5));
}

static void the_store_id_is_set_once(void **state)
{
    struct bench *b = *state;
    struct id mine = id_new(), other = id_new(), got = {0};
    assert_int_equal(b->s->ops->store_id(b->s, &got), E_NOT_FOUND);
    assert_int_equal(b->s->ops->store_id_set(b->s, mine), E_OK);
    assert_int_equal(b->s->ops->store_id_set(b->s, mine), E_OK);
    assert_int_equal(b->s->ops->store_id_set(b->s, other), E_FOREIGN_STORE);
    assert_int_equal(b->s->ops->store_id(b->s, &got), E_OK);
    assert_string_equal(got.s, mine.s);
    assert_int_equal(bench_list(b).blobs + bench_list(b).strangers, 0);
}

static void put_keeps_every_size(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 65537, MIB - 1, MIB, MIB + 1, 3 * MIB + 7};
    struct bench *b = *state;
    for (size_t i = 0; i < ROWS(sizes); i++) {
        struct id id = id_new();
        unsigned char *bytes = bench_bytes(b, sizes[i], (unsigned)i);
        if (bench_put(b, id, bytes, sizes[i]) != E_OK || !bench_holds(b, id, bytes, sizes[i]))
            fail_msg("row %zu: %zu bytes", i, sizes[i]);
    }
    assert_int_equal(bench_list(b).blobs, ROWS(sizes));
    assert_int_equal(bench_list(b).strangers, 0);
}

/* A source file on the store's disk, and one elsewhere (memory), both from an offset. */
static void put_copies_a_part_of_a_file(void **state)
{
    static const struct { uint64_t offset, size; } rows[] = {{0, 10}, {1, 0}, {7, 4096}, {4097, 2 * MIB}, {3 * MIB, 99}};
    struct bench *b = *state;
    size_t n = 3 * MIB + 99;
    unsigned char *bytes = bench_bytes(b, n, 1);
    CLEANUP(close_fd) int near = bench_file(b, "source", bytes, n);
    CLEANUP(close_fd) int far = bench_file(b, NULL, bytes, n);
    for (size_t i = 0; i < 2 * ROWS(rows); i++) {
        struct id id = id_new();
        uint64_t offset = rows[i / 2].offset, size = rows[i / 2].size;
        struct blob_source source = {.fd = i % 2 ? far : near, .offset = offset, .size = size};
        if (b->s->ops->put(b->s, id, &source) != E_OK || !bench_holds(b, id, bytes + offset, size))
            fail_msg("row %zu (%s)", i / 2, i % 2 ? "far" : "near");
    }
}

static void put_never_replaces(void **state)
{
    struct bench *b = *state;
    struct id id = id_new();
    assert_int_equal(bench_put(b, id, "first", 5), E_OK);
    assert_int_equal(bench_put(b, id, "second", 6), E_IO);
    assert_true(bench_holds(b, id, "first", 5));
}

static void a_source_that_ends_early_leaves_nothing(void **state)
{
    struct bench *b = *state;
    struct id id = id_new();
    CLEANUP(close_fd) int near = bench_file(b, "source", "0123456789", 10);
    CLEANUP(close_fd) int far = bench_file(b, NULL, "0123456789", 10);
    for (unsigned i = 0; i < 4; i++) {
        struct blob_source source = {.fd = i % 2 ? far : near, .offset = 5, .size = i < 2 ? 6 : 2 * MIB};
        if (b->s->ops->put(b->s, id, &source) != E_IO || !bench_lacks(b, id))
            fail_msg("row %u", i);
    }
}

/* A bad source, a name that is taken, a whole file that may be linked: each by itself. */
static void many_are_put_at_once(void **state)
{
    struct bench *b = *state;
    CLEANUP(close_fd) int near = bench_file(b, "source", "0123456789", 10);
    CLEANUP(close_fd) int far = bench_file(b, NULL, "0123456789", 10);
    struct id taken = id_new();
    assert_int_equal(bench_put(b, taken, "first", 5), E_OK);
    struct blob_put rows[] = {
        {.id = id_new(), .source = {.fd = -1, .data = "memory", .size = 6}},
        {.id = id_new(), .source = {.fd = near, .offset = 5, .size = 6}},
        {.id = taken, .source = {.fd = -1, .data = "second", .size = 6}},
        {.id = id_new(), .source = {.fd = near, .size = 10}, .link = true},
        {.id = id_new(), .source = {.fd = far, .size = 10}, .link = true},
        {.id = id_new(), .source = {.fd = near, .offset = 2, .size = 3}, .link = true},
        {.id = id_new(), .source = {.fd = -1, .data = "", .size = 0}},
    };
    assert_int_equal(blob_put_many(b->s, rows, ROWS(rows)), E_OK);
    for (size_t i = 0; i < ROWS(rows); i++)
        assert_string_equal(err_name(rows[i].result), err_name(i == 1 || i == 2 ? E_IO : E_OK));
    assert_true(bench_holds(b, rows[0].id, "memory", 6));
    assert_true(bench_lacks(b, rows[1].id));
    assert_true(bench_holds(b, taken, "first", 5));
    assert_true(bench_holds(b, rows[3].id, "0123456789", 10) && bench_holds(b, rows[4].id, "0123456789", 10));
    assert_true(bench_holds(b, rows[5].id, "234", 3) && bench_holds(b, rows[6].id, "", 0));
    assert_true(!rows[4].linked && !rows[5].linked); /* another disk, a part of a file: copied */
}

struct pieces {
    char text[64];
    size_t n, largest, calls;
    enum err answer;
};

static enum err collect(void *arg, const void *bytes, size_t n)
{
    struct pieces *p = arg;
    if (p->n + n < sizeof p->text)
        memcpy(p->text + p->n, bytes, n);
    p->n += n;
    p->calls++;
    p->largest = n > p->largest ? n : p->largest;
    return p->answer;
}

static void read_hands_out_exactly_the_range(void **state)
{
    static const struct { uint64_t first, length; enum err want; const char *text; } rows[] = {
        {0, 10, E_OK, "0123456789"},
        {0, 1, E_OK, "0"},
        {3, 4, E_OK, "3456"},
        {9, 1, E_OK, "9"},
        {10, 0, E_OK, ""},
        {0, 0, E_OK, ""},
        {9, 2, E_DAMAGED, ""},
        {11, 0, E_DAMAGED, ""},
        {1, UINT64_MAX, E_DAMAGED, ""},
        {UINT64_MAX, 1, E_DAMAGED, ""},
    };
    struct bench *b = *state;
    struct id id = id_new();
    assert_int_equal(bench_put(b, id, "0123456789", 10), E_OK);
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct pieces p = {0};
        enum err e = b->s->ops->read(b->s, id, rows[i].first, rows[i].length, collect, &p);
        if (e != rows[i].want || strcmp(p.text, rows[i].text) != 0)
            fail_msg("row %zu: %s \"%s\"", i, err_name(e), p.text);
    }
}

static void read_goes_in_pieces_and_stops_when_told(void **state)
{
    struct bench *b = *state;
    struct id id = id_new();
    size_t n = 5 * MIB + 1;
    assert_int_equal(bench_put(b, id, bench_bytes(b, n, 2), n), E_OK);

    struct pieces all = {0}, stopped = {.answer = E_CUT_OFF};
    assert_int_equal(b->s->ops->read(b->s, id, 0, n, collect, &all), E_OK);
    assert_int_equal(all.n, n);
    assert_in_range(all.largest, 1, MIB);
    assert_int_equal(b->s->ops->read(b->s, id, 0, n, collect, &stopped), E_CUT_OFF);
    assert_int_equal(stopped.calls, 1);
}

static void size_is_what_was_stored(void **state)
{
    static const size_t sizes[] = {0, 1, 70000};
    struct bench *b = *state;
    uint64_t size = 1;
    assert_int_equal(b->s->ops->size(b->s, id_new(), &size), E_NOT_FOUND);
    for (size_t i = 0; i < ROWS(sizes); i++) {
        struct id id = id_new();
        assert_int_equal(bench_put(b, id, bench_bytes(b, sizes[i], 5), sizes[i]), E_OK);
        if (b->s->ops->size(b->s, id, &size) != E_OK || size != sizes[i])
            fail_msg("row %zu", i);
    }
}

static void open_gives_a_descriptor_for_reading(void **state)
{
    struct bench *b = *state;
    struct id id = id_new();
    int fd = -1;
    uint64_t size = 0;
    char text[8] = "";
    if (!(b->s->ops->can & BLOB_CAN_SENDFILE)) {
        assert_null(b->s->ops->open);
        return;
    }
    assert_int_equal(b->s->ops->open(b->s, id, &fd, &size), E_NOT_FOUND);
    assert_int_equal(bench_put(b, id, "hello", 5), E_OK);
    assert_int_equal(b->s->ops->open(b->s, id, &fd, &size), E_OK);
    assert_int_equal(size, 5);
    assert_int_equal(pread(fd, text, sizeof text, 0), 5);
    assert_string_equal(text, "hello");
    assert_int_equal(write(fd, "x", 1), -1);
    close(fd);
}

static void every_store_gives_a_file_to_read(void **state)
{
    struct bench *b = *state;
    struct id id = id_new(), empty = id_new();
    size_t n = 2 * MIB + 1;
    unsigned char *bytes = bench_bytes(b, n, 6), *got = bench_bytes(b, n, 7);
    uint64_t size = 0;
    int fd = -1;
    assert_int_equal(blob_open_file(b->s, id, &fd, &size), E_NOT_FOUND);
    assert_int_equal(bench_put(b, id, bytes, n), E_OK);
    assert_int_equal(bench_put(b, empty, "", 0), E_OK);
    assert_int_equal(blob_open_file(b->s, id, &fd, &size), E_OK);
    assert_int_equal(size, n);
    assert_int_equal(read(fd, got, n), (ssize_t)n);
    assert_memory_equal(got, bytes, n);
    close(fd);
    assert_int_equal(blob_open_file(b->s, empty, &fd, &size), E_OK);
    assert_int_equal(size, 0);
    close(fd);
    assert_int_equal(bench_entries(b, "data/incoming"), 0);
}

static void locate_tells_the_path_below_the_blob_folder(void **state)
{
    struct bench *b = *state;
    struct id id;
    char path[64];
    assert_int_equal(id_parse("ab0123456789abcdef0123456789abcd", &id), E_OK);
    assert_int_equal(bench_put(b, id, "hello", 5), E_OK);
    assert_int_equal(b->s->ops->locate(b->s, id, path), E_OK);
    assert_string_equal(path, "ab/ab0123456789abcdef0123456789abcd");
    CLEANUP(free_mem) char *whole = mem_printf(NULL, "%s/%s", b->conf.disk_path, path);
    struct stat st;
    assert_int_equal(stat(whole, &st), 0);
    assert_int_equal(st.st_size, 5);
}

static void what_is_not_there_cannot_be_read_but_removed(void **state)
{
    struct bench *b = *state;
    assert_true(bench_lacks(b, id_new()));
    assert_int_equal(b->s->ops->remove(b->s, id_new()), E_OK);
}

static void remove_takes_one_and_leaves_the_others(void **state)
{
    struct bench *b = *state;
    struct id one = id_new(), other = id_new();
    assert_int_equal(bench_put(b, one, "one", 3), E_OK);
    assert_int_equal(bench_put(b, other, "other", 5), E_OK);
    assert_int_equal(b->s->ops->remove(b->s, one), E_OK);
    assert_true(bench_lacks(b, one));
    assert_true(bench_holds(b, other, "other", 5));
    assert_int_equal(bench_put(b, one, "anew", 4), E_OK);
}

/* The web server removes its own name afterwards, and may do so at any time. */
static void adopt_takes_a_finished_file_over(void **state)
{
    struct bench *b = *state;
    struct id id = id_new(), again = id_new();
    size_t n = 2 * MIB + 3;
    unsigned char *bytes = bench_bytes(b, n, 3);
    char name[sizeof b->dir + 32];
    snprintf(name, sizeof name, "%s/data/incoming/0000000001", b->dir);
    close(bench_file(b, "data/incoming/0000000001", bytes, n));
    CLEANUP(close_fd) int fd = open(name, O_RDONLY | O_CLOEXEC);
    assert_int_equal(b->s->ops->adopt(b->s, id, fd), E_OK);
    assert_int_equal(unlink(name), 0);
    assert_true(bench_holds(b, id, bytes, n));
    assert_int_equal(b->s->ops->adopt(b->s, id, fd), E_IO); /* the id is taken */
    assert_int_equal(b->s->ops->adopt(b->s, again, fd), E_OK);
    assert_int_equal(b->s->ops->remove(b->s, again), E_OK);
    assert_true(bench_holds(b, id, bytes, n));
}

struct seen {
    struct id ids[8];
    bool found[8];
    int64_t earliest_ms, latest_ms;
    enum err answer;
    unsigned calls;
};

static enum err see(void *arg, const char *id, uint64_t size, int64_t modified_ms)
{
    struct seen *seen = arg;
    seen->calls++;
    for (unsigned i = 0; i < ROWS(seen->ids); i++)
        if (strcmp(seen->ids[i].s, id) == 0)
            seen->found[i] = !seen->found[i] && size == i && modified_ms >= seen->earliest_ms && modified_ms <= seen->latest_ms;
    return seen->answer;
}

static void each_lists_every_blob_once_with_size_and_time(void **state)
{
    struct bench *b = *state;
    struct seen seen = {.earliest_ms = clock_now_ms(&clock_real) - 2000};
    for (unsigned i = 0; i < ROWS(seen.ids); i++) {
        seen.ids[i] = id_new();
        assert_int_equal(bench_put(b, seen.ids[i], "0123456789", i), E_OK);
    }
    seen.latest_ms = clock_now_ms(&clock_real) + 2000;
    assert_int_equal(b->s->ops->each(b->s, see, &seen), E_OK);
    assert_int_equal(seen.calls, ROWS(seen.ids));
    for (unsigned i = 0; i < ROWS(seen.ids); i++)
        if (!seen.found[i])
            fail_msg("row %u", i);

    seen.calls = 0;
    seen.answer = E_CUT_OFF;
    assert_int_equal(b->s->ops->each(b->s, see, &seen), E_CUT_OFF);
    assert_int_equal(seen.calls, 1);
}

static void what_is_set_aside_is_gone_and_swept_when_old(void **state)
{
    struct bench *b = *state;
    struct id lost = id_new(), kept = id_new();
    int64_t now_ms = clock_now_ms(&clock_real), day_ms = 86400000;
    unsigned did = 99;
    assert_int_equal(bench_put(b, lost, "lost", 4), E_OK);
    assert_int_equal(bench_put(b, kept, "kept", 4), E_OK);
    assert_int_equal(b->s->ops->set_aside(b->s, lost.s), E_OK);
    assert_int_equal(b->s->ops->set_aside(b->s, lost.s), E_NOT_FOUND);
    assert_true(bench_lacks(b, lost));

    assert_int_equal(b->s->ops->sweep(b->s, now_ms - day_ms, &did), E_OK);
    assert_int_equal(did, 0);
    assert_int_equal(b->s->ops->sweep(b->s, now_ms + day_ms, &did), E_OK);
    assert_int_equal(did, 1);
    assert_int_equal(b->s->ops->sweep(b->s, now_ms + day_ms, &did), E_OK);
    assert_int_equal(did, 0);
    assert_true(bench_holds(b, kept, "kept", 4));
}

static void there_is_room(void **state)
{
    struct bench *b = *state;
    uint64_t bytes = 0;
    assert_int_equal(b->s->ops->room(b->s, &bytes), E_OK);
    assert_true(bytes > 0);
}

struct racer {
    struct bench *b;
    struct id id;
    unsigned char byte;
};

static int race(void *arg)
{
    struct racer *r = arg;
    unsigned char bytes[4096];
    struct blob_store *own;
    memset(bytes, r->byte, sizeof bytes);
    if (r->b->opener->open(r->b, &r->b->conf, &own) != E_OK)
        return 3;
    enum err e = own->ops->put(own, r->id, &(struct blob_source){.data = bytes, .fd = -1, .size = sizeof bytes});
    return e == E_OK ? 0 : e == E_IO ? 1 : 2;
}

static void of_many_with_one_id_one_wins(void **state)
{
    enum { RACERS = 6 };
    struct bench *b = *state;
    for (unsigned round = 0; round < 10; round++) {
        struct racer r = {.b = b, .id = id_new()};
        unsigned won = 0, winner = 0;
        pid_t children[RACERS];
        for (unsigned i = 0; i < RACERS; i++) {
            r.byte = (unsigned char)i;
            children[i] = fork();
            if (children[i] == 0)
                _exit(race(&r));
        }
        for (unsigned i = 0; i < RACERS; i++) {
            int status;
            assert_int_equal(waitpid(children[i], &status, 0), children[i]);
            assert_in_range(child_code(status), 0, 1);
            won += child_code(status) == 0;
            winner = child_code(status) == 0 ? i : winner;
        }
        unsigned char bytes[4096];
        memset(bytes, (int)winner, sizeof bytes);
        assert_int_equal(won, 1);
        assert_true(bench_holds(b, r.id, bytes, sizeof bytes));
    }
}

int main(void)
{
    static const struct { const char *name; CMUnitTestFunction test; unsigned can; } tests[] = {
#define TEST(test)          {#test, test, 0}
#define TEST_OF(test, can)  {#test, test, can} /* for stores that can that */
        TEST(a_second_prepare_keeps_what_is_there),
        TEST(the_store_id_is_set_once),
        TEST(put_keeps_every_size),
        TEST(put_copies_a_part_of_a_file),
        TEST(put_never_replaces),
        TEST(a_source_that_ends_early_leaves_nothing),
        TEST(many_are_put_at_once),
        TEST(read_hands_out_exactly_the_range),
        TEST(read_goes_in_pieces_and_stops_when_told),
        TEST(size_is_what_was_stored),
        TEST(open_gives_a_descriptor_for_reading),
        TEST(every_store_gives_a_file_to_read),
        TEST_OF(locate_tells_the_path_below_the_blob_folder, BLOB_CAN_SENDFILE),
        TEST(what_is_not_there_cannot_be_read_but_removed),
        TEST(remove_takes_one_and_leaves_the_others),
        TEST_OF(adopt_takes_a_finished_file_over, BLOB_CAN_ADOPT),
        TEST(each_lists_every_blob_once_with_size_and_time),
        TEST(what_is_set_aside_is_gone_and_swept_when_old),
        TEST(there_is_room),
        TEST(of_many_with_one_id_one_wins),
    };
    struct CMUnitTest all[OPENERS * ROWS(tests)];
    char names[ROWS(all)][80];
    size_t n = 0;
    for (size_t i = 0; i < ROWS(all); i++) {
        const struct opener *opener = &openers[i / ROWS(tests)];
        if ((opener->ops->can & tests[i % ROWS(tests)].can) != tests[i % ROWS(tests)].can)
            continue;
        snprintf(names[n], sizeof names[n], "%s_%s", opener->name, tests[i % ROWS(tests)].name);
        bench_test(&all[n], opener, names[n], tests[i % ROWS(tests)].test);
        n++;
    }
    return _cmocka_run_group_tests("blob", all, n, NULL, NULL);
}
