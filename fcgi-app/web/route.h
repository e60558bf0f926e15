/* Routes: one row per address and method in routes.def, everything about it in the row. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/field.h"

struct walk;
struct req;

/* Who may knock; rights on nodes are asked in core. */
enum access {
    ACCESS_ANYONE,
    ACCESS_USER,
    ACCESS_PROBE, /* anyone, and by whatever host name */
};

/* What the answer looks like. */
enum face {
    FACE_JSON,     /* an API: JSON, problems as application/problem+json */
    FACE_PAGE,     /* a page: HTML; not signed in leads to /login */
    FACE_EITHER,   /* a familiar address: HTML when Accept names it, else JSON */
    FACE_CONTENT,  /* contents of files; problems as JSON */
};

/* What body the route takes. */
enum body_kind {
    BODY_NONE,
    BODY_JSON,     /* into the route's struct by its fields */
    BODY_FORM,     /* urlencoded (pages), into the route's struct by its fields */
    BODY_JSON_OR_FORM,
    BODY_RAW,      /* an upload: memory or spool */
    BODY_MULTIPART,
};

enum pool_name { POOL_API, POOL_LOGIN, POOL_BULK };

struct route {
    const char *name;           /* "file_show": in logs, links, tests and the OpenAPI file */
    unsigned method;            /* one of enum method; a GET row also answers HEAD */
    const char *pattern;        /* "/api/v1/files/{id}/info"; {id}, {name}, {path...} */
    enum access access;
    enum face face;
    enum body_kind body;
    enum pool_name small, large;/* pool for bodies up to limits.small_body, and beyond */
    enum err (*act)(struct walk *w);
    enum err (*reserve)(struct walk *w); /* phase reserve of an upload; NULL: takes no large body */
    const struct field *query;  /* fields of the query string, into `in` */
    const struct field *fields; /* fields of the body, into the same `in` */
    size_t in_size;
    const char *template;       /* of a page */
};

extern const struct route routes[];
extern const size_t routes_n;

/* The route for the request's path and method; sets the walk's arguments. E_NO_ROUTE; E_METHOD with *allow_out (a bit set of
 * enum method). "/api/x" is tried as "/api/v1/x" when it has no row of its own. */
enum err route_match(struct walk *w, const struct route **route_out, unsigned *allow_out) MUST_CHECK;

/* The address of a route by its name, arguments encoded: link(mem, "folder", id). Never uses Host. Path only. */
char *link_to(const void *mem, const char *route, const char *arg) MUST_CHECK;
/* With site.public_url before it. */
struct conf;
char *link_absolute(const void *mem, const struct conf *conf, const char *path) MUST_CHECK;
