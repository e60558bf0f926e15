#include "jobs/seen.h"

#include "base/mem.h"

/* FNV-1a with a last mix; never 0. Two names of one folder with the same hash are likelier never than once. */
static uint64_t hash(const char *name)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (const unsigned char *p = (const unsigned char *)name; *p != '\0'; p++)
        h = (h ^ *p) * UINT64_C(1099511628211);
    h ^= h >> 32;
    h *= UINT64_C(0x9e3779b97f4a7c15);
    h ^= h >> 29;
    return h != 0 ? h : 1;
}

static bool put(struct seen *s, uint64_t h)
{
    size_t at = (size_t)h & (s->size - 1);
    while (s->slots[at] != 0 && s->slots[at] != h)
        at = (at + 1) & (s->size - 1);
    bool there = s->slots[at] == h;
    s->slots[at] = h;
    s->n += !there;
    return there;
}

static void grow(struct seen *s, const void *ctx)
{
    struct seen old = *s;
    *s = (struct seen){.size = old.size > 0 ? 2 * old.size : 64};
    s->slots = mem_array(ctx, uint64_t, s->size);
    for (size_t i = 0; i < old.size; i++)
        if (old.slots[i] != 0)
            put(s, old.slots[i]);
    talloc_free(old.slots);
}

bool seen_add(struct seen *s, const void *ctx, const char *name)
{
    if (2 * s->n >= s->size)
        grow(s, ctx);
    return put(s, hash(name));
}
