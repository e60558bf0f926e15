/* FastCGI by libfcgi: the only file that sees it. One request at a time (single-threaded workers). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct fcgi;

/* Once per process: a listening socket made by the master, or 0 when a process manager started us. Makes the socket
 * non-blocking (for all who share it), ignores SIGPIPE, leaves other signals as they are. E_CONF: not a listening socket. */
enum err fcgi_open(const void *ctx, int listen_fd, struct fcgi **out) MUST_CHECK;

/* Wait for a request or for `stop_fd` to become readable (polls both before accepting, so that a signal
 * between check and accept is never lost). *got_out false: told to stop. */
enum err fcgi_accept(struct fcgi *f, int stop_fd, bool *got_out) MUST_CHECK;

/* The parameters as "NAME=value" strings, NULL-terminated, duplicates in the order sent; valid until finish. */
char *const *fcgi_params(const struct fcgi *f);

/* Body bytes as they come: *n_out 0 at the end. E_CUT_OFF when the peer broke off (FCGX_GetError), even
 * where libfcgi makes that look like a clean end; the caller still compares with the declared length. */
enum err fcgi_read(struct fcgi *f, void *buffer, size_t size, size_t *n_out) MUST_CHECK;

/* Raw response bytes (CGI form: "Status: 200 OK\r\n..."). E_CUT_OFF when the peer is gone. `bulk` picks the
 * 64 KiB writer and must be chosen before the first byte. */
enum err fcgi_write(struct fcgi *f, const void *bytes, size_t n) MUST_CHECK;
void fcgi_bulk(struct fcgi *f);

void fcgi_finish(struct fcgi *f);
