/* What a page shows besides its data: "site", "link", "user" and "page" (links, breadcrumbs, formatted sizes and
 * times). Templates only print; everything they print is made here, and templates/README.md lists it. */
#pragma once
#include "web/h_page.h"
#include "web/walk.h"

/* What was ticked in a list; one that is gone has no name. All lie in `home`, as the list does. */
struct chosen {
    size_t n;
    struct node *nodes;
    struct place home;
};

/* The object a template is rendered with, from reply.data and the walk. */
json_t *view_make(struct walk *w);

/* "1.4 MB" (powers of 1000), "812 B". */
char *view_size(const void *mem, int64_t bytes);

/* ---- "page" of each template; a handler hands its own to reply_page ---- */
enum err reply_page(struct walk *w, unsigned status, json_t *page);

json_t *view_folder(struct walk *w, const struct place *folder, const struct node_list *list);
/* Is a list of what has something in its name asked for? */
bool view_finds(const struct in_page_folder *in);
json_t *view_delete(struct walk *w, const struct place *place, const struct usage *usage); /* usage NULL: a file */
/* What the page of a file shows besides its record. */
struct shown {
    const char *text;           /* the beginning of it; NULL: no text, or it could not be read */
    bool whole;                 /* and that is all of it */
    struct node before, after;  /* in the list it was opened from; name "": none */
};
/* Is its text shown? */
bool view_shows_text(const struct node *node);
json_t *view_file(struct walk *w, const struct place *place, const struct shown *shown);
/* Of a folder; of a file what view_file begins with (usage NULL). */
json_t *view_about(struct walk *w, const struct place *place, const struct usage *usage);
/* name: as typed; problem E_OK: nothing is wrong with it yet. */
json_t *view_rename(struct walk *w, const struct place *place, const char *name, enum err problem);
/* Of templates "pick" and "delete-many"; verb: the done of it. */
/* problem: what is wrong with the folder that was to be made, or E_OK. */
json_t *view_pick(struct walk *w, enum page_done verb, const struct chosen *chosen, const struct place *at, const struct node_list *list,
                  enum err problem);
json_t *view_delete_many(struct walk *w, const struct chosen *chosen, const struct usage *all); /* all: with what is in folders */
json_t *view_results(struct walk *w, enum page_done verb, json_t *results, const char *back);
json_t *view_uploaded(struct walk *w, json_t *results);
/* What the page of one's account shows. */
struct self {
    struct user user;
    struct space space;
    struct session *sessions;
    size_t n_sessions;
    bool fresh; /* the password was given lately: sessions may be ended */
};
/* problem: what went wrong with a form of it, or E_OK. */
json_t *view_account(struct walk *w, const struct self *self, enum err problem);
json_t *view_reset(struct walk *w, const struct user *user, const char *token, enum err problem);

/* Of templates that are also shown when a request failed (reply.data: the problem), so made from the walk alone. */
json_t *view_sign_in(struct walk *w);
json_t *view_error(struct walk *w);

/* ---- parts of them ---- */
/* The icon of a file by its media type, and of folders. */
const char *view_icon(const struct node *node);
/* "modified", "modified_day", "modified_text" */
void view_time(json_t *item, int64_t t_ms);
/* What went wrong, as a sentence; null for E_OK. */
json_t *view_problem(enum err e);
/* Ancestors, root first; what lies there is the page's heading. */
json_t *view_path(struct walk *w, const struct place *place);
/* {WORD: true, "n": n or null} for a form that was done (enum page_done), else null. */
json_t *view_notice(int done, int64_t n);
/* The address of a folder's page: "/" for a root. */
char *view_folder_link(const void *mem, const struct node *folder);
