/* Failures as answers: application/problem+json (RFC 9457), or the error page, or the way to the sign-in page. */
#pragma once
#include "web/walk.h"

/* Turn walk.reply into the answer for reply.problem, from the error table and err_last. */
void problem_fill(struct walk *w);
/* Retry-After, WWW-Authenticate, Allow as the failure asks for. */
enum err problem_headers(struct walk *w) MUST_CHECK;
