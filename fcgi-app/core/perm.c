#include "core/perm.h"

/* What a membership allows. */
static const unsigned role_may[] = {
    [MEMBER_NONE] = 0,
    [MEMBER_VIEWER] = VERB_SEE | VERB_READ,
    [MEMBER_UPLOADER] = VERB_SEE | VERB_ADD,
    [MEMBER_EDITOR] = VERB_SEE | VERB_READ | VERB_ADD | VERB_CHANGE | VERB_REMOVE,
    [MEMBER_MANAGER] = VERB_SEE | VERB_READ | VERB_ADD | VERB_CHANGE | VERB_REMOVE | VERB_SHARE,
    [MEMBER_OWNER] = VERB_ALL,
};

enum err perm_ask(const struct who *who, unsigned verbs, const struct place *place)
{
    if (who->kind == WHO_OPERATOR)
        return E_OK;
    if (who->kind != WHO_USER)
        return err_set(E_SIGN_IN, "nobody is signed in");
    if (place->user_state != USER_ACTIVE)
        return err_set(E_SIGN_IN, "the account is disabled or gone");
    if (id_is(who->space) && !id_eq(who->space, place->space.id))
        return err_set(E_NOT_FOUND, "outside the space this sign-in is limited to");

    unsigned may = role_may[place->role] & who->scopes;
    if (!(may & VERB_SEE))
        return err_set(E_NOT_FOUND, "no membership in space %s", place->space.id.s);
    if ((may & verbs) != verbs)
        return err_set(E_FORBIDDEN, "not all of the verbs %u are in %u", verbs, may);
    return E_OK;
}

static enum err guard_ask(const struct guard *self, const struct place *place)
{
    const struct perm *p = (const struct perm *)self; /* guard is the first member */
    return perm_ask(p->who, p->verbs, place);
}

struct perm perm_for(const struct who *who, unsigned verbs)
{
    return (struct perm){.guard = {.ask = guard_ask, .user = who->user.id}, .who = who, .verbs = verbs};
}
