/* What a page shows besides its data: "site", "link", "user" and "page" (links, breadcrumbs, formatted sizes and
 * times). Templates only print; everything they print is made here, and templates/README.md lists it. */
#pragma once
#include "web/walk.h"

struct in_page_folder;

/* The object a template is rendered with, from reply.data and the walk. */
json_t *view_make(struct walk *w);

/* "1.4 MB" (powers of 1000), "812 B". */
char *view_size(const void *mem, int64_t bytes);

/* ---- "page" of each template; a handler hands its own to reply_page ---- */
enum err reply_page(struct walk *w, unsigned status, json_t *page);

json_t *view_folder(struct walk *w, const struct place *folder, const struct node_list *list);
json_t *view_delete(struct walk *w, const struct place *place, const struct usage *usage); /* usage NULL: a file */
json_t *view_uploaded(struct walk *w, json_t *results);
json_t *view_account(struct walk *w, const struct user *user, const struct space *space);

/* Of templates that are also shown when a request failed (reply.data: the problem), so made from the walk alone. */
json_t *view_sign_in(struct walk *w);
json_t *view_error(struct walk *w);

/* The address of a folder's page: "/" for a root. */
char *view_folder_link(const void *mem, const struct node *folder);
