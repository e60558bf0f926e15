/* An account goes; its files go with it, or to somebody else. */
#include "meta/mongo.h"

#include <string.h>

#include "base/name.h"

struct work {
    struct mongo *s;
    void *mem;
    const struct removal *in;
    struct user user;
    struct space space, heir; /* the personal ones */
    struct id folder;
};

static enum err drop_uploads(struct mongo *s, struct ref space)
{
    return mongo_delete(s, "record", DOC("space", S(space.s), "expires_ms", "{", "$gte", N(INT64_MIN), "}"), NULL);
}

enum err mongo_space_drop(struct mongo *s, struct id space)
{
    struct ref ref = ref_of(OF_SPACE, space);
    TRY(drop_uploads(s, ref));
    TRY(mongo_delete(s, "member", DOC("space", S(ref.s)), NULL));
    return mongo_delete(s, "record", DOC("_id", S(ref.s)), NULL);
}

/* ---- the files go ---- */
/* Open uploads go at once: their reservations hang on the space. */
static enum err drop_files(struct work *w)
{
    struct ref space = ref_of(OF_SPACE, w->space.id);
    WRITES_AUTO b = writes_new();
    TRY(drop_uploads(w->s, space));
    TRY(mongo_delete(w->s, "member", DOC("space", S(space.s)), NULL));
    writes_charge(&b, w->space.id, 0, -w->space.reserved);
    writes_update(&b, space, DOC("$unset", "{", "personal_of", N(1), "}"));
    writes_update(&b, ref_of(OF_NODE, w->space.root), DOC("$set", "{", "live", B(false), "removed_ms", N(w->in->now_ms), "}"));
    return writes_send(w->s, &b);
}

/* ---- the files stay ---- */
static enum err pick_name(struct work *w, const char **name_out)
{
    struct node taken;
    bool found;
    *name_out = w->user.name;
    TRY(mongo_child(w->s, w->mem, w->heir.root, w->user.name, &taken, &found));
    return found ? mongo_free_name(w->s, w->mem, w->heir.root, w->user.name, name_out) : E_OK;
}

/* The space goes, its nodes change into the heir's; those that wait for the keeper too, and are refunded there. */
static enum err give_files(struct work *w)
{
    const char *name;
    WRITES_AUTO b = writes_new();
    struct ref space = ref_of(OF_SPACE, w->space.id), heir;
    TRY(mongo_personal(w->s, w->mem, w->in->heir, &w->heir));
    heir = ref_of(OF_SPACE, w->heir.id);
    TRY(pick_name(w, &name));
    TRY(mongo_fits_below(w->s, w->space.root, strlen(name) + 1, 2));
    writes_update(&b, ref_of(OF_NODE, w->space.root),
                  DOC("$set", "{", "parent", S(ref_of(OF_NODE, w->heir.root).s), "name", S(name), "name_key", S(name_key(w->mem, name)),
                      "modified_ms", N(w->in->now_ms), "}"));
    writes_charge(&b, w->heir.id, w->space.used, 0);
    writes_update(&b, heir, DOC("$inc", "{", "tree_rev", N(1), "}"));
    writes_charge(&b, w->space.id, 0, 0); /* whoever adds something meanwhile is run again, and finds the folder elsewhere */
    TRY(writes_send(w->s, &b));
    TRY(mongo_update(w->s, "record", DOC("space", S(space.s), "parent", "{", "$gte", S("n"), "}"), DOC("$set", "{", "space", S(heir.s), "}"),
                     true, NULL));
    w->folder = w->space.root;
    return mongo_space_drop(w->s, w->space.id);
}

/* ---- the account ---- */
static enum err drop_account(struct work *w)
{
    static const struct {
        const char *collection, *field;
    } steps[] = {{"member", "user"}, {"reset", "user"}, {"session", "user"}, {"credential", "_id"}, {"user", "_id"}};
    WRITES_AUTO b = writes_new();
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        TRY(mongo_delete(w->s, steps[i].collection, DOC(steps[i].field, S(w->user.id.s)), NULL));

    const struct audit audit = {
        .at_ms = w->in->now_ms, .user = w->user.id, .space = w->space.id, .node = w->folder, .action = "user_remove", .note = w->user.name,
    };
    writes_audit(&b, &audit);
    return writes_send(w->s, &b);
}

static enum err remove_user(struct mongo *s, void *work)
{
    struct work *w = work;
    w->s = s;
    w->folder = (struct id){""};
    TRY(mongo_user_row(s, w->mem, w->in->user, &w->user));
    TRY(mongo_admin_left(s, &w->user));
    TRY(mongo_personal(w->s, w->mem, w->in->user, &w->space));
    TRY(mongo_spaces_touch(s, w->in->user));
    TRY(id_is(w->in->heir) ? give_files(w) : drop_files(w));
    return drop_account(w);
}

enum err mongo_user_remove(struct meta *m, const struct removal *in, struct id *folder_out)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct work w = {.mem = mem, .in = in};
    if (id_eq(in->user, in->heir))
        return err_say(E_CYCLE, "An account cannot get its own files.");
    TRY(mongo_txn(mongo_of(m), remove_user, &w));
    *folder_out = w.folder;
    return E_OK;
}
