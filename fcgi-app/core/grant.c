#include "core/grant.h"

#include "base/mem.h"
#include "core/admin.h"
#include "core/throttle.h"
#include "crypt/crypt.h"

#define HOUR_MS       INT64_C(3600000)
#define RESET_MS      HOUR_MS
#define INVITE_TTL_MS (7 * 24 * HOUR_MS)

/* ---- made by an administrator ---- */
static struct grant new_grant(const struct core *c, int64_t ttl_ms, char token_out[static ADMIN_TOKEN_SIZE], char hash[static 65])
{
    int64_t now = clock_now_ms(c->clock);
    token_new(token_out);
    token_hash(token_out, hash);
    return (struct grant){.hash = hash, .created_ms = now, .expires_ms = now + ttl_ms};
}

enum err invite_create(struct core *c, int64_t ttl_ms, char token_out[static ADMIN_TOKEN_SIZE], int64_t *expires_ms_out)
{
    char hash[65];
    const struct grant grant = new_grant(c, ttl_ms > 0 ? ttl_ms : INVITE_TTL_MS, token_out, hash);
    *expires_ms_out = grant.expires_ms;
    return c->meta->ops->invite_add(c->meta, &grant);
}

enum err reset_create(struct core *c, struct id user, char token_out[static ADMIN_TOKEN_SIZE], int64_t *expires_ms_out)
{
    char hash[65];
    struct grant grant = new_grant(c, RESET_MS, token_out, hash);
    grant.user = user;
    *expires_ms_out = grant.expires_ms;
    return c->meta->ops->reset_add(c->meta, &grant);
}

char *invite_link(struct core *c, const void *mem, const char *token)
{
    return mem_printf(mem, "%s/register?invite=%s", c->conf->origin, token);
}

char *reset_link(struct core *c, const void *mem, const char *token)
{
    return mem_printf(mem, "%s/reset?token=%s", c->conf->origin, token);
}

/* ---- used by whoever has it ---- */
enum err reset_show(struct core *c, void *mem, const struct caller *caller, const char *token, struct user *out)
{
    const struct gate gate = gate_link(c, mem, caller);
    char hash[65];
    TRY(gate_charge(c, &gate));
    token_hash(token, hash);
    TRY(c->meta->ops->reset_user(c->meta, mem, hash, clock_now_ms(c->clock), out));
    gate_refund(c, &gate);
    return E_OK;
}

enum err reset_use(struct core *c, void *mem, const struct caller *caller, const struct in_reset *in)
{
    const char *password_text;
    struct user user;
    char hash[65];
    TRY(reset_show(c, mem, caller, in->token, &user));
    token_hash(in->token, hash);
    TRY(password_strength(in->new_password, user.name));
    TRY(password_hash(mem, in->new_password, (uint64_t)c->conf->login_memory, (uint64_t)c->conf->login_passes, &password_text));
    return c->meta->ops->reset_use(c->meta, hash, password_text, clock_now_ms(c->clock));
}
