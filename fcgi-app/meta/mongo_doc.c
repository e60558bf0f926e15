/* Documents: built with typed values, read into records. */
#include "meta/mongo.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "meta/rules.h"

/* ---- building ---- */
void free_doc(bson_t **doc)
{
    bson_destroy(*doc); /* NULL is fine */
}

struct list list_new(void)
{
    return (struct list){.array = bson_new()};
}

void list_add(struct list *l, bson_t *doc)
{
    char text[16];
    const char *key;
    bson_uint32_to_string(l->n++, &key, text, sizeof text);
    bool fits = bson_append_document(l->array, key, -1, doc);
    assert(fits);
    (void)fits;
    bson_destroy(doc);
}

void free_list(struct list *l)
{
    bson_destroy(l->array);
    *l = (struct list){0};
}

struct ref ref_of(enum of_what what, struct id id)
{
    struct ref ref = {""};
    if (id_is(id))
        snprintf(ref.s, sizeof ref.s, "%c%s", (int)what, id.s);
    return ref;
}

/* ---- reading ---- */
const char *doc_peek(const bson_t *doc, const char *field)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, doc, field) && BSON_ITER_HOLDS_UTF8(&it) ? bson_iter_utf8(&it, NULL) : "";
}

const char *doc_text(void *mem, const bson_t *doc, const char *field)
{
    return mem_str(mem, doc_peek(doc, field));
}

int64_t doc_number(const bson_t *doc, const char *field)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, doc, field) ? bson_iter_as_int64(&it) : 0;
}

bool doc_has(const bson_t *doc, const char *field)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, doc, field);
}

struct id doc_id(const bson_t *doc, const char *field)
{
    struct id id = {0};
    snprintf(id.s, sizeof id.s, "%s", doc_peek(doc, field));
    return id;
}

struct id doc_ref(const bson_t *doc, const char *field)
{
    struct id id = {0};
    const char *text = doc_peek(doc, field);
    if (text[0] != '\0')
        snprintf(id.s, sizeof id.s, "%s", text + 1);
    return id;
}

bool doc_rows(const bson_t *doc, const char *array, bson_iter_t *rows_out)
{
    bson_iter_t it;
    return bson_iter_init_find(&it, doc, array) && BSON_ITER_HOLDS_ARRAY(&it) && bson_iter_recurse(&it, rows_out);
}

bool rows_next(bson_iter_t *rows, bson_t *out)
{
    const uint8_t *data;
    uint32_t len;
    if (!bson_iter_next(rows) || !BSON_ITER_HOLDS_DOCUMENT(rows))
        return false;
    bson_iter_document(rows, &len, &data);
    return bson_init_static(out, data, len);
}

bool doc_first(const bson_t *doc, const char *array, bson_t *out)
{
    bson_iter_t rows;
    return doc_rows(doc, array, &rows) && rows_next(&rows, out);
}

/* ---- records ---- */
void doc_user(void *mem, const bson_t *doc, struct user *out)
{
    *out = (struct user){
        .id = doc_id(doc, "_id"), .name = doc_text(mem, doc, "name"), .key = doc_text(mem, doc, "key"),
        .role = (enum user_role)doc_number(doc, "role"), .state = (enum user_state)doc_number(doc, "state"),
        .created_ms = doc_number(doc, "created_ms"),
    };
}

void doc_space(void *mem, const bson_t *doc, struct space *out)
{
    *out = (struct space){
        .id = doc_ref(doc, "_id"), .kind = (enum space_kind)doc_number(doc, "space_kind"), .name = doc_text(mem, doc, "title"),
        .root = doc_ref(doc, "root"), .quota = doc_number(doc, "quota"), .used = doc_number(doc, "used"),
        .reserved = doc_number(doc, "reserved"), .tree_rev = doc_number(doc, "tree_rev"),
    };
}

void doc_node(void *mem, const bson_t *doc, struct node *out)
{
    *out = (struct node){
        .id = doc_ref(doc, "_id"), .space = doc_ref(doc, "space"), .parent = doc_ref(doc, "parent"),
        .name = doc_text(mem, doc, "name"), .key = doc_text(mem, doc, "name_key"),
        .kind = (enum node_kind)doc_number(doc, "kind"),
        .created_ms = doc_number(doc, "created_ms"), .modified_ms = doc_number(doc, "modified_ms"),
        .version = doc_ref(doc, "version"), .blob = doc_ref(doc, "contents"), .size = doc_number(doc, "size"),
        .type = doc_text(mem, doc, "type"), .sha256 = doc_text(mem, doc, "sha256"),
    };
}

bson_t *node_doc(const struct node *n)
{
    return DOC("space", S(ref_of(OF_SPACE, n->space).s), "parent", S(ref_of(OF_NODE, n->parent).s), "name", S(n->name), "name_key",
               S(n->key), "kind", N(n->kind), "live", B(true), "created_ms", N(n->created_ms), "modified_ms", N(n->modified_ms),
               "version", S(ref_of(OF_VERSION, n->version).s), "contents", S(ref_of(OF_BLOB, n->blob).s), "size", N(n->size), "type",
               S(n->type), "sha256", S(n->sha256));
}

void doc_version(void *mem, const bson_t *doc, struct version *out)
{
    *out = (struct version){
        .id = doc_ref(doc, "_id"), .node = doc_ref(doc, "node"), .blob = doc_ref(doc, "blob"), .size = doc_number(doc, "size"),
        .type = doc_text(mem, doc, "type"), .sha256 = doc_text(mem, doc, "sha256"), .created_ms = doc_number(doc, "created_ms"),
    };
}

/* `unhashed_ms` is there only while the hash is not: its index holds what the keeper has yet to do. */
bson_t *version_doc(const struct version *v, struct id user)
{
    bson_t *doc = DOC("node", S(ref_of(OF_NODE, v->node).s), "blob", S(ref_of(OF_BLOB, v->blob).s), "size", N(v->size), "type",
                      S(v->type), "sha256", S(v->sha256), "created_ms", N(v->created_ms), "user", S(user.s));
    if (v->sha256[0] == '\0')
        BSON_APPEND_INT64(doc, "unhashed_ms", v->created_ms);
    return doc;
}

void doc_blob(void *mem, const bson_t *doc, struct blob *out)
{
    *out = (struct blob){
        .id = doc_ref(doc, "_id"), .size = doc_number(doc, "size"), .refs = doc_number(doc, "refs"),
        .state = (enum blob_state)doc_number(doc, "blob_state"), .unreferenced_ms = doc_number(doc, "unreferenced_ms"),
        .created_ms = doc_number(doc, "created_ms"), .format = (int)doc_number(doc, "format"),
        .key_id = doc_text(mem, doc, "key_id"),
    };
}

void doc_upload(void *mem, const bson_t *doc, struct upload *out)
{
    *out = (struct upload){
        .id = doc_ref(doc, "_id"), .space = doc_ref(doc, "space"), .parent = doc_ref(doc, "folder"), .user = doc_id(doc, "user"),
        .blob = doc_id(doc, "will_be"), .name = doc_text(mem, doc, "name"), .conflict = (enum conflict)doc_number(doc, "conflict"),
        .expect.must_exist = doc_number(doc, "must_exist") != 0, .expect.must_not_exist = doc_number(doc, "must_not_exist") != 0,
        .declared = doc_number(doc, "declared"), .charged = doc_number(doc, "charged"), .offset = doc_number(doc, "offset"),
        .modified_ms = doc_number(doc, "modified_ms"), .created_ms = doc_number(doc, "created_ms"),
        .expires_ms = doc_number(doc, "expires_ms"),
    };
    rule_etags_read(mem, doc_peek(doc, "etags"), &out->expect);
}

bson_t *upload_doc(void *mem, const struct upload *u)
{
    return DOC("space", S(ref_of(OF_SPACE, u->space).s), "folder", S(ref_of(OF_NODE, u->parent).s), "user", S(u->user.s), "will_be",
               S(u->blob.s), "name", S(u->name), "conflict", N(u->conflict), "must_exist", N(u->expect.must_exist),
               "must_not_exist", N(u->expect.must_not_exist), "etags", S(rule_etags_text(mem, &u->expect)), "declared",
               N(u->declared), "charged", N(u->charged), "offset", N(u->offset), "modified_ms", N(u->modified_ms), "created_ms",
               N(u->created_ms), "expires_ms", N(u->expires_ms));
}
