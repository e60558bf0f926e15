/* An account goes; its files go with it, or to somebody else. */
#include "meta/sqlite.h"

#include <string.h>

#include "base/name.h"

struct work {
    struct sqlite *s;
    void *mem;
    const struct removal *in;
    struct user user;
    struct space space, heir; /* the personal ones */
    struct id folder;
};

enum err sqlite_space_drop(struct sqlite *s, struct id space)
{
    TRY(db_run(&s->main, SQL_SPACE_UPLOADS_DROP, ARGS(TEXT(space.s))));
    TRY(db_run(&s->main, SQL_SPACE_MEMBERS_DROP, ARGS(TEXT(space.s))));
    return db_run(&s->main, SQL_SPACE_DROP, ARGS(TEXT(space.s)));
}

/* ---- the files go ---- */
/* Open uploads go at once: their reservations hang on the space. */
static enum err drop_files(struct work *w)
{
    TRY(db_run(&w->s->main, SQL_SPACE_UPLOADS_DROP, ARGS(TEXT(w->space.id.s))));
    TRY(sqlite_charge(w->s, w->space.id, 0, -w->space.reserved));
    TRY(db_run(&w->s->main, SQL_SPACE_MEMBERS_DROP, ARGS(TEXT(w->space.id.s))));
    TRY(db_run(&w->s->main, SQL_SPACE_ORPHAN, ARGS(TEXT(w->space.id.s))));
    return db_run(&w->s->main, SQL_NODE_MARK_DEAD, ARGS(TEXT(w->space.root.s), NUMBER(w->in->now_ms)));
}

/* ---- the files stay ---- */
static enum err pick_name(struct work *w, const char **name_out)
{
    struct node taken;
    bool found;
    *name_out = w->user.name;
    TRY(sqlite_child(w->s, w->mem, w->heir.root, w->user.name, &taken, &found));
    return found ? sqlite_free_name(w->s, w->mem, w->heir.root, w->user.name, name_out) : E_OK;
}

/* Everything comes to lie one level deeper, behind one name more. */
static enum err check_nesting(struct work *w, const char *name)
{
    CLEANUP(db_reset) sqlite3_stmt *q = NULL;
    bool row;
    TRY(db_one(&w->s->main, SQL_NODE_REACH, &q, &row, ARGS(TEXT(w->space.root.s), NUMBER(NODE_FILE))));
    size_t depth = (size_t)sqlite3_column_int64(q, 0), bytes = (size_t)sqlite3_column_int64(q, 1);
    if (depth + 1 > PATH_MAX_DEPTH || bytes + strlen(name) + 1 > PATH_MAX_BYTES)
        return err_set(E_TOO_NESTED, "%zu levels and %zu bytes would be below the folder %s", depth, bytes, name);
    return E_OK;
}

/* The space goes, its nodes change into the heir's; those that wait for the keeper too, and are refunded there. */
static enum err give_files(struct work *w)
{
    const char *name;
    TRY(sqlite_personal(w->s, w->mem, w->in->heir, &w->heir));
    TRY(pick_name(w, &name));
    TRY(check_nesting(w, name));
    const char *key = name_key(w->mem, name); /* first the root: two of them in one space would stand in each other's way */
    TRY(db_run(&w->s->main, SQL_NODE_CHANGE,
               ARGS(TEXT(w->space.root.s), TEXT(w->heir.root.s), TEXT(name), TEXT(key), NUMBER(w->in->now_ms))));
    TRY(db_run(&w->s->main, SQL_SPACE_GIVE, ARGS(TEXT(w->space.root.s), TEXT(w->heir.id.s))));
    TRY(sqlite_charge(w->s, w->heir.id, w->space.used, 0));
    TRY(db_run(&w->s->main, SQL_SPACE_TREE_REV, ARGS(TEXT(w->heir.id.s))));
    w->folder = w->space.root;
    return sqlite_space_drop(w->s, w->space.id);
}

/* ---- the account ---- */
static enum err drop_account(struct work *w)
{
    static const enum sql steps[] = {
        SQL_USER_MEMBERS_DROP, SQL_USER_RESETS_DROP, SQL_USER_SESSIONS_DROP, SQL_USER_CREDENTIAL_DROP, SQL_USER_DROP,
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        TRY(db_run(&w->s->main, steps[i], ARGS(TEXT(w->user.id.s))));

    const struct audit audit = {
        .at_ms = w->in->now_ms, .user = w->user.id, .space = w->space.id, .node = w->folder, .action = "user_remove", .note = w->user.name,
    };
    return sqlite_audit(w->s, &audit);
}

static enum err remove_user(struct work *w)
{
    if (id_eq(w->in->user, w->in->heir))
        return err_say(E_CYCLE, "An account cannot get its own files.");
    TRY(sqlite_user_row(w->s, w->mem, w->in->user, &w->user));
    TRY(sqlite_admin_left(w->s, &w->user));
    TRY(sqlite_personal(w->s, w->mem, w->in->user, &w->space));
    TRY(id_is(w->in->heir) ? give_files(w) : drop_files(w));
    return drop_account(w);
}

enum err sqlite_user_remove(struct meta *m, const struct removal *in, struct id *folder_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct work w = {.s = sqlite_of(m), .mem = mem, .in = in};
    TRY(sqlite_write(w.s));
    TRY(db_end(&w.s->main, remove_user(&w)));
    *folder_out = w.folder;
    return E_OK;
}
