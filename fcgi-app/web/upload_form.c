#include "web/upload_form.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/name.h"
#include "core/node.h"
#include "core/upload.h"
#include "http/multipart.h"
#include "web/condition.h"
#include "web/record.h"

/* The form taken apart: files are told by offset, so ten thousand of them cost ten thousand rows, no bytes. */
struct part {
    const char *name;
    const char *folders; /* NULL: none */
    uint64_t offset, size;
};

struct parts {
    struct walk *w;
    struct part *files;
    size_t n;
    const char *parent, *conflict;
};

static enum err once(const char *name, const char *text, const void *mem, const char **kept)
{
    if (*kept != NULL)
        return err_field(E_DUPLICATE_FIELD, name);
    *kept = mem_str(mem, text);
    return E_OK;
}

static enum err take_part(void *arg, const struct multipart_part *part)
{
    struct parts *p = arg;
    if (strcmp(part->name, "parent") == 0 && part->text != NULL)
        return once("parent", part->text, p->w, &p->parent);
    if (strcmp(part->name, "conflict") == 0 && part->text != NULL)
        return once("conflict", part->text, p->w, &p->conflict);
    if (strcmp(part->name, "file") != 0 || part->filename == NULL)
        return E_OK;
    if (part->filename[0] == '\0' && part->size == 0)
        return E_OK; /* how browsers send a file field that was left empty */
    if ((p->n & (p->n - 1)) == 0) /* 0 and powers of two: grow to twice that */
        p->files = talloc_realloc(p->w, p->files, struct part, (unsigned)(p->n > 0 ? 2 * p->n : 1));
    p->files[p->n++] = (struct part){
        .name = mem_str(p->w, part->filename), .folders = part->folders != NULL ? mem_str(p->w, part->folders) : NULL,
        .offset = part->offset, .size = part->size,
    };
    return E_OK;
}

static enum err form_target(const struct parts *p, struct upload_target *t)
{
    static const char *const words[] = {[CONFLICT_FAIL] = "fail", [CONFLICT_REPLACE] = "replace", [CONFLICT_RENAME] = "rename"};
    struct id parent;
    if (p->parent != NULL && p->parent[0] != '\0') {
        if (id_parse(p->parent, &parent) != E_OK)
            return err_field(E_FIELD_INVALID, "parent");
        if (id_is(t->parent) && !id_eq(t->parent, parent))
            return err_field(E_PARENT_MISMATCH, "parent");
        t->parent = parent;
    }
    if (p->conflict == NULL || p->conflict[0] == '\0')
        return E_OK;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(p->conflict, words[i]) == 0) {
            t->conflict = (enum conflict)i;
            return E_OK;
        }
    return err_field(E_FIELD_INVALID, "conflict");
}

static json_t *failed(const void *mem, const struct part *part, bool folders, enum err e)
{
    const struct err_info *info = err_last(e);
    json_t *o = json_own_object(mem);
    json_object_set_new(o, "name", json_sprintf("%s%s", folders && part->folders != NULL ? part->folders : "", part->name));
    json_object_set_new(o, "status", json_integer((json_int_t)err_status(e)));
    json_object_set_new(o, "code", json_string(err_code(e)));
    json_object_set_new(o, "title", json_string(err_title(e)));
    json_object_set_new(o, "detail", json_string(info->say[0] != '\0' ? info->say : err_title(e)));
    return o;
}

/* ---- the folders of a chosen folder ---- */
/* Files come folder by folder: the last one made is most often the one wanted next. */
struct below {
    struct id top, parent;
    const char *folders; /* of parent */
};

static enum err split(const void *mem, const char *folders, const char *const **names_out, size_t *n_out)
{
    const char **names = mem_array(mem, const char *, PATH_MAX_DEPTH);
    for (*n_out = 0; *folders != '\0'; ++*n_out) {
        size_t len = strcspn(folders, "/");
        if (*n_out == PATH_MAX_DEPTH)
            return err_set(E_TOO_NESTED, "a form with a path of more than %d names", PATH_MAX_DEPTH);
        names[*n_out] = mem_strn(mem, folders, len);
        folders += len + (folders[len] == '/');
    }
    *names_out = names;
    return E_OK;
}

static enum err go_below(struct walk *w, struct below *at, const char *folders)
{
    const char *const *names = NULL;
    size_t n;
    if (strcmp(folders, at->folders) == 0)
        return E_OK;
    at->folders = "";
    at->parent = at->top;
    TRY(split(w, folders, &names, &n));
    TRY(names_check(w, names, n));
    TRY(folder_ensure(w->site->core, w, &w->who, at->top, names, n, &at->parent));
    at->folders = folders;
    return E_OK;
}

/* ---- the files ---- */
static enum err store_one(struct walk *w, struct upload_target *t, const struct part *part, json_t **result_out)
{
    struct upload_bytes bytes = {.spool_fd = -1, .size = part->size, .source = {.fd = -1, .size = part->size}};
    struct node node;
    bool replaced = false;
    if (w->body.kind == BODY_SPOOL) {
        bytes.source.fd = w->body.fd;
        bytes.source.offset = part->offset;
    } else {
        bytes.source.data = w->body.data + part->offset;
    }
    t->name = part->name;
    TRY(upload_store(w->site->core, w, &w->who, t, w->upload, true, &bytes, &node, &replaced));
    *result_out = record_node(w, &node);
    json_object_set_new(*result_out, "status", json_integer(replaced ? 200 : 201));
    return E_OK;
}

static enum err parse(struct walk *w, struct parts *p)
{
    char *boundary;
    struct multipart_source source = {.data = w->body.data, .fd = w->body.kind == BODY_SPOOL ? w->body.fd : -1, .size = w->body.size};
    if (w->req->content_type == NULL)
        return err_say(E_MEDIA_TYPE, "This address takes multipart/form-data.");
    TRY(multipart_boundary(w, w->req->content_type, &boundary));
    TRY(multipart_parse(w, &source, boundary, take_part, p));
    return p->n > 0 ? E_OK : err_field_say(E_FIELD_MISSING, "file", "No file was chosen.");
}

static enum err store_below(struct walk *w, struct upload_target *t, struct below *at, const struct part *part, json_t **result_out)
{
    TRY(go_below(w, at, part->folders != NULL ? part->folders : ""));
    t->parent = at->parent;
    return store_one(w, t, part, result_out);
}

static enum err store_all(struct walk *w, struct upload_target *t, bool folders, json_t **results_out, size_t *stored_out, enum err *first_out)
{
    struct parts parts = {.w = w};
    struct err_info first = {0};
    TRY(parse(w, &parts));
    TRY(form_target(&parts, t));
    TRY(condition_expect(w, &t->expect));
    struct below at = {.top = t->parent, .parent = t->parent, .folders = ""};
    *results_out = json_own_array(w);
    for (size_t i = 0; i < parts.n; i++) {
        const struct part *part = &parts.files[i];
        json_t *result;
        enum err e = folders ? store_below(w, t, &at, part, &result) : store_one(w, t, part, &result);
        if (e == E_OK)
            ++*stored_out;
        else
            result = failed(w, part, folders, e);
        if (e != E_OK && first.err == E_OK) {
            first = err_save();
            *first_out = e;
        }
        json_array_append(*results_out, result);
    }
    err_restore(&first);
    return E_OK;
}

enum err upload_form(struct walk *w, const struct upload_form *form, json_t **results_out, size_t *stored_out, enum err *first_out)
{
    struct upload_target t = {.parent = form->parent, .conflict = form->conflict, .modified_ms = form->modified_ms};
    *stored_out = 0;
    *first_out = E_OK;
    enum err e = store_all(w, &t, form->folders, results_out, stored_out, first_out);
    if (!id_is(w->upload))
        return e;
    struct err_info why = err_save();
    if (upload_abandon(w->site->core, &w->who, w->upload) == E_OK)
        err_restore(&why); /* else it is given back when it expires */
    return e;
}
