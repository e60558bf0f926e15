/* Lists: all sorts and orders, page by page, while the folder changes. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 2500 /* every fifth a folder */

static const enum node_sort sorts[] = {SORT_NAME, SORT_SIZE, SORT_MODIFIED, SORT_TYPE};

/* Names, sizes, times and types that collide, in no order. */
static void fill(struct bench *b, struct id parent, unsigned many)
{
    static const char *const types[] = {"text/plain", "image/png", "application/pdf"};
    char name[32], key[32];
    for (unsigned i = 0; i < many; i++) {
        unsigned mixed = i * 7919u % many;
        snprintf(name, sizeof name, i % 5 == 0 ? "Entry %04u" : "entry %04u", mixed / 2 * 2 + i % 2);
        snprintf(key, sizeof key, "entry %04u", mixed / 2); /* two of a key each */
        if (i < many / 5) {
            const struct node in = {
                .id = id_new(), .parent = parent, .name = name, .key = key, .created_ms = NOW_MS, .modified_ms = NOW_MS + mixed % 50,
            };
            struct guard g = yes(b->ann.user);
            assert_err(b->m->ops->folder_add(b->m, &g, &in), E_OK);
            continue;
        }
        struct commit in = commit_of(parent, name, mixed % 40);
        in.key = key;
        in.type = types[mixed % ROWS(types)];
        in.modified_ms = NOW_MS + mixed % 50;
        in.conflict = CONFLICT_RENAME;
        assert_err(commit_now(b->m, &b->ann, &in, NULL, NULL), E_OK);
    }
}

static int by(enum node_sort sort, const struct node *a, const struct node *b)
{
    switch (sort) {
    case SORT_NAME:
        return strcmp(a->key, b->key);
    case SORT_TYPE:
        return strcmp(a->type, b->type);
    case SORT_SIZE:
        return (a->size > b->size) - (a->size < b->size);
    case SORT_MODIFIED:
        return (a->modified_ms > b->modified_ms) - (a->modified_ms < b->modified_ms);
    }
    abort();
}

/* Folders first in both orders; then the key, then the id, both in the list's order. */
static bool in_order(const struct node_query *q, const struct node *a, const struct node *b)
{
    if (a->kind != b->kind)
        return a->kind == NODE_FOLDER;
    int c = by(q->sort, a, b);
    if (c == 0)
        c = strcmp(a->id.s, b->id.s);
    return q->descending ? c > 0 : c < 0;
}

static void page(struct bench *b, void *mem, struct id parent, const struct node_query *q, struct node_list *list)
{
    struct guard g = yes(b->ann.user);
    struct place place;
    assert_err(b->m->ops->node_list(b->m, mem, &g, parent, q, &place, list), E_OK);
    assert_id(place.node.id, parent);
}

/* Walks all pages; how many entries came. */
static size_t walk(struct bench *b, struct id parent, struct node_query q)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct node last = {0};
    size_t n = 0;
    do {
        struct node_list list;
        page(b, mem, parent, &q, &list);
        assert_true(list.n <= q.limit && (list.n == q.limit || list.next == NULL));
        for (size_t i = 0; i < list.n; i++, n++) {
            if (n > 0 && !in_order(&q, &last, &list.items[i]))
                fail_msg("sort %d%s: %s (%s) comes before %s (%s)", q.sort, q.descending ? " down" : "", last.name, last.id.s,
                         list.items[i].name, list.items[i].id.s);
            last = list.items[i];
        }
        q.after = list.next;
    } while (q.after != NULL);
    return n;
}

static void every_sort_and_order_gives_everything_once(void **state)
{
    struct bench *b = *state;
    struct id folder = must_folder(b, &b->ann, b->ann.root, "many");
    static const unsigned limits[] = {1000, 100, 499, 7};
    unsigned many = bench_many(b, MANY);
    fill(b, folder, many);
    must_file(b, &b->ann, b->ann.root, "beside", 1);
    for (size_t s = 0; s < ROWS(sorts); s++)
        for (unsigned down = 0; down < 2; down++)
            assert_int_equal(walk(b, folder, (struct node_query){.sort = sorts[s], .descending = down == 1, .limit = limits[s]}), many);
}

static void the_last_page_says_so(void **state)
{
    struct bench *b = *state;
    struct node_list list;
    const struct { unsigned files, limit; size_t n; bool more; } rows[] = {
        {0, 3, 0, false}, {2, 3, 2, false}, {3, 3, 3, false}, {4, 3, 3, true}, {4, 1000, 4, false},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        char name[16];
        snprintf(name, sizeof name, "d%zu", i);
        struct id folder = must_folder(b, &b->ann, b->ann.root, name);
        for (unsigned f = 0; f < rows[i].files; f++) {
            snprintf(name, sizeof name, "f%u", f);
            must_file(b, &b->ann, folder, name, 1);
        }
        page(b, b, folder, &(struct node_query){.limit = rows[i].limit}, &list);
        if (list.n != rows[i].n || (list.next != NULL) != rows[i].more)
            fail_msg("row %zu: %zu entries, more: %d", i, list.n, list.next != NULL);
    }
}

/* Entries that come and go between two pages neither repeat nor hide one that stayed; and the entry the
 * cursor stands on may go itself. */
static void pages_stay_in_step_while_the_folder_changes(void **state)
{
    struct bench *b = *state;
    struct id folder = must_folder(b, &b->ann, b->ann.root, "busy");
    struct guard g = yes(b->ann.user);
    char name[16];
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "f%02u", i * 2);
        must_file(b, &b->ann, folder, name, i);
    }
    struct node_query q = {.sort = SORT_NAME, .limit = 10};
    struct node_list first, second;
    page(b, b, folder, &q, &first);
    q.after = first.next;
    assert_err(b->m->ops->node_remove(b->m, &g, first.items[9].id, NULL, NOW_MS), E_OK);
    assert_err(b->m->ops->node_remove(b->m, &g, first.items[0].id, NULL, NOW_MS), E_OK);
    must_file(b, &b->ann, folder, "f01", 1);          /* before the cursor */
    must_file(b, &b->ann, folder, "f19", 1);          /* right behind it */
    must_folder(b, &b->ann, folder, "z folder");      /* a folder: before all files */
    page(b, b, folder, &q, &second);
    assert_int_equal(second.n, 10);
    assert_string_equal(second.items[0].name, "f19");
    assert_string_equal(second.items[1].name, "f20");
    assert_string_equal(second.items[9].name, "f36");
}

static void the_dead_and_the_neighbours_are_not_listed(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct id docs = must_folder(b, &b->ann, b->ann.root, "docs"), gone = must_folder(b, &b->ann, docs, "gone");
    struct node_list list;
    must_file(b, &b->ann, docs, "stays", 1);
    must_file(b, &b->ann, b->ann.root, "above", 1);
    must_file(b, &b->ann, gone, "below", 1);
    assert_err(b->m->ops->node_remove(b->m, &g, gone, NULL, NOW_MS), E_OK);
    page(b, b, docs, &(struct node_query){.limit = 10}, &list);
    assert_int_equal(list.n, 1);
    assert_string_equal(list.items[0].name, "stays");
}

static void a_file_has_no_list(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct node file = must_file(b, &b->ann, b->ann.root, "a.txt", 1);
    const struct node_query q = {.limit = 10};
    struct place place;
    struct node_list list;
    assert_err(b->m->ops->node_list(b->m, b, &g, file.id, &q, &place, &list), E_NOT_FOLDER);
}

static void a_cursor_of_another_list_is_refused(void **state)
{
    struct bench *b = *state;
    struct guard g = yes(b->ann.user);
    struct node_query q = {.sort = SORT_SIZE, .limit = 1};
    struct node_list list;
    struct place place;
    must_file(b, &b->ann, b->ann.root, "a", 1);
    must_file(b, &b->ann, b->ann.root, "b", 2);
    page(b, b, b->ann.root, &q, &list);
    const struct node_query rows[] = {
        {.sort = SORT_NAME, .limit = 1, .after = list.next}, {.sort = SORT_SIZE, .descending = true, .limit = 1, .after = list.next},
        {.sort = SORT_SIZE, .limit = 1, .after = ""}, {.sort = SORT_SIZE, .limit = 1, .after = "?"},
    };
    for (size_t i = 0; i < ROWS(rows); i++)
        if (b->m->ops->node_list(b->m, b, &g, b->ann.root, &rows[i], &place, &list) != E_BAD_CURSOR)
            fail_msg("row %zu", i);
}

int main(void)
{
    static const struct named_test tests[] = {
        TEST(every_sort_and_order_gives_everything_once),
        TEST(the_last_page_says_so),
        TEST(pages_stay_in_step_while_the_folder_changes),
        TEST(the_dead_and_the_neighbours_are_not_listed),
        TEST(a_file_has_no_list),
        TEST(a_cursor_of_another_list_is_refused),
    };
    return bench_run("meta: lists", tests, ROWS(tests));
}
