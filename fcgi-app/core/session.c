#include "core/session.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "base/name.h"
#include "crypt/crypt.h"

#define HOUR_MS INT64_C(3600000)

/* What is counted is kept as a hash: the store never holds addresses or guessed names for longer than needed. */
static const char *bucket(const void *mem, const char *what, const char *a, const char *b)
{
    char hex[65];
    token_hash(mem_printf(mem, "%s\n%s\n%s", what, a, b), hex);
    return mem_printf(mem, "%s:%s", what, hex);
}

/* IPv6 clients own a /64: that is what is counted. IPv4 addresses count whole. */
static const char *network(const void *mem, const char *address)
{
    struct in6_addr v6;
    if (inet_pton(AF_INET6, address, &v6) != 1)
        return address;
    memset(v6.s6_addr + 8, 0, 8);
    char text[INET6_ADDRSTRLEN];
    return mem_str(mem, inet_ntop(AF_INET6, &v6, text, sizeof text));
}

struct gate {
    struct throttle rows[2];
    size_t n;
};

/* A browser that signed in to the account before has a bucket of its own: strangers cannot lock its owner out. */
static struct gate login_gate(struct core *c, const void *mem, const struct caller *caller, const char *key)
{
    const char *from = network(mem, caller->address);
    if (caller->device != NULL)
        return (struct gate){
            .rows = {{bucket(mem, "device", key, caller->device), c->conf->throttle_account, c->conf->throttle_window}},
            .n = 1,
        };
    return (struct gate){
        .rows = {{bucket(mem, "account", key, from), c->conf->throttle_account, c->conf->throttle_window},
                 {bucket(mem, "address", from, ""), c->conf->throttle_address, c->conf->throttle_window}},
        .n = 2,
    };
}

static enum err charge(struct core *c, const struct gate *g)
{
    return c->meta->ops->throttle_charge(c->meta, g->rows, g->n, clock_now_ms(c->clock));
}

/* A refund that fails costs the client one attempt of its window; that is no reason to fail what succeeded. */
static void refund(struct core *c, const struct gate *g)
{
    if (c->meta->ops->throttle_refund(c->meta, g->rows, g->n, clock_now_ms(c->clock)) != E_OK)
        err_clear();
}

enum err user_create(struct core *c, void *mem, const char *name, const char *password, enum user_role role, struct user *out)
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
    };
    TRY(c->meta->ops->user_add(c->meta, &in));
    *out = in.user;
    return E_OK;
}

enum err user_register(struct core *c, void *mem, const struct caller *caller, const struct in_register *in, struct user *out)
{
    if (strcmp(c->conf->site_register, "open") != 0)
        return err_set(E_REGISTRATION_CLOSED, "site.register is %s", c->conf->site_register);

    struct gate gate = {
        .rows = {{bucket(mem, "register", network(mem, caller->address), ""), c->conf->throttle_register, HOUR_MS}},
        .n = 1,
    };
    TRY(charge(c, &gate));
    return user_create(c, mem, in->username, in->password, ROLE_USER, out);
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

/* Who has this name and password? Unknown names cost the same hash, so that time tells nothing. *hash_out: what the password fitted. */
static enum err authenticate(struct core *c, void *mem, const char *key, const char *password, struct user *user_out, const char **hash_out)
{
    *hash_out = NULL;
    enum err e = key[0] != '\0' ? c->meta->ops->user_by_key(c->meta, mem, key, user_out) : E_NOT_FOUND;
    if (e == E_OK)
        e = c->meta->ops->credential_get(c->meta, mem, user_out->id, hash_out);
    if (e != E_OK && e != E_NOT_FOUND)
        return e;
    TRY(password_check(*hash_out, password, (uint64_t)c->conf->login_memory, (uint64_t)c->conf->login_passes));
    if (user_out->state != USER_ACTIVE)
        return err_set(E_CREDENTIALS, "the account is disabled");
    return E_OK;
}

/* A password that was changed while the old one was being checked ended all sessions before this one began. */
static enum err still_fits(struct core *c, void *mem, const struct user *user, const char *hash, struct id session)
{
    const char *now;
    TRY(c->meta->ops->credential_get(c->meta, mem, user->id, &now));
    if (strcmp(now, hash) == 0)
        return E_OK;
    enum err e = c->meta->ops->session_end(c->meta, user->id, session);
    return e == E_OK || e == E_NOT_FOUND ? err_set(E_CREDENTIALS, "the password was changed meanwhile") : e;
}

static enum err open_session(struct core *c, const struct caller *caller, const struct user *user, struct id id, char token_out[static 44])
{
    int64_t now = clock_now_ms(c->clock);
    struct session s = {
        .id = id, .user = user->id, .kind = SESSION_BROWSER, .created_ms = now, .signed_in_ms = now, .seen_ms = now,
        .expires_ms = now + c->conf->session_max,
        .address = caller->address, .agent = caller->agent != NULL ? caller->agent : "",
    };
    token_new(token_out);
    token_hash(token_out, s.token_hash);
    return c->meta->ops->session_add(c->meta, &s, (unsigned)c->conf->session_per_user);
}

enum err session_begin(struct core *c, void *mem, const struct caller *caller, const struct in_login *in, struct user *user_out,
                       char token_out[static 44])
{
    char key[LOGIN_MAX_BYTES + 1];
    const char *hash;
    struct id session = id_new();
    if (login_key(in->username, key) != E_OK)
        key[0] = '\0';

    struct gate gate = login_gate(c, mem, caller, key);
    TRY(charge(c, &gate));
    TRY(authenticate(c, mem, key, in->password, user_out, &hash));
    TRY(open_session(c, caller, user_out, session, token_out));
    TRY(still_fits(c, mem, user_out, hash, session));
    refund(c, &gate);
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
