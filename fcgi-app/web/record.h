/* Records as JSON, as API.md and docs/openapi.yaml have them. */
#pragma once
#include <jansson.h>

#include "model/model.h"

json_t *record_node(const void *mem, const struct node *node);
json_t *record_account(const void *mem, const struct user *user, const struct space *space);
json_t *record_session(const void *mem, const struct session *session, bool current);
json_t *record_list(const void *mem, const struct node_list *list);
