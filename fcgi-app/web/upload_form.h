/* Files that come as parts of a multipart form, on the API, the familiar addresses and the pages alike. */
#pragma once
#include "web/walk.h"

struct upload_form {
    struct id parent;       /* as the address has it; "" = not given */
    enum conflict conflict;
    int64_t modified_ms;    /* 0: now */
    bool folders;           /* names may have folders before them, which are made: how a browser sends a whole folder */
};

/* Store every part named `file`. A field `parent` of the form stands in for one that is not given, and differing from it
 * is E_PARENT_MISMATCH. A field `conflict` of the form wins over `conflict`. The reservation, when there is one, is settled and given back at the end.
 *
 * results: an array, one object per file in order: its record and "status" (201, 200), or {"name", "status",
 * "code", "title", "detail"}. *stored_out counts those stored. *first_out is the first failure, E_OK when none.
 * E_FIELD_MISSING (field "file") for a form without files; nothing is stored then. */
enum err upload_form(struct walk *w, const struct upload_form *form, json_t **results_out, size_t *stored_out, enum err *first_out) MUST_CHECK;
