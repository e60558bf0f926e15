#include "core/throttle.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/mem.h"
#include "core/device.h"
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

static struct throttle per_address(const struct core *c, const void *mem, const char *from)
{
    return (struct throttle){bucket(mem, "address", from, ""), c->conf->throttle_address, c->conf->throttle_window};
}

enum err gate_login(struct core *c, const void *mem, const struct caller *caller, const char *key, struct gate *out)
{
    const char *from = network(mem, caller->address);
    const struct conf *conf = c->conf;
    bool known;
    TRY(device_known(c, caller->device, key, &known));
    if (known) {
        *out = (struct gate){.rows = {{bucket(mem, "device", caller->device, ""), conf->throttle_account, conf->throttle_window}}, .n = 1};
        return E_OK;
    }
    *out = (struct gate){
        .rows = {{bucket(mem, "account", key, from), conf->throttle_account, conf->throttle_window}, per_address(c, mem, from)},
        .n = 2,
    };
    return E_OK;
}

struct gate gate_register(struct core *c, const void *mem, const struct caller *caller)
{
    const char *from = network(mem, caller->address);
    return (struct gate){.rows = {{bucket(mem, "register", from, ""), c->conf->throttle_register, HOUR_MS}}, .n = 1};
}

struct gate gate_link(struct core *c, const void *mem, const struct caller *caller)
{
    return (struct gate){.rows = {per_address(c, mem, network(mem, caller->address))}, .n = 1};
}

enum err gate_charge(struct core *c, const struct gate *g)
{
    return c->meta->ops->throttle_charge(c->meta, g->rows, g->n, clock_now_ms(c->clock));
}

/* A refund that fails costs the client one attempt of its window; that is no reason to fail what succeeded. */
void gate_refund(struct core *c, const struct gate *g)
{
    if (c->meta->ops->throttle_refund(c->meta, g->rows, g->n, clock_now_ms(c->clock)) != E_OK)
        err_clear();
}
