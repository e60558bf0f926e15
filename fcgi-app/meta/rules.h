/* What every store judges alike, from records it has read: quotas, nesting, preconditions. */
#pragma once
#include "meta/meta.h"

/* What the quota leaves; INT64_MAX - used - reserved without one. Never negative. */
int64_t rule_room(const struct space *space);
/* E_QUOTA with what is left as limit, when `bytes` more do not fit. */
enum err rule_fits(const struct space *space, int64_t bytes) MUST_CHECK;

/* What a reservation is charged: all it declares, or E_QUOTA; of an unknown length as much of `in->charged` as there is room for. */
enum err rule_grant(const struct space *space, const struct upload *in, int64_t *charged_out) MUST_CHECK;
/* Strings and etags become copies on mem: the record no longer depends on whom it was copied from. */
void rule_own(void *mem, struct upload *u);

/* Bytes of the path of a node of that name in `parent`, with a separator before each name but the root's. */
size_t rule_path_bytes(const struct place *parent, const char *name);
/* May a node of that name stand there? E_TOO_NESTED for more than 128 levels or a path over 4,096 bytes. */
enum err rule_nesting(const struct place *parent, const char *name) MUST_CHECK;
/* A store goes up as far as it finds records: an end elsewhere than at a root is damage. */
enum err rule_top(const struct place *place) MUST_CHECK;
/* Is the folder that node, or below it? */
bool rule_within(const struct place *folder, struct id id);

/* E_PRECONDITION unless the node at the target (NULL: there is none) is as expected. */
enum err rule_expect(const struct expect *expect, const struct node *node) MUST_CHECK;
/* Would an upload to where `node` stands (NULL: nothing) be accepted? E_PRECONDITION, E_NAME_TAKEN, E_IS_FOLDER. */
enum err rule_target(const struct node *node, enum conflict conflict, const struct expect *expect) MUST_CHECK;

/* Ids separated by blanks, as a store keeps them, and back. */
const char *rule_etags_text(void *mem, const struct expect *expect);
void rule_etags_read(void *mem, const char *text, struct expect *out);
