/* Who may try how often: counted before anything is hashed, given back when it went well. */
#pragma once
#include "core/session.h"

struct gate {
    struct throttle rows[2];
    size_t n;
};

/* Of a sign-in to the account of that key ("" when the name cannot be one): throttle.account per account and address, and
 * throttle.address per address. A browser that shows its device cookie for this account is counted by itself, and by
 * nothing else: strangers cannot lock it out, whatever they do at its address. */
enum err gate_login(struct core *c, const void *mem, const struct caller *caller, const char *key, struct gate *out) MUST_CHECK;
/* throttle.register per address and hour. */
struct gate gate_register(struct core *c, const void *mem, const struct caller *caller);
/* Of guessing at links: throttle.address, as with sign-ins. */
struct gate gate_link(struct core *c, const void *mem, const struct caller *caller);

enum err gate_charge(struct core *c, const struct gate *g) MUST_CHECK; /* E_THROTTLED with retry-after */
void gate_refund(struct core *c, const struct gate *g);
