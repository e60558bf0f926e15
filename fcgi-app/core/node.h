/* Files and folders. */
#pragma once
#include "core/core.h"

/* Where a path leads. */
struct spot {
    struct place place;   /* the node, or the last folder that exists */
    size_t missing;       /* names beyond it that do not exist; 0: place.node is it */
    const char *const *rest; /* those names, normalised */
};

enum err node_show(struct core *c, void *mem, const struct who *who, struct id id, struct place *out) MUST_CHECK;
/* From the root of who's personal space (or `root` when given). Names are normalised here: E_BAD_NAME. */
enum err node_at(struct core *c, void *mem, const struct who *who, struct id root, const char *const *names, size_t n, struct spot *out) MUST_CHECK;
/* parent "": the root of the personal space. */
enum err node_entries(struct core *c, void *mem, const struct who *who, struct id parent, const struct node_query *q,
                      struct place *place_out, struct node_list *out) MUST_CHECK;
enum err folder_create(struct core *c, void *mem, const struct who *who, struct id parent, const char *name, struct node *out) MUST_CHECK;
/* E_BAD_NAME when one of them may not name a file; to be asked before the first folder of a path is made. */
enum err names_check(const void *mem, const char *const *names, size_t n) MUST_CHECK;
/* Make the folders of names that are missing; E_OK when all exist. parent of the last in *id_out. */
enum err folder_ensure(struct core *c, void *mem, const struct who *who, struct id from, const char *const *names, size_t n,
                       struct id *id_out) MUST_CHECK;
enum err node_delete(struct core *c, const struct who *who, struct id id, const struct expect *expect) MUST_CHECK;
struct in_change {
    const char *name;        /* NULL: keep */
    struct id parent;        /* "": keep */
    int64_t modified_ms;     /* 0: keep */
    struct expect expect;
};
/* Rename, move within the space, set the user's time. E_NAME_TAKEN, E_CYCLE, E_CROSS_SPACE, E_ROOT_NODE. */
enum err node_change(struct core *c, void *mem, const struct who *who, struct id id, const struct in_change *in, struct node *out) MUST_CHECK;

struct in_copy {
    const char *name;        /* NULL: the same */
    struct id parent;        /* "": the folder it is in */
    enum conflict conflict;  /* CONFLICT_FAIL or CONFLICT_RENAME */
    struct expect expect;
};
/* Once more, with all below, the same contents. E_NAME_TAKEN, E_CYCLE (into itself), E_QUOTA, E_ROOT_NODE. */
enum err node_copy(struct core *c, void *mem, const struct who *who, struct id id, const struct in_copy *in, struct node *out) MUST_CHECK;
/* Live files and folders below a folder, and their bytes. */
enum err node_sum(struct core *c, const struct who *who, struct id id, struct usage *out) MUST_CHECK;
/* What to send for a file: E_IS_FOLDER. */
enum err node_delivery(struct core *c, void *mem, const struct who *who, struct id id, bool attachment, struct node *node_out,
                       struct delivery *out) MUST_CHECK;
void delivery_of(const struct node *node, bool attachment, struct delivery *out);

/* ---- node_look.c: for pages ---- */
/* The files before and after one in its folder's list (sort and order of q); name "": there is none. */
enum err node_beside(struct core *c, void *mem, const struct who *who, const struct node *file, const struct node_query *q,
                     struct node *before_out, struct node *after_out) MUST_CHECK;
/* As node_entries, but only what has `part` in its name, whatever the case. Looks at 20,000 names at most: the list may be
 * short, or empty, and still have a `next`. */
enum err node_find(struct core *c, void *mem, const struct who *who, struct id parent, const struct node_query *q, const char *part,
                   struct place *place_out, struct node_list *out) MUST_CHECK;
/* The first bytes of a file as text to look at (utf8_shown). A store behind a network is waited for. */
enum err node_text(struct core *c, void *mem, const struct who *who, struct id file, size_t most, const char **text_out, bool *whole_out) MUST_CHECK;
