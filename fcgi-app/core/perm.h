/* The one judge: may who do verb on the node of that place? Called by the stores inside the transaction that
 * has the effect, through a guard. */
#pragma once
#include "meta/meta.h"

/* All of `verbs` (bits of enum verb) are needed. E_NOT_FOUND when who may not even see the node (not theirs and unknown look alike), E_FORBIDDEN when it is
 * seen but the verb is not allowed, E_SIGN_IN when nobody is signed in. */
enum err perm_ask(const struct who *who, unsigned verbs, const struct place *place) MUST_CHECK;

/* perm_ask as the stores take it. */
struct perm {
    struct guard guard; /* first: the store hands this back */
    const struct who *who;
    unsigned verbs;
};
struct perm perm_for(const struct who *who, unsigned verbs);
