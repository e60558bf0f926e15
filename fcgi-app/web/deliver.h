/* Small things that handlers of several resources share. */
#pragma once
#include "core/upload.h"
#include "web/fields.h"
#include "web/walk.h"

/* Send a file's contents. */
enum err deliver(struct walk *w, struct id id, bool attachment) MUST_CHECK;
/* The list query of a request's fields, with the default limit. */
struct node_query list_query(const struct in_file_list *in);
/* Answer with a list of the API; its cursor carries folder, sort and order. */
enum err reply_list(struct walk *w, const struct place *folder, const struct node_query *q, struct node_list *list) MUST_CHECK;
/* The whole body as the bytes of one file. */
struct upload_bytes body_bytes(const struct walk *w);
