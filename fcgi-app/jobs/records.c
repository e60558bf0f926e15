#include "jobs/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crypt/crypt.h"

#define PAGE 1000

/* One side of a comparison: a kind's records in the order of keys, page by page. */
struct side {
    struct meta *m;
    enum record_kind kind;
    void *mem; /* of the page */
    struct record *rows;
    size_t n, at;
    bool ended;
};

static enum err side_turn(struct side *s)
{
    CLEANUP(free_mem) char *after = mem_str(NULL, s->n > 0 ? s->rows[s->n - 1].key : "");
    talloc_free(s->mem);
    s->mem = talloc_new(NULL);
    s->at = s->n = 0;
    TRY(s->m->ops->record_list(s->m, s->mem, s->kind, after, PAGE, &s->rows, &s->n));
    s->ended = s->n < PAGE;
    return E_OK;
}

/* NULL: the end. */
static enum err side_peek(struct side *s, const struct record **row_out)
{
    if (s->at == s->n && !s->ended)
        TRY(side_turn(s));
    *row_out = s->at < s->n ? &s->rows[s->at] : NULL;
    return E_OK;
}

static void side_close(struct side *s)
{
    talloc_free(s->mem);
}

/* Called for each key in order, with the record of either side; NULL for the one that lacks it. */
typedef enum err pair_fn(void *arg, enum record_kind kind, const struct record *from, const struct record *to);

static enum err join(struct meta *from, struct meta *to, enum record_kind kind, pair_fn *fn, void *arg)
{
    CLEANUP(side_close) struct side a = {.m = from, .kind = kind};
    CLEANUP(side_close) struct side b = {.m = to, .kind = kind};
    for (;;) {
        const struct record *f, *t;
        TRY(side_peek(&a, &f));
        TRY(side_peek(&b, &t));
        if (f == NULL && t == NULL)
            return E_OK;
        int order = f == NULL ? 1 : t == NULL ? -1 : strcmp(f->key, t->key);
        TRY(fn(arg, kind, order <= 0 ? f : NULL, order >= 0 ? t : NULL));
        a.at += order <= 0;
        b.at += order >= 0;
    }
}

/* ---- may it be filled? ---- */
/* Not of the audit, whose keys are each store's own, nor of the store itself, whose id differs until the end. */
static bool has_common_keys(enum record_kind kind)
{
    return kind != RECORD_AUDIT && kind != RECORD_META;
}

static enum err refuse_stranger(void *arg, enum record_kind kind, const struct record *from, const struct record *to)
{
    (void)arg;
    if (from != NULL)
        return E_OK;
    return err_say(E_FOREIGN_STORE, "TO is not empty: its %s %.64s is not among the records of FROM. Empty it, or name another.",
                   record_name(kind), to->key);
}

enum err records_check(struct meta *from, struct meta *to)
{
    for (enum record_kind kind = 0; kind < RECORD_KINDS; kind++)
        if (has_common_keys(kind))
            TRY(join(from, to, kind, refuse_stranger, NULL));
    return E_OK;
}

/* ---- copying ---- */
struct copying {
    struct meta *to;
    struct transfer *t;
    void *mem; /* of what is gathered */
    struct record rows[PAGE];
    size_t n;
};

static enum err put_gathered(struct copying *c, enum record_kind kind)
{
    if (c->n > 0)
        TRY(c->to->ops->record_put(c->to, kind, c->rows, c->n));
    c->t->count.files += c->n;
    c->n = 0;
    talloc_free_children(c->mem);
    transfer_progress(c->t);
    return E_OK;
}

static enum err take(void *arg, enum record_kind kind, const struct record *from, const struct record *to)
{
    struct copying *c = arg;
    if (from == NULL)
        return E_OK; /* put by this very run, between two pages */
    if (to != NULL && strcmp(from->row, to->row) == 0) {
        c->t->count.there++;
        return E_OK;
    }
    c->rows[c->n++] = (struct record){.key = mem_str(c->mem, from->key), .row = mem_str(c->mem, from->row)};
    c->t->count.bytes += strlen(from->row);
    return c->n == PAGE ? put_gathered(c, kind) : E_OK;
}

/* An entry of the audit that is there already is put again, which changes nothing. */
static enum err copy_alone(struct copying *c, struct meta *from, enum record_kind kind)
{
    CLEANUP(side_close) struct side a = {.m = from, .kind = kind};
    for (;; a.at++) {
        const struct record *row;
        TRY(side_peek(&a, &row));
        if (row == NULL)
            return E_OK;
        TRY(take(c, kind, row, NULL));
    }
}

static enum err copy_kind(struct copying *c, struct meta *from, enum record_kind kind)
{
    TRY(has_common_keys(kind) ? join(from, c->to, kind, take, c) : copy_alone(c, from, kind));
    return put_gathered(c, kind);
}

enum err records_copy(struct meta *from, struct meta *to, struct transfer *t)
{
    CLEANUP(free_mem) struct copying *c = mem_new(NULL, struct copying);
    c->to = to;
    c->t = t;
    c->mem = talloc_new(c);
    for (enum record_kind kind = 0; kind < RECORD_KINDS; kind++)
        if (kind != RECORD_META)
            TRY(copy_kind(c, from, kind));
    return copy_kind(c, from, RECORD_META);
}

/* ---- the same? ---- */
static void add_record(struct records_sum *sum, enum record_kind kind, const struct record *row)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct sha256 *hash = sha256_new(mem);
    char hex[65], lane[17] = "";
    const char *parts[] = {record_name(kind), kind != RECORD_AUDIT ? row->key : "", row->row};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        sha256_add(hash, parts[i], strlen(parts[i]) + 1);
    sha256_hex(hash, hex);
    for (size_t i = 0; i < 4; i++) {
        memcpy(lane, hex + 16 * i, 16);
        sum->lanes[i] += strtoull(lane, NULL, 16);
    }
    sum->n++;
}

static enum err sum_kind(struct meta *m, enum record_kind kind, struct records_sum *sum)
{
    CLEANUP(side_close) struct side a = {.m = m, .kind = kind};
    for (;; a.at++) {
        const struct record *row;
        TRY(side_peek(&a, &row));
        if (row == NULL)
            return E_OK;
        add_record(sum, kind, row);
    }
}

enum err records_sum(struct meta *m, struct records_sum *out)
{
    *out = (struct records_sum){0};
    for (enum record_kind kind = 0; kind < RECORD_KINDS; kind++)
        TRY(sum_kind(m, kind, out));
    return E_OK;
}

enum err records_compare(struct meta *from, struct meta *to, struct transfer *t)
{
    struct records_sum a, b;
    TRY(records_sum(from, &a));
    TRY(records_sum(to, &b));
    if (a.n != b.n || memcmp(a.lanes, b.lanes, sizeof a.lanes) != 0)
        return err_say(E_DAMAGED, "FROM has %llu records, TO has %llu, and they are not the same. Stop Coffer on every machine, empty TO, and run "
                                  "this again.", (unsigned long long)a.n, (unsigned long long)b.n);
    t->count.compared += b.n;
    return E_OK;
}
