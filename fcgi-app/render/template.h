/* Parsed templates: flat arrays of nodes. Only for the files in this folder. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define SECTIONS_MAX_DEPTH 32
#define PARTIALS_MAX_DEPTH 32

enum node_kind { NODE_TEXT, NODE_VALUE, NODE_SECTION, NODE_INVERTED, NODE_PARTIAL };

struct template_node {
    enum node_kind kind;
    bool line_start; /* NODE_TEXT: begins a line, so a partial's indentation goes before it */
    bool standalone; /* NODE_PARTIAL: alone on its line, `text` is the blanks before it */
    const char *text;
    size_t len;
    const char *const *path; /* names of a dotted name, NULL-ended; empty for "." */
    size_t end;              /* sections: index behind the last node inside */
    const char *partial;     /* NODE_PARTIAL: its name, and after linking what it is */
    struct mustache *target;
    size_t line; /* for errors */
};

struct mustache {
    const char *name;
    struct template_node *nodes;
    size_t n_nodes;
    struct mustache *next;
    int height; /* of the partials below it, plus 1; 0 = not known yet */
};

struct templates {
    struct mustache *first;
};

const struct mustache *template_find(const struct templates *t, const char *name);

/* Text (kept: nodes point into it) into nodes on ctx. E_CONF with name, line and reason. */
enum err template_parse(const void *ctx, const char *name, const char *text, struct mustache *out) MUST_CHECK;
