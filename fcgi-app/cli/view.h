/* How a command that moves files shows what it does: lines for what is left out, the progress, the sum at the end. */
#pragma once
#include "cli/progress.h"

struct view {
    struct progress progress;
    struct transfer transfer;
};

/* The view must not move afterwards: its transfer points into it. */
void view_start(struct view *view, bool link, bool replace);
void view_sum(struct view *view, const char *done); /* "120 files (3 MB) and 4 folders imported, ..." */
