/* Rendering: nodes and data to text. Nothing is allocated but the output. */
#include "render/render.h"

#include <string.h>

#include "render/template.h"

/* The data in scope, innermost first. */
struct frame {
    const json_t *value;
    const struct frame *up;
};

/* Blanks before every line of a partial that stands alone on an indented line. */
struct indent {
    const char *text;
    size_t len;
    const struct indent *up;
};

struct scope {
    struct buf *out;
    const struct frame *data;
    const struct indent *indent;
};

static void render_range(const struct scope *s, const struct mustache *t, size_t from, size_t to);

static void add_escaped(struct buf *out, const char *text, size_t len)
{
    size_t plain = 0;

    for (size_t i = 0; i < len; i++) {
        const char *escape = NULL;
        switch (text[i]) {
        case '&':
            escape = "&amp;";
            break;
        case '<':
            escape = "&lt;";
            break;
        case '>':
            escape = "&gt;";
            break;
        case '"':
            escape = "&quot;";
            break;
        case '\'':
            escape = "&#39;";
            break;
        default:
            continue;
        }
        buf_add(out, text + plain, i - plain);
        buf_str(out, escape);
        plain = i + 1;
    }
    buf_add(out, text + plain, len - plain);
}

static void add_value(struct buf *out, const json_t *value)
{
    if (json_is_string(value))
        add_escaped(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        buf_printf(out, "%.17g", json_real_value(value));
    else if (json_is_boolean(value))
        buf_str(out, json_is_true(value) ? "true" : "false");
}

static void add_indent(struct buf *out, const struct indent *indent)
{
    if (indent == NULL)
        return;
    add_indent(out, indent->up);
    buf_add(out, indent->text, indent->len);
}

static void add_indented(const struct scope *s, const struct template_node *node)
{
    const char *at = node->text, *end = node->text + node->len;
    bool line_start = node->line_start;

    if (line_start && at == end) /* a tag begins this line */
        add_indent(s->out, s->indent);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *next = newline != NULL ? newline + 1 : end;
        if (line_start && at != newline) /* no blanks before nothing */
            add_indent(s->out, s->indent);
        buf_add(s->out, at, (size_t)(next - at));
        line_start = true;
        at = next;
    }
}

/* The first name is looked for from the inside out; the rest of a dotted name only below what that found. */
static const json_t *find_value(const struct frame *data, const char *const *path)
{
    const json_t *value = NULL;

    if (*path == NULL)
        return data->value;
    for (; data != NULL && value == NULL; data = data->up)
        value = json_object_get(data->value, *path); /* NULL for whatever is no object */
    while (value != NULL && *++path != NULL)
        value = json_object_get(value, *path);
    return value;
}

static bool is_empty(const json_t *value)
{
    return value == NULL || json_is_null(value) || json_is_false(value) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_string(value) && json_string_length(value) == 0);
}

static void render_inside(const struct scope *s, const struct mustache *t, size_t section,
                          const json_t *value)
{
    struct frame frame = {.value = value, .up = s->data};
    struct scope inner = {.out = s->out, .data = &frame, .indent = s->indent};

    render_range(&inner, t, section + 1, t->nodes[section].end);
}

static void render_section(const struct scope *s, const struct mustache *t, size_t section)
{
    const json_t *value = find_value(s->data, t->nodes[section].path);

    if (is_empty(value))
        return;
    if (!json_is_array(value)) {
        render_inside(s, t, section, value);
        return;
    }
    for (size_t i = 0; i < json_array_size(value) && !s->out->over; i++)
        render_inside(s, t, section, json_array_get(value, i));
}

static void render_inverted(const struct scope *s, const struct mustache *t, size_t section)
{
    if (is_empty(find_value(s->data, t->nodes[section].path)))
        render_range(s, t, section + 1, t->nodes[section].end);
}

static void render_partial(const struct scope *s, const struct template_node *node)
{
    struct indent indent = {.text = node->text, .len = node->len, .up = s->indent};
    bool indented = node->standalone && (node->len > 0 || s->indent != NULL);
    struct scope inner = {.out = s->out, .data = s->data, .indent = indented ? &indent : NULL};

    render_range(&inner, node->target, 0, node->target->n_nodes);
}

static void render_range(const struct scope *s, const struct mustache *t, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        const struct template_node *node = &t->nodes[i];
        switch (node->kind) {
        case NODE_TEXT:
            if (s->indent != NULL)
                add_indented(s, node);
            else
                buf_add(s->out, node->text, node->len);
            break;
        case NODE_VALUE:
            add_value(s->out, find_value(s->data, node->path));
            break;
        case NODE_SECTION:
            render_section(s, t, i);
            i = node->end - 1;
            break;
        case NODE_INVERTED:
            render_inverted(s, t, i);
            i = node->end - 1;
            break;
        case NODE_PARTIAL:
            render_partial(s, node);
            break;
        }
    }
}

enum err templates_render(const struct templates *t, const char *name, const json_t *data, struct buf *out)
{
    const struct mustache *found = template_find(t, name);
    struct frame frame = {.value = data};

    if (found == NULL || found->height == 0)
        return err_set(E_INTERNAL, "no template called %s, or it was not linked", name);
    render_range(&(struct scope){.out = out, .data = &frame}, found, 0, found->n_nodes);
    return buf_ok(out);
}
