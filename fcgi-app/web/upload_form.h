/* Files that come as parts of a multipart form, on the API, the familiar addresses and the pages alike. */
#pragma once
#include "web/walk.h"

/* Store every part named `file`. parent: as the address has it ("" = not given); a field `parent` of the form
 * stands in for it, and differing from it is E_PARENT_MISMATCH. The first field `conflict` of the form wins over
 * `conflict`. The reservation, when there is one, is settled and given back at the end.
 *
 * results: an array, one object per file in order: its record and "status" (201, 200), or {"name", "status",
 * "code", "title", "detail"}. *stored_out counts those stored. *first_out is the first failure, E_OK when none.
 * E_FIELD_MISSING (field "file") for a form without files; nothing is stored then. */
enum err upload_form(struct walk *w, struct id parent, enum conflict conflict, int64_t modified_ms, json_t **results_out, size_t *stored_out,
                     enum err *first_out) MUST_CHECK;
