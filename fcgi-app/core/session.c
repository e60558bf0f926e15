#include "core/session.h"

#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "core/device.h"
#include "core/throttle.h"
#include "crypt/crypt.h"

/* An account and all that belongs to it; invite_hash NULL: nobody invited. */
static enum err create(struct core *c, void *mem, const char *name, const char *password, enum user_role role, const char *invite_hash,
                       struct user *out)
{
    char key[LOGIN_MAX_BYTES + 1];
    const char *hash;
    TRY(login_key(name, key));
    TRY(password_strength(password, name));
    TRY(password_hash(mem, password, (uint64_t)c->conf->login_memory, (uint64_t)c->conf->login_passes, &hash));

    struct user_new in = {
        .user = {.id = id_new(), .name = mem_str(mem, name), .key = mem_str(mem, key), .role = role,
                 .state = USER_ACTIVE, .created_ms = clock_now_ms(c->clock)},
        .password_hash = hash,
        .space = {.id = id_new(), .kind = SPACE_PERSONAL, .name = "", .root = id_new(), .quota = c->conf->quota_default},
        .invite_hash = invite_hash,
    };
    TRY(c->meta->ops->user_add(c->meta, &in));
    *out = in.user;
    return E_OK;
}

enum err user_create(struct core *c, void *mem, const char *name, const char *password, enum user_role role, struct user *out)
{
    return create(c, mem, name, password, role, NULL, out);
}

static bool is_invited(const struct core *c)
{
    return strcmp(c->conf->site_register, "invite") == 0;
}

static enum err check_door(const struct core *c, const struct in_register *in)
{
    if (is_invited(c) && (in->invite == NULL || in->invite[0] == '\0'))
        return err_say(E_REGISTRATION_CLOSED, "This server takes new accounts by invitation only.");
    if (!is_invited(c) && strcmp(c->conf->site_register, "open") != 0)
        return err_set(E_REGISTRATION_CLOSED, "site.register is %s", c->conf->site_register);
    return E_OK;
}

/* The invitation is looked at before anything is hashed, and used up with the account. */
static enum err check_invite(struct core *c, const struct in_register *in, char hash[static 65], const char **hash_out)
{
    *hash_out = NULL;
    if (!is_invited(c))
        return E_OK;
    token_hash(in->invite, hash);
    *hash_out = hash;
    return c->meta->ops->invite_check(c->meta, hash, clock_now_ms(c->clock));
}

enum err user_register(struct core *c, void *mem, const struct caller *caller, const struct in_register *in, struct user *out)
{
    const struct gate gate = gate_register(c, mem, caller);
    const char *invite_hash;
    char hash[65];
    TRY(check_door(c, in));
    TRY(gate_charge(c, &gate));
    TRY(check_invite(c, in, hash, &invite_hash));
    return create(c, mem, in->username, in->password, ROLE_USER, invite_hash, out);
}

enum err user_set_password(struct core *c, struct id user, const char *name, const char *password, struct id keep_session)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const char *hash;
    TRY(password_strength(password, name));
    TRY(password_hash(mem, password, (uint64_t)c->conf->login_memory, (uint64_t)c->conf->login_passes, &hash));
    return c->meta->ops->credential_set(c->meta, user, hash, keep_session, clock_now_ms(c->clock));
}

enum err user_find(struct core *c, void *mem, const char *name, struct user *out)
{
    char key[LOGIN_MAX_BYTES + 1];
    if (login_key(name, key) != E_OK)
        return err_set(E_NOT_FOUND, "no user is called '%s'", name);
    return c->meta->ops->user_by_key(c->meta, mem, key, out);
}

enum err user_all(struct core *c, void *mem, const char *after_key, unsigned limit, struct user **out, size_t *n_out)
{
    return c->meta->ops->user_list(c->meta, mem, after_key, limit, out, n_out);
}

/* Who has this name and password? Unknown names cost the same hash, so that time tells nothing. */
static enum err authenticate(struct core *c, void *mem, const char *key, const char *password, struct user *user_out,
                             const char **hash_out)
{
    const char *hash = NULL;
    enum err e = key[0] != '\0' ? c->meta->ops->user_by_key(c->meta, mem, key, user_out) : E_NOT_FOUND;
    if (e == E_OK)
        e = c->meta->ops->credential_get(c->meta, mem, user_out->id, &hash);
    if (e != E_OK && e != E_NOT_FOUND)
        return e;
    TRY(password_check(hash, password, (uint64_t)c->conf->login_memory, (uint64_t)c->conf->login_passes));
    if (user_out->state != USER_ACTIVE)
        return err_set(E_CREDENTIALS, "the account is disabled");
    *hash_out = hash;
    return E_OK;
}

/* A password that was changed while the old one was being hashed opens nothing: either this sees it, or the change
 * sees the session and ends it. */
static enum err still_the_password(struct core *c, void *mem, const struct user *user, const char *hash, const char *token)
{
    const char *now;
    struct who who;
    TRY(c->meta->ops->credential_get(c->meta, mem, user->id, &now));
    if (strcmp(now, hash) == 0)
        return E_OK;
    TRY(session_who(c, mem, token, "", &who));
    TRY(session_end(c, &who));
    return err_set(E_CREDENTIALS, "the password was changed meanwhile");
}

static enum err open_session(struct core *c, const struct caller *caller, const struct user *user, char token_out[static 44])
{
    int64_t now = clock_now_ms(c->clock);
    struct session s = {
        .id = id_new(), .user = user->id, .kind = SESSION_BROWSER, .created_ms = now, .signed_in_ms = now, .seen_ms = now,
        .expires_ms = now + c->conf->session_max,
        .address = caller->address, .agent = caller->agent != NULL ? caller->agent : "",
    };
    token_new(token_out);
    token_hash(token_out, s.token_hash);
    return c->meta->ops->session_add(c->meta, &s, (unsigned)c->conf->session_per_user);
}

enum err session_begin(struct core *c, void *mem, const struct caller *caller, const struct in_login *in, struct user *user_out,
                       char token_out[static 44], const char **device_out)
{
    char key[LOGIN_MAX_BYTES + 1];
    const char *hash = NULL;
    struct gate gate;
    if (login_key(in->username, key) != E_OK)
        key[0] = '\0';
    TRY(gate_login(c, mem, caller, key, &gate));
    TRY(device_value(c, mem, caller->device, key, device_out));
    TRY(gate_charge(c, &gate));
    TRY(authenticate(c, mem, key, in->password, user_out, &hash));
    TRY(open_session(c, caller, user_out, token_out));
    TRY(still_the_password(c, mem, user_out, hash, token_out));
    gate_refund(c, &gate);
    return E_OK;
}

enum err session_who(struct core *c, void *mem, const char *token, const char *address, struct who *who_out)
{
    char hash[65];
    struct session s;
    int64_t now = clock_now_ms(c->clock);
    if (strlen(token) != TOKEN_LEN)
        return err_set(E_SIGN_IN, "not a token of ours");
    token_hash(token, hash);
    *who_out = (struct who){.kind = WHO_USER, .scopes = VERB_ALL, .address = address};
    TRY(c->meta->ops->session_get(c->meta, mem, hash, now, now - c->conf->session_idle, &s, &who_out->user));
    who_out->session = s.id;
    who_out->signed_in_ms = s.signed_in_ms;
    return E_OK;
}

enum err session_end(struct core *c, const struct who *who)
{
    enum err e = c->meta->ops->session_end(c->meta, who->user.id, who->session);
    return e == E_NOT_FOUND ? E_OK : e;
}

enum err account_show(struct core *c, void *mem, const struct who *who, struct account *out)
{
    out->user = who->user;
    return c->meta->ops->user_space(c->meta, mem, who->user.id, &out->space);
}
