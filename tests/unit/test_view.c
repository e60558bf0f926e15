#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "web/h_page.h"
#include "web/problem.h"
#include "web/view.h"

#define GB INT64_C(1000000000)

static const struct {
    int64_t bytes;
    const char *want;
} sizes[] = {
    {0, "0 B"},           {1, "1 B"},           {999, "999 B"},       {1000, "1.0 kB"},           {1049, "1.0 kB"},
    {1050, "1.1 kB"},     {99949, "99.9 kB"},   {99950, "100 kB"},    {999499, "999 kB"},         {999500, "1.0 MB"},
    {1400000, "1.4 MB"},  {999 * GB, "999 GB"}, {1000 * GB, "1.0 TB"}, {INT64_MAX, "9.2 EB"},
};

static void test_size(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (strcmp(view_size(mem, sizes[i].bytes), sizes[i].want) != 0)
            fail_msg("row %zu: %s, wanted %s", i, view_size(mem, sizes[i].bytes), sizes[i].want);
}

static const struct {
    const char *next, *want;
} nexts[] = {
    {NULL, "/"},
    {"", "/"},
    {"/", "/"},
    {"/folder/0a?sort=size&order=desc", "/folder/0a?sort=size&order=desc"},
    {"/a%20b//c", "/a%20b//c"},
    {"//evil.example", "/"},
    {"/\\evil.example", "/"},
    {"/a\\b", "/"},
    {"https://evil.example/", "/"},
    {"javascript:alert(1)", "/"},
    {"folder", "/"},
    {"/a\r\nSet-Cookie: x=y", "/"},
    {"/\t/evil.example", "/"},
    {"/a b", "/"},
    {"/\x7f", "/"},
    {"/\xc3\xa9", "/"},
};

static void test_next(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof nexts / sizeof *nexts; i++)
        if (strcmp(page_next(nexts[i].next), nexts[i].want) != 0)
            fail_msg("row %zu: %s, wanted %s", i, page_next(nexts[i].next), nexts[i].want);
}

/* ---- pages, with the templates as they are ---- */

static const struct route page = {.name = "page", .face = FACE_PAGE, .template = "folder"};

static struct walk *walk_new(void *mem)
{
    const char *top = getenv("top_srcdir");
    struct conf *conf = mem_new(mem, struct conf);
    struct site *site = mem_new(mem, struct site);
    struct walk *w = mem_new(mem, struct walk);
    conf->site_title = "Files & more";
    conf->site_register = "open";
    site->conf = conf;
    site->assets = json_own_object(mem);
    assert_int_equal(templates_load(mem, mem_printf(mem, "%s/templates", top != NULL ? top : "."), &site->templates), E_OK);
    json_object_set_new(site->assets, "coffer.css", json_string("coffer-0123456789.css"));
    w->mem = w;
    w->site = site;
    w->route = &page;
    w->who = (struct who){.kind = WHO_USER, .user.name = "anna"};
    w->req = mem_new(w, struct req);
    return w;
}

static const char *render(struct walk *w, const char *template)
{
    struct buf *out = mem_new(w, struct buf);
    w->reply.template = template;
    buf_init(out, w, 1 << 20);
    assert_int_equal(templates_render(w->site->templates, template, view_make(w), out), E_OK);
    return out->data;
}

static void has(const char *html, const char *part)
{
    if (strstr(html, part) == NULL)
        fail_msg("the page lacks %s:\n%s", part, html);
}

static struct id id_of(char c)
{
    struct id id = {""};
    memset(id.s, c, ID_LEN);
    return id;
}

static void test_folder(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct walk *w = walk_new(mem);
    struct in_page_folder in = {.sort = SORT_SIZE, .order = 1, .limit = 2, .cursor = "x"};
    struct node above[] = {{.id = id_of('b'), .parent = id_of('a'), .name = "a/b&?"}, {.id = id_of('a'), .parent = NODE_TOP, .name = ""}};
    struct place folder = {.node = {.id = id_of('c'), .parent = id_of('b'), .name = "caf\xc3\xa9"}, .depth = 2, .ancestors = above};
    struct node items[] = {
        {.id = id_of('d'), .parent = id_of('c'), .name = "<img src=x onerror=alert(1)>", .kind = NODE_FILE, .size = 1400000,
         .type = "image/png", .modified_ms = INT64_C(1795257067123)},
        {.id = id_of('e'), .parent = id_of('c'), .name = "\"'", .kind = NODE_FOLDER, .type = ""},
    };
    struct node_list list = {.n = 2, .items = items, .next = "a+b="};
    w->in = &in;
    assert_int_equal(reply_page(w, 200, view_folder(w, &folder, &list)), E_OK);
    const char *html = render(w, "folder");

    has(html, "<title>caf\xc3\xa9 · Files &amp; more</title>");
    has(html, "href=\"/assets/coffer-0123456789.css\"");
    has(html, "&lt;img src=x onerror=alert(1)&gt;");
    assert_null(strstr(html, "<img src=x"));
    has(html, "aria-label=\"Select &quot;&#39;\"");
    has(html, "data-content=\"/api/v1/content/a%2Fb%26%3F/caf%C3%A9/\"");
    has(html, "1.4 MB");
    has(html, "datetime=\"2026-11-21T10:31:07.123Z\">2026-11-21 10:31 UTC<");
    has(html, "#file-earmark-image\"");
    has(html, "aria-sort=\"descending\"");
    has(html, "sort=size&amp;order=desc&amp;limit=2&amp;cursor=a%2Bb%3D\"");
    has(html, "href=\"/folder/eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee\"");
    has(html, "action=\"/folder/cccccccccccccccccccccccccccccccc/new\"");
}

/* The table's titles have no other character that HTML escapes. */
static const char *escaped(const void *mem, const char *title)
{
    char *text = mem_str(mem, "");
    for (; *title != '\0'; title++)
        text = *title == '\'' ? mem_printf(mem, "%s&#39;", text) : mem_printf(mem, "%s%c", text, *title);
    return text;
}

/* Every failure has a page: its words, one piece of advice, and a way on. */
static void test_error(void **state)
{
    (void)state;
    for (int i = E_OK + 1; i < E_COUNT; i++) {
        CLEANUP(free_mem) void *mem = talloc_new(NULL);
        struct walk *w = walk_new(mem);
        enum err e = (enum err)i;
        err_set(e, "secret of the log");
        w->route = NULL;
        w->reply.problem = e;
        problem_fill(w);
        const char *html = render(w, "error"), *advice = strstr(html, "<p>\n");
        has(html, escaped(mem, err_title(e)));
        has(html, err_code(e));
        has(html, e == E_SIGN_IN || e == E_CREDENTIALS || e == E_REAUTH ? "href=\"/login\">Sign in</a>" : "href=\"/\">Your files</a>");
        assert_null(strstr(html, "secret"));
        if (advice == NULL || strspn(advice + 4, " \n") == strcspn(advice + 4, "<"))
            fail_msg("%s: no advice", err_name(e));
    }
}

static void test_sign_in(void **state)
{
    (void)state;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct walk *w = walk_new(mem);
    struct in_page_login in = {.username = "\"><script>", .password = "hunter2", .next = "/folder/0a"};
    w->who = (struct who){.kind = WHO_ANONYMOUS};
    w->in = &in;
    w->reply.kind = REPLY_DATA;
    w->reply.template = "login";
    w->reply.problem = err_retry(E_THROTTLED, 600);
    problem_fill(w);
    const char *html = render(w, "login");
    has(html, err_title(E_THROTTLED));
    has(html, "in 10 minutes");
    has(html, "value=\"&quot;&gt;&lt;script&gt;\"");
    has(html, "name=\"next\" value=\"/folder/0a\"");
    has(html, "href=\"/register?next=%2Ffolder%2F0a\"");
    assert_null(strstr(html, "hunter2"));
    assert_null(strstr(html, "Sign out"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_size),  cmocka_unit_test(test_next),    cmocka_unit_test(test_folder),
        cmocka_unit_test(test_error), cmocka_unit_test(test_sign_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
