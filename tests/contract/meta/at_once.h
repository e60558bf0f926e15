/* Two verbs at the same moment, each in a process of its own with a connection of its own. */
#pragma once
#include "bench.h"

typedef enum err deed_fn(struct meta *m, struct bench *b, const void *side);

/* What the two answered. A side may use of the bench what was there before. */
void at_once(struct bench *b, deed_fn *deed, const void *one, const void *two, enum err results[2]);
