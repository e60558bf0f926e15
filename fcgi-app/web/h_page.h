/* The handlers of the pages, rows in pages.def. Forms post to pages and are answered with 303, or with a page
 * that says what went wrong; what they show is made in view_*.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/field.h"

struct walk;
struct place;

struct in_page_folder {
    int64_t limit;   /* 0: the default */
    int sort, order; /* enum node_sort; 1: descending */
    const char *cursor;
    const char *q;   /* only what has this in its name; "" or NULL: everything */
    int done;        /* enum page_done: what the form that led here did */
    int64_t n;       /* to so many files */
};
extern const struct field fields_page_folder[];

enum page_done { DONE_NOTHING, DONE_UPLOADED, DONE_CREATED, DONE_DELETED, DONE_RENAMED, DONE_MOVED, DONE_COPIED };

/* Words of addresses: by enum node_sort; ascending, descending; each NULL-terminated. */
extern const char *const page_sorts[], *const page_orders[];
extern const char *const page_dones[]; /* in an address, by enum page_done; NULL-terminated */

/* To the list of a folder, which says what was done: to n files, or without a number. */
enum err page_back(struct walk *w, const char *folder_link, enum page_done done, size_t n);
/* The address of the list that a file or folder is in. */
const char *page_above(const void *mem, const struct place *place);

struct in_page_folder_new {
    const char *name;
};
extern const struct field fields_page_folder_new[];

struct in_page_file {
    int done;        /* as above */
    int sort, order; /* of the list it was opened from: which file is next */
};
extern const struct field fields_page_file[];

struct in_page_upload {
    int64_t mtime_ms;
};
extern const struct field fields_page_upload[];

/* Any text: core judges, so that a bad name is said beside the form. */
struct in_page_rename {
    const char *name;
    struct id etag; /* of the file that the form was made for; "" for folders */
};
extern const struct field fields_page_rename[];

struct in_page_delete {
    struct id etag; /* as above */
};
extern const struct field fields_page_delete[];

/* Files and folders that something is to be done with, and how far somebody got with saying what. */
struct in_page_pick {
    struct id_list ids;
    struct id_list seen; /* tags of the files when deleting was asked about */
    struct id at, to;    /* the folder looked at, the one to look at next */
    const char *after;   /* a cursor of its list */
    const char *name;    /* of a folder to make there */
    bool make;           /* make it */
    bool go;             /* that is it: do it */
};
extern const struct field fields_page_pick[];

/* Of the sign-in and the registration form alike. Checked no further than by length: core judges, so that a
 * bad name is said beside the form. */
struct in_page_login {
    const char *username, *password;
    const char *next; /* where to go afterwards; as sent: see page_next */
    const char *invite;
    int done;         /* 1: just signed out, 2: just set a new password */
};
extern const struct field fields_page_login[];

/* Any text in the passwords: core judges, so that what is wrong is said beside the form. */
struct in_page_account {
    const char *current_password, *new_password, *password;
    int done; /* 1: password changed, 2: confirmed, 3: sessions ended */
};
extern const struct field fields_page_account[];

struct in_page_reset {
    const char *token, *new_password;
};
extern const struct field fields_page_reset[];

/* h_page_folder.c */
enum err h_page_home(struct walk *w);
enum err h_page_folder(struct walk *w);
enum err h_page_upload(struct walk *w);
enum err h_page_upload_reserve(struct walk *w);
enum err h_page_folder_new(struct walk *w);

/* h_page_file.c */
enum err h_page_file(struct walk *w);
enum err h_page_rename_ask(struct walk *w);
enum err h_page_rename(struct walk *w);
enum err h_page_delete_ask(struct walk *w);
enum err h_page_delete(struct walk *w);

/* h_page_pick.c: without `go` the page that asks, with it the deed */
enum err h_page_move(struct walk *w);
enum err h_page_copy(struct walk *w);
enum err h_page_delete_many(struct walk *w);

/* h_page_account.c */
enum err h_page_login_ask(struct walk *w);
enum err h_page_login(struct walk *w);
enum err h_page_register_ask(struct walk *w);
enum err h_page_register(struct walk *w);
enum err h_page_logout(struct walk *w);

/* h_page_self.c */
enum err h_page_account(struct walk *w);
enum err h_page_password(struct walk *w);
enum err h_page_confirm(struct walk *w);
enum err h_page_session_end(struct walk *w);
enum err h_page_sessions_end(struct walk *w);
enum err h_page_reset_ask(struct walk *w);
enum err h_page_reset(struct walk *w);

/* `next` when it is an address within this site that is safe to send somebody to, else "/": one '/' first, then
 * printable ASCII without '\', which browsers take for '/'. */
const char *page_next(const char *next);
