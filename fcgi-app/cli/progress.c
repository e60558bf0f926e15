#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/name.h"

#define EVERY_MS   100
#define PATIENT_MS 2000 /* a speed measured over less says nothing */

void size_text(uint64_t bytes, char text[SIZE_TEXT_MAX])
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB", "EB"};
    double size = (double)bytes;
    size_t unit = 0;
    for (; size >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        size /= 1000;
    snprintf(text, SIZE_TEXT_MAX, unit > 0 && size < 9.95 ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

const char *printable(const void *ctx, const char *text)
{
    struct buf out;
    bool plain = utf8_valid(text, strlen(text));
    buf_init(&out, ctx, 4 * strlen(text) + 1);
    for (const unsigned char *p = (const unsigned char *)text; *p != '\0'; p++) {
        if (*p < 0x20 || *p == 0x7f || (!plain && *p >= 0x80))
            buf_printf(&out, "\\x%02x", *p);
        else
            buf_char(&out, (char)*p);
    }
    return out.data;
}

struct progress progress_start(void)
{
    return (struct progress){.things = "files", .shown = isatty(STDERR_FILENO) == 1, .start_ms = clock_monotonic_ms()};
}

/* By the larger of both shares: many small files take their time as well as few large ones. */
static void left_text(const struct progress *p, const struct transfer_count *c, int64_t spent_ms, char text[64])
{
    double by_files = p->files > 0 ? (double)(c->files + c->there) / (double)p->files : 0;
    double by_bytes = p->bytes > 0 ? (double)(c->bytes + c->there_bytes) / (double)p->bytes : by_files;
    double done = (by_files + by_bytes) / 2;
    text[0] = '\0';
    if (done <= 0.001 || done > 1 || spent_ms < PATIENT_MS)
        return;
    long long left = (long long)((double)spent_ms / done * (1 - done) / 1000);
    snprintf(text, 64, "  %lld:%02lld:%02lld left", left / 3600, left / 60 % 60, left % 60);
}

void progress_draw(struct progress *p, const struct transfer_count *c)
{
    char size[SIZE_TEXT_MAX], speed[SIZE_TEXT_MAX], left[64];
    int64_t now = clock_monotonic_ms(), spent = now - p->start_ms > 0 ? now - p->start_ms : 1;
    if (!p->shown || now - p->drawn_ms < EVERY_MS)
        return;
    size_text(c->bytes, size);
    size_text(c->bytes * 1000 / (uint64_t)spent, speed);
    left_text(p, c, spent, left);
    fprintf(stderr, "\r\033[K%llu %s  %s  %llu %s/s  %s/s%s", (unsigned long long)(c->files + c->there), p->things, size,
            (unsigned long long)(c->files * 1000 / (uint64_t)spent), p->things, speed, left);
    if (p->files > 0)
        fprintf(stderr, "  of %llu", (unsigned long long)p->files);
    fflush(stderr);
    p->drawn = true;
    p->drawn_ms = now;
}

void progress_clear(struct progress *p)
{
    if (p->drawn)
        fputs("\r\033[K", stderr);
    p->drawn = false;
}
