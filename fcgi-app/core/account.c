#include "core/account.h"

#include "base/mem.h"
#include "base/name.h"
#include "core/throttle.h"
#include "crypt/crypt.h"

enum err session_fresh(struct core *c, const struct who *who)
{
    if (who->kind == WHO_OPERATOR || clock_now_ms(c->clock) - who->signed_in_ms <= FRESH_MS)
        return E_OK;
    return err_set(E_REAUTH, "signed in at %lld", (long long)who->signed_in_ms);
}

/* ---- the password ---- */
/* Is this the password of whoever is signed in? Counted as a sign-in. */
static enum err check_own(struct core *c, void *mem, const struct caller *caller, const struct who *who, const char *password,
                          const char *field)
{
    const char *hash;
    struct gate gate;
    TRY(gate_login(c, mem, caller, who->user.key, &gate));
    TRY(gate_charge(c, &gate));
    TRY(c->meta->ops->credential_get(c->meta, mem, who->user.id, &hash));
    enum err e = password_check(hash, password, (uint64_t)c->conf->login_memory, (uint64_t)c->conf->login_passes);
    if (e == E_CREDENTIALS)
        return err_field_say(e, field, "The password is wrong.");
    TRY(e);
    gate_refund(c, &gate);
    return E_OK;
}

static enum err renew(struct core *c, const struct who *who, char token_out[static 44])
{
    char hash[65];
    token_new(token_out);
    token_hash(token_out, hash);
    return c->meta->ops->session_renew(c->meta, who->user.id, who->session, hash, clock_now_ms(c->clock));
}

enum err session_confirm(struct core *c, void *mem, const struct caller *caller, const struct who *who, const char *password,
                         char token_out[static 44])
{
    TRY(check_own(c, mem, caller, who, password, "password"));
    return renew(c, who, token_out);
}

enum err account_password(struct core *c, void *mem, const struct caller *caller, const struct who *who, const struct in_password *in,
                          char token_out[static 44])
{
    TRY(check_own(c, mem, caller, who, in->current_password, "current_password"));
    enum err e = user_set_password(c, who->user.id, who->user.name, in->new_password, who->session);
    if (e == E_WEAK_PASSWORD) {
        const struct err_info why = err_save();
        return err_field_say(e, "new_password", "%s", why.say);
    }
    TRY(e);
    return renew(c, who, token_out);
}

/* ---- the name ---- */
enum err account_change(struct core *c, void *mem, const struct who *who, const struct in_account *in, struct user *out)
{
    char key[LOGIN_MAX_BYTES + 1];
    *out = who->user;
    if (in->username == NULL)
        return E_OK;
    TRY(session_fresh(c, who));
    TRY(login_key(in->username, key));
    TRY(c->meta->ops->user_rename(c->meta, who->user.id, in->username, key, clock_now_ms(c->clock)));
    out->name = mem_str(mem, in->username);
    out->key = mem_str(mem, key);
    return E_OK;
}

/* ---- sessions ---- */
enum err session_all(struct core *c, void *mem, const struct who *who, struct session **out, size_t *n_out)
{
    int64_t now = clock_now_ms(c->clock);
    return c->meta->ops->session_list(c->meta, mem, who->user.id, now, now - c->conf->session_idle, out, n_out);
}

enum err session_end_one(struct core *c, const struct who *who, struct id session)
{
    if (!id_eq(session, who->session))
        TRY(session_fresh(c, who));
    return c->meta->ops->session_end(c->meta, who->user.id, session);
}

enum err session_end_others(struct core *c, const struct who *who, bool this_too)
{
    TRY(session_fresh(c, who));
    return c->meta->ops->session_end_all(c->meta, who->user.id, this_too ? (struct id){""} : who->session, clock_now_ms(c->clock));
}
