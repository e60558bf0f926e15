/* Mustache text to nodes. Lines that hold nothing but one section, comment or partial tag vanish whole
 * ("standalone", as the specification calls them). */
#include "render/template.h"

#include <string.h>

#include "base/mem.h"

struct parser {
    const void *ctx;
    const char *name;
    const char *text; /* the whole template */
    const char *at;   /* up to here it is in nodes */
    struct template_node *nodes;
    size_t n, cap;
    size_t open[SECTIONS_MAX_DEPTH]; /* indices of the sections around `at` */
    size_t depth;
};

struct tag {
    char kind;               /* '#', '^', '/', '>', '!', or 'v' for a value */
    const char *begin, *end; /* from its first brace to behind its last */
    const char *inner;       /* without kind and blanks */
    size_t inner_len;
};

static size_t line_of(const struct parser *p, const char *at)
{
    size_t line = 1;

    for (const char *c = p->text; c < at; c++)
        line += *c == '\n';
    return line;
}

static enum err bad(const struct parser *p, const char *at, const char *what)
{
    return err_set(E_CONF, "template %s:%zu: %s", p->name, line_of(p, at), what);
}

static struct template_node *add_node(struct parser *p, enum node_kind kind)
{
    if (p->n == p->cap) {
        size_t cap = p->cap > 0 ? p->cap * 2 : 16;
        struct template_node *nodes = mem_array(p->ctx, struct template_node, cap);
        if (p->n > 0)
            memcpy(nodes, p->nodes, p->n * sizeof *nodes);
        talloc_free(p->nodes);
        p->nodes = nodes;
        p->cap = cap;
    }
    p->nodes[p->n] = (struct template_node){.kind = kind};
    return &p->nodes[p->n++];
}

static bool is_line_start(const struct parser *p, const char *at)
{
    return at == p->text || at[-1] == '\n';
}

static void add_text(struct parser *p, const char *end)
{
    if (end == p->at)
        return;
    struct template_node *node = add_node(p, NODE_TEXT);
    node->line_start = is_line_start(p, p->at);
    node->text = p->at;
    node->len = (size_t)(end - p->at);
}

/* An empty text where a tag begins a line: the place for a partial's indentation. */
static void add_line_start(struct parser *p, const char *begin)
{
    struct template_node *node = add_node(p, NODE_TEXT);
    node->line_start = true;
    node->text = begin;
}

static enum err read_tag(const struct parser *p, const char *begin, struct tag *out)
{
    const char *inner = begin + 2;
    const char *close = strstr(inner, "}}");

    if (close == NULL)
        return bad(p, begin, "a tag is not closed");
    if (*inner == '{' || *inner == '&')
        return bad(p, begin, "there is no unescaped form here: write {{name}}");
    if (*inner == '=' || *inner == '<' || *inner == '$')
        return bad(p, begin, "this kind of tag is not known here");
    *out = (struct tag){.kind = 'v', .begin = begin, .end = close + 2};
    if (*inner != '\0' && strchr("#^/>!", *inner) != NULL)
        out->kind = *inner++;
    while (inner < close && strchr(" \t\r\n", *inner) != NULL)
        inner++;
    while (close > inner && strchr(" \t\r\n", close[-1]) != NULL)
        close--;
    out->inner = inner;
    out->inner_len = (size_t)(close - inner);
    return E_OK;
}

/* Is the tag alone on its line? Then the line's first byte and the next line's are put out. */
static bool is_standalone(const struct parser *p, const struct tag *tag, const char **line_out,
                          const char **next_out)
{
    const char *line = tag->begin, *next = tag->end;

    if (tag->kind == 'v')
        return false;
    while (line > p->at && (line[-1] == ' ' || line[-1] == '\t'))
        line--;
    next += strspn(next, " \t");
    if (next[0] == '\r' && next[1] == '\n')
        next++;
    if (!is_line_start(p, line) || (*next != '\n' && *next != '\0'))
        return false;
    *line_out = line;
    *next_out = next + (*next == '\n');
    return true;
}

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static enum err check_name(const struct parser *p, const struct tag *tag, const char *further)
{
    for (size_t i = 0; i < tag->inner_len; i++) {
        if (!is_name_char(tag->inner[i]) && strchr(further, tag->inner[i]) == NULL)
            return bad(p, tag->begin, "a name may have letters, digits, _ and - only");
    }
    return tag->inner_len > 0 ? E_OK : bad(p, tag->begin, "a tag has no name");
}

/* "a.b.c" to its names; "." to none. */
static enum err read_path(const struct parser *p, const struct tag *tag, const char *const **out)
{
    size_t n = 1, done = 0;

    TRY(check_name(p, tag, "."));
    for (size_t i = 0; i < tag->inner_len; i++)
        n += tag->inner[i] == '.';
    const char **path = mem_array(p->ctx, const char *, n + 1);
    bool is_dot = tag->inner_len == 1 && tag->inner[0] == '.';
    for (size_t at = 0; at <= tag->inner_len && !is_dot;) {
        const char *dot = memchr(tag->inner + at, '.', tag->inner_len - at);
        size_t len = dot != NULL ? (size_t)(dot - tag->inner) - at : tag->inner_len - at;
        if (len == 0)
            return bad(p, tag->begin, "a dotted name has an empty part");
        path[done++] = mem_strn(path, tag->inner + at, len);
        at += len + 1;
    }
    *out = path;
    return E_OK;
}

static enum err open_section(struct parser *p, const struct tag *tag)
{
    if (p->depth == SECTIONS_MAX_DEPTH)
        return bad(p, tag->begin, "sections are nested too deep");
    p->open[p->depth++] = p->n;
    struct template_node *node = add_node(p, tag->kind == '#' ? NODE_SECTION : NODE_INVERTED);
    node->text = tag->inner;
    node->len = tag->inner_len;
    node->line = line_of(p, tag->begin);
    return read_path(p, tag, &node->path);
}

static enum err close_section(struct parser *p, const struct tag *tag)
{
    if (p->depth == 0)
        return bad(p, tag->begin, "a section is closed that is not open");
    struct template_node *node = &p->nodes[p->open[--p->depth]];
    if (node->len != tag->inner_len || memcmp(node->text, tag->inner, node->len) != 0)
        return bad(p, tag->begin, "another section is open than the one closed");
    node->end = p->n;
    return E_OK;
}

static enum err add_partial(struct parser *p, const struct tag *tag, bool standalone, const char *line)
{
    TRY(check_name(p, tag, "/."));
    struct template_node *node = add_node(p, NODE_PARTIAL);
    node->partial = mem_strn(p->ctx, tag->inner, tag->inner_len);
    node->line = line_of(p, tag->begin);
    node->standalone = standalone;
    node->text = line;
    node->len = standalone ? (size_t)(tag->begin - line) : 0;
    return E_OK;
}

static enum err add_value(struct parser *p, const struct tag *tag)
{
    return read_path(p, tag, &add_node(p, NODE_VALUE)->path);
}

static enum err take_tag(struct parser *p, const char *begin)
{
    struct tag tag = {0};
    const char *line = begin, *next;

    TRY(read_tag(p, begin, &tag));
    bool standalone = is_standalone(p, &tag, &line, &next);
    add_text(p, standalone ? line : begin);
    if (!standalone && is_line_start(p, begin))
        add_line_start(p, begin);
    p->at = standalone ? next : tag.end;
    switch (tag.kind) {
    case '#':
    case '^':
        return open_section(p, &tag);
    case '/':
        return close_section(p, &tag);
    case '>':
        return add_partial(p, &tag, standalone, line);
    case '!':
        return E_OK;
    default:
        return add_value(p, &tag);
    }
}

enum err template_parse(const void *ctx, const char *name, const char *text, struct mustache *out)
{
    struct parser p = {.ctx = ctx, .name = name, .text = text, .at = text};
    const char *begin;

    while ((begin = strstr(p.at, "{{")) != NULL)
        TRY(take_tag(&p, begin));
    if (p.depth > 0) {
        const struct template_node *node = &p.nodes[p.open[p.depth - 1]];
        return err_set(E_CONF, "template %s:%zu: the section %.*s is not closed", name, node->line,
                       (int)node->len, node->text);
    }
    add_text(&p, p.at + strlen(p.at));
    *out = (struct mustache){.name = name, .nodes = p.nodes, .n_nodes = p.n};
    return E_OK;
}
