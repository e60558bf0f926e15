/* All records of one store to another, by the verbs that tell and take records as such (meta/record.h). */
#pragma once
#include "jobs/transfer.h"

/* E_FOREIGN_STORE with the first record of `to` that `from` has not: then `to` is neither empty nor an earlier copy that was broken off. */
enum err records_check(struct meta *from, struct meta *to) MUST_CHECK;
/* What `to` lacks or has otherwise; the store's id comes last, so that half a copy never passes for the store. Counts records as
 * files; those that are there already too. */
enum err records_copy(struct meta *from, struct meta *to, struct transfer *t) MUST_CHECK;

/* How many records a store has, and the sum of their SHA-256: whatever their order, the same for the same records. */
struct records_sum {
    uint64_t n;
    uint64_t lanes[4];
};
enum err records_sum(struct meta *m, struct records_sum *out) MUST_CHECK;
/* E_DAMAGED unless both say the same. */
enum err records_compare(struct meta *from, struct meta *to, struct transfer *t) MUST_CHECK;
