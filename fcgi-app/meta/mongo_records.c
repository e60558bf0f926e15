/* Records as such: a table says which member of a row is which field of a document, and in what form. */
#include "meta/mongo.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

#define MEMBER_KEY (2 * ID_LEN + 1)

enum form {
    TEXT_FORM = 1, NUMBER_FORM, TRUTH_FORM,
    REF_FORM,        /* the id of another document of `record`: `what` says its letter */
    MAYBE_NUMBER,    /* no field when 0: an index holds those that have it */
    MAYBE_TEXT,      /* no field when null */
};

struct field {
    const char *member, *name; /* of the row, of the document */
    enum form form;
    enum of_what what;
};

/* The two that are called the same on both sides. */
#define T(name) {name, name, TEXT_FORM, 0}
#define I(name) {name, name, NUMBER_FORM, 0}

static const struct kind {
    const char *collection;
    enum of_what what;   /* of `record`'s documents; 0: the key is the _id */
    const char *counter; /* that a new document begins with */
    struct field fields[16];
} kinds[RECORD_KINDS] = {
    [RECORD_META] = {"meta", .fields = {T("value")}},
    [RECORD_USER] = {"user", .counter = "seq", .fields = {T("name"), T("key"), I("role"), I("state"), I("created_ms")}},
    [RECORD_CREDENTIAL] = {"credential", .fields = {T("hash"), I("set_ms")}},
    [RECORD_SESSION] = {"session", .fields = {
        T("token_hash"), T("user"), I("kind"), I("created_ms"), I("signed_in_ms"), I("expires_ms"), T("address"), T("agent"),
    }},
    [RECORD_INVITE] = {"invite", .fields = {I("created_ms"), I("expires_ms")}},
    [RECORD_RESET] = {"reset", .fields = {T("user"), I("created_ms"), I("expires_ms")}},
    [RECORD_SPACE] = {"record", OF_SPACE, .counter = "seq", .fields = {
        {"kind", "space_kind", NUMBER_FORM, 0}, {"personal_of", "personal_of", MAYBE_TEXT, 0}, {"name", "title", TEXT_FORM, 0},
        {"root", "root", REF_FORM, OF_NODE}, I("quota"), I("used"), I("reserved"), I("tree_rev"),
    }},
    [RECORD_MEMBER] = {"member", .fields = {I("role")}},
    [RECORD_NODE] = {"record", OF_NODE, .fields = {
        {"space", "space", REF_FORM, OF_SPACE}, {"parent", "parent", REF_FORM, OF_NODE}, T("name"), T("name_key"), I("kind"),
        {"live", "live", TRUTH_FORM, 0}, {"removed_ms", "removed_ms", MAYBE_NUMBER, 0}, I("created_ms"), I("modified_ms"),
        {"version", "version", REF_FORM, OF_VERSION}, {"blob", "contents", REF_FORM, OF_BLOB}, I("size"), T("type"), T("sha256"),
    }},
    [RECORD_BLOB] = {"record", OF_BLOB, .fields = {
        I("size"), I("refs"), {"state", "blob_state", NUMBER_FORM, 0}, {"unreferenced_ms", "unreferenced_ms", MAYBE_NUMBER, 0},
        I("created_ms"), I("format"), T("key_id"),
    }},
    [RECORD_VERSION] = {"record", OF_VERSION, .fields = {
        {"node", "node", REF_FORM, OF_NODE}, {"blob", "blob", REF_FORM, OF_BLOB}, I("size"), T("type"), T("sha256"), I("created_ms"),
        T("user"),
    }},
    [RECORD_UPLOAD] = {"record", OF_UPLOAD, .fields = {
        {"space", "space", REF_FORM, OF_SPACE}, {"parent", "folder", REF_FORM, OF_NODE}, T("user"), {"blob", "will_be", TEXT_FORM, 0},
        T("name"), I("conflict"), I("must_exist"), I("must_not_exist"), T("etags"), I("declared"), I("charged"), I("offset"),
        I("modified_ms"), I("created_ms"), I("expires_ms"),
    }},
    [RECORD_AUDIT] = {"record", OF_AUDIT, .fields = {
        I("at_ms"), T("user"), T("action"), {"space", "in_space", TEXT_FORM, 0}, {"node", "at_node", TEXT_FORM, 0}, T("note"),
    }},
};
#define MOST_FIELDS (sizeof kinds->fields / sizeof *kinds->fields)

static const struct field *field_at(const struct kind *k, size_t i)
{
    return i < MOST_FIELDS && k->fields[i].member != NULL ? &k->fields[i] : NULL;
}

static char *key_text(void *mem, const struct kind *k, const char *key)
{
    return k->what != 0 ? mem_printf(mem, "%c%s", (int)k->what, key) : mem_str(mem, key);
}

/* ---- out ---- */
static json_t *field_json(const bson_t *doc, const struct field *f)
{
    switch (f->form) {
    case NUMBER_FORM:
    case MAYBE_NUMBER:
    case TRUTH_FORM:
        return json_integer(doc_number(doc, f->name));
    case REF_FORM:
        return json_string(doc_ref(doc, f->name).s);
    case MAYBE_TEXT:
        if (!doc_has(doc, f->name))
            return json_null();
        __attribute__((fallthrough));
    case TEXT_FORM:
        return json_string(doc_peek(doc, f->name));
    }
    return NULL;
}

static enum err doc_record(void *mem, const struct kind *k, const bson_t *doc, struct record *out)
{
    CLEANUP(free_mem) void *work = talloc_new(NULL);
    json_t *row = json_own_object(work);
    const struct field *f;
    for (size_t i = 0; (f = field_at(k, i)) != NULL; i++)
        if (json_object_set_new(row, f->member, field_json(doc, f)) != 0)
            return err_set(E_DAMAGED, "%s of %s is not UTF-8", f->name, doc_peek(doc, "_id"));
    *out = (struct record){.key = mem_str(mem, doc_peek(doc, "_id") + (k->what != 0)), .row = record_text(mem, row)};
    return E_OK;
}

/* A kind is a range of the index on _id. */
static bson_t *range(void *mem, enum record_kind kind, const char *after)
{
    const struct kind *k = &kinds[kind];
    const char *first = key_text(mem, k, after);
    if (kind == RECORD_META)
        return DOC("_id", "{", "$gt", S(first), "$in", "[", S("secret"), S("store_id"), "]", "}");
    if (k->what == 0)
        return DOC("_id", "{", "$gt", S(first), "}");
    const char end[] = {(char)(k->what + 1), '\0'};
    return DOC("_id", "{", "$gt", S(first), "$lt", S(end), "}");
}

enum err mongo_record_list(struct meta *m, void *mem, enum record_kind kind, const char *after, unsigned limit,
                           struct record **rows_out, size_t *n_out)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    DOC_AUTO filter = range(mem, kind, after);
    bson_iter_t rows;
    bson_t row;
    *rows_out = mem_array(mem, struct record, limit);
    *n_out = 0;
    TRY(mongo_ready(s));
    TRY(mongo_rows(s, DOC("find", S(kinds[kind].collection), "filter", D(filter), "sort", "{", "_id", BCON_INT32(1), "}", "hint", "{",
                          "_id", BCON_INT32(1), "}", "limit", N(limit), "batchSize", N(limit)), &reply, &rows));
    for (; *n_out < limit && rows_next(&rows, &row); ++*n_out)
        TRY(doc_record(mem, &kinds[kind], &row, &(*rows_out)[*n_out]));
    return E_OK;
}

/* ---- in ---- */
struct doc_change {
    bson_t *set, *unset, *first; /* first: only of a new document */
};

static void put_ref(bson_t *set, const struct field *f, const char *id)
{
    struct ref ref = {""};
    if (id[0] != '\0')
        snprintf(ref.s, sizeof ref.s, "%c%s", (int)f->what, id);
    BSON_APPEND_UTF8(set, f->name, ref.s);
}

static void put_field(const struct field *f, const json_t *value, struct doc_change *c)
{
    bool absent = (f->form == MAYBE_TEXT && json_is_null(value)) || (f->form == MAYBE_NUMBER && json_integer_value(value) == 0);
    if (absent)
        BSON_APPEND_INT32(c->unset, f->name, 1);
    else if (f->form == REF_FORM)
        put_ref(c->set, f, json_string_value(value));
    else if (f->form == TRUTH_FORM)
        BSON_APPEND_BOOL(c->set, f->name, json_integer_value(value) != 0);
    else if (json_is_integer(value))
        BSON_APPEND_INT64(c->set, f->name, json_integer_value(value));
    else
        BSON_APPEND_UTF8(c->set, f->name, json_string_value(value));
}

static bool fits(const struct field *f, const json_t *value)
{
    bool number = f->form == NUMBER_FORM || f->form == MAYBE_NUMBER || f->form == TRUTH_FORM;
    return number ? json_is_integer(value) : json_is_string(value) || (f->form == MAYBE_TEXT && json_is_null(value));
}

/* What a document has beside its record's own: as the verbs write it. */
static void put_derived(enum record_kind kind, const struct record *in, const json_t *row, struct doc_change *c)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    if (kinds[kind].counter != NULL)
        BSON_APPEND_INT64(c->first, kinds[kind].counter, 0);
    if (kind == RECORD_MEMBER) {
        BSON_APPEND_UTF8(c->set, "user", mem_strn(mem, in->key, ID_LEN));
        BSON_APPEND_UTF8(c->set, "space", mem_printf(mem, "%c%s", OF_SPACE, in->key + ID_LEN + 1));
    }
    if (kind != RECORD_VERSION)
        return;
    if (json_string_length(json_object_get(row, "sha256")) > 0)
        BSON_APPEND_INT32(c->unset, "unhashed_ms", 1);
    else
        BSON_APPEND_INT64(c->set, "unhashed_ms", json_integer_value(json_object_get(row, "created_ms")));
}

static enum err fill(enum record_kind kind, const struct record *in, const json_t *row, struct doc_change *c)
{
    const struct field *f;
    for (size_t i = 0; (f = field_at(&kinds[kind], i)) != NULL; i++) {
        const json_t *value = json_object_get(row, f->member);
        if (!fits(f, value))
            return err_set(E_INTERNAL, "%s %s has no proper %s", record_name(kind), in->key, f->member);
        put_field(f, value, c);
    }
    put_derived(kind, in, row, c);
    return E_OK;
}

/* Set, not replaced: what only this store knows of it stays. An operator without a field is refused by some servers. */
static void add_operator(bson_t *update, const char *name, const bson_t *fields)
{
    if (!bson_empty(fields))
        BSON_APPEND_DOCUMENT(update, name, fields);
}

static enum err add_update(struct list *updates, enum record_kind kind, const struct record *in)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    DOC_AUTO set = bson_new();
    DOC_AUTO unset = bson_new();
    DOC_AUTO first = bson_new();
    DOC_AUTO update = bson_new();
    json_t *row;
    if (kind == RECORD_MEMBER && strlen(in->key) != MEMBER_KEY)
        return err_set(E_INTERNAL, "no key of a member: %s", in->key);
    TRY(json_parse(mem, in->row, strlen(in->row), &row));
    TRY(fill(kind, in, row, &(struct doc_change){set, unset, first}));
    add_operator(update, "$set", set);
    add_operator(update, "$unset", unset);
    add_operator(update, "$setOnInsert", first);
    list_add(updates, DOC("q", "{", "_id", S(key_text(mem, &kinds[kind], in->key)), "}", "u", D(update), "upsert", B(true)));
    return E_OK;
}

/* Not in a transaction: each row is put by its key and may be put again, and a transaction that a killed command leaves would
 * keep the next one waiting for its end (a minute, MongoDB's transactionLifetimeLimitSeconds). */
enum err mongo_record_put(struct meta *m, enum record_kind kind, const struct record *rows, size_t n)
{
    struct mongo *s = mongo_of(m);
    REPLY_AUTO reply = BSON_INITIALIZER;
    LIST_AUTO updates = list_new();
    TRY(mongo_ready(s));
    for (size_t i = 0; i < n; i++)
        TRY(add_update(&updates, kind, &rows[i]));
    if (n == 0)
        return E_OK;
    return mongo_write(s, DOC("update", S(kinds[kind].collection), "updates", A(updates.array), "ordered", B(true)), &reply);
}

/* ---- one moment ---- */
/* A snapshot the server keeps for its minSnapshotHistoryWindowInSeconds, five minutes unless it is told otherwise. */
enum err mongo_snapshot_begin(struct meta *m)
{
    struct mongo *s = mongo_of(m);
    bson_error_t error;
    TRY(mongo_ready(s));
    assert(s->session == NULL);
    mongoc_session_opt_t *opts = mongoc_session_opts_new();
    mongoc_session_opts_set_snapshot(opts, true);
    s->session = mongoc_client_start_session(s->client, opts, &error);
    mongoc_session_opts_destroy(opts);
    return s->session != NULL ? E_OK : mongo_fail(s, NULL, &error, "start a snapshot");
}

void mongo_snapshot_end(struct meta *m)
{
    struct mongo *s = mongo_of(m);
    if (s->session != NULL)
        mongoc_client_session_destroy(s->session);
    s->session = NULL;
}
