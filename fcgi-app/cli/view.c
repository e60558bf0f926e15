#include "cli/view.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"

static void show_line(void *arg, bool note, const char *path, const char *why)
{
    struct view *view = arg;
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    progress_clear(&view->progress);
    fprintf(stderr, "%s: %s: %s\n", note ? "note" : "left out", printable(mem, path), why);
}

static void show_progress(void *arg, const struct transfer_count *count)
{
    progress_draw(&((struct view *)arg)->progress, count);
}

void view_start(struct view *view, bool link, bool replace)
{
    *view = (struct view){.progress = progress_start()};
    view->transfer = (struct transfer){.link = link, .replace = replace, .tell = show_line, .progress = show_progress, .arg = view};
}

void view_sum(struct view *view, const char *done)
{
    const struct transfer_count *c = &view->transfer.count;
    double seconds = (double)(clock_monotonic_ms() - view->progress.start_ms) / 1000;
    char size[SIZE_TEXT_MAX];
    progress_clear(&view->progress);
    size_text(c->bytes, size);
    printf("%" PRIu64 " files (%s) and %" PRIu64 " folders %s, %" PRIu64 " files were there already, %" PRIu64 " left out, %" PRIu64
           " notes; %.1f s, %.0f files/s\n",
           c->files, size, c->folders, done, c->there, c->left_out, c->notes, seconds, seconds > 0 ? (double)c->files / seconds : 0);
    if (c->copied > 0)
        printf("%" PRIu64 " of the files could not be linked and were copied\n", c->copied);
}
