/* If-Match and If-None-Match of a write, as core judges them inside its transaction. */
#pragma once
#include "web/walk.h"

/* E_BAD_REQUEST when malformed. Tags that are not ids can match nothing and are dropped; should none be left,
 * the expectation can only fail. */
enum err condition_expect(struct walk *w, struct expect *out) MUST_CHECK;
