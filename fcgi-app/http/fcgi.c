#include "http/fcgi.h"

#include <errno.h>
#include <fastcgi.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/mem.h"

#define BULK_BYTES 65535 /* the largest FastCGI record: twice the throughput of libfcgi's 8 KiB writer */

/* What libfcgi waits for a peer that does not hang up, or hangs up before it asked; its default is 2 s. */
#define CLOSE_POLL_MS "300"

struct fcgi {
    FCGX_Request request;
    bool bulk;
    int wait_fd; /* epoll, made when the first connection is waited for; -1: not yet */
    bool told;   /* to stop, while there was a connection to take */

    /* libfcgi cannot free all that belongs to a writer, so one is kept for as long as it fits: in a worker
     * the connection has the same descriptor and id nearly always. */
    FCGX_Stream *writer;
    int writer_fd, writer_id;
};

static void drop_writer(struct fcgi *f)
{
    FCGX_FreeStream(&f->writer);
}

static int release(struct fcgi *f)
{
    drop_writer(f);
    close_fd(&f->wait_fd);
    FCGX_Free(&f->request, true);
    return 0;
}

/* libfcgi would take SIGTERM and SIGUSR1 when nobody has, and then never accept again. They are the
 * worker's; and a peer that is gone is an error of write(2), not a signal. */
static enum err init_library(void)
{
    struct sigaction term, usr1;

    if (setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", CLOSE_POLL_MS, true) != 0 ||
        setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", CLOSE_POLL_MS, true) != 0)
        return err_set(E_INTERNAL, "setenv: %m");
    sigaction(SIGTERM, NULL, &term);
    sigaction(SIGUSR1, NULL, &usr1);
    int failed = FCGX_Init();
    sigaction(SIGTERM, &term, NULL);
    sigaction(SIGUSR1, &usr1, NULL);
    signal(SIGPIPE, SIG_IGN);
    return failed ? err_set(E_INTERNAL, "libfcgi does not start: %d", failed) : E_OK;
}

/* Other workers wait on the same socket: the one that comes second must find "nothing there", not block in
 * accept where it would not see that it should stop. */
static enum err prepare_socket(int fd)
{
    int listening = 0;
    socklen_t len = sizeof listening;

    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) != 0 || !listening)
        return err_set(
            E_CONF, "descriptor %d is not a listening socket: start this with a FastCGI process manager", fd);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        return err_set(E_IO, "listening socket %d: %m", fd);
    return E_OK;
}

enum err fcgi_open(const void *ctx, int listen_fd, struct fcgi **out)
{
    TRY(prepare_socket(listen_fd));
    TRY(init_library());
    struct fcgi *f = mem_new(ctx, struct fcgi);
    f->wait_fd = -1;
    if (FCGX_InitRequest(&f->request, listen_fd, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
        return err_set(E_INTERNAL, "libfcgi takes no request");
    talloc_set_destructor(f, release);
    *out = f;
    return E_OK;
}

/* EPOLLEXCLUSIVE: a connection wakes one idle worker of the pool, not all of them. */
static enum err watch(struct fcgi *f, int stop_fd)
{
    struct epoll_event stop = {.events = EPOLLIN, .data.fd = stop_fd};
    struct epoll_event work = {.events = EPOLLIN | EPOLLEXCLUSIVE, .data.fd = f->request.listen_sock};

    f->wait_fd = epoll_create1(EPOLL_CLOEXEC);
    if (f->wait_fd < 0 || epoll_ctl(f->wait_fd, EPOLL_CTL_ADD, stop_fd, &stop) != 0 ||
        epoll_ctl(f->wait_fd, EPOLL_CTL_ADD, f->request.listen_sock, &work) != 0)
        return err_set(E_IO, "epoll: %m");
    return E_OK;
}

/* Sleep until there is a connection or a reason to stop. A connection that came with the order to stop is still taken, once: it
 * may have woken nobody else. */
static enum err wait_for_work(struct fcgi *f, int stop_fd, bool *stop_out)
{
    struct epoll_event events[2];
    bool stop = false, work = false;
    int n;

    if (f->wait_fd < 0)
        TRY(watch(f, stop_fd));
    while ((n = epoll_wait(f->wait_fd, events, 2, -1)) < 0) {
        if (errno != EINTR)
            return err_set(E_IO, "waiting for a connection: %m");
    }
    for (int i = 0; i < n; i++) {
        stop |= events[i].data.fd == stop_fd;
        work |= events[i].data.fd != stop_fd;
        if (events[i].data.fd != stop_fd && (events[i].events & (EPOLLERR | EPOLLHUP)))
            return err_set(E_IO, "the listening socket is gone");
    }
    *stop_out = stop && (!work || f->told);
    f->told = stop;
    return E_OK;
}

enum err fcgi_accept(struct fcgi *f, int stop_fd, bool *got_out)
{
    *got_out = false;
    for (;;) {
        bool stop = false;
        TRY(wait_for_work(f, stop_fd, &stop));
        if (stop)
            return E_OK;
        int result = FCGX_Accept_r(&f->request);
        if (result == 0)
            break;
        if (result != -EAGAIN && result != -EINTR)
            return err_set(E_IO, "accept: %s", strerror(result > -4096 ? -result : EIO));
    }
    f->bulk = false;
    *got_out = true;
    return E_OK;
}

char *const *fcgi_params(const struct fcgi *f)
{
    return f->request.envp;
}

enum err fcgi_read(struct fcgi *f, void *buffer, size_t size, size_t *n_out)
{
    int n = FCGX_GetStr(buffer, size < INT_MAX ? (int)size : INT_MAX, f->request.in);

    *n_out = n > 0 ? (size_t)n : 0;
    int error = FCGX_GetError(f->request.in);
    return error != 0 ? err_set(E_CUT_OFF, "reading the body: libfcgi error %d", error) : E_OK;
}

void fcgi_bulk(struct fcgi *f)
{
    f->bulk = true;
    if (f->writer != NULL && f->writer_fd == f->request.ipcFd && f->writer_id == f->request.requestId)
        return;
    drop_writer(f);
    f->writer_fd = f->request.ipcFd;
    f->writer_id = f->request.requestId;
    f->writer = FCGX_CreateWriter(f->writer_fd, f->writer_id, BULK_BYTES, FCGI_STDOUT);
}

static enum err peer_gone(struct fcgi *f)
{
    if (f->bulk)
        drop_writer(f); /* it may hold bytes, which must not come before another answer */
    return err_set(E_CUT_OFF, "the web server does not take the answer");
}

enum err fcgi_write(struct fcgi *f, const void *bytes, size_t n)
{
    FCGX_Stream *to = f->bulk ? f->writer : f->request.out;

    for (const char *at = bytes; n > 0;) {
        int part = n < INT_MAX ? (int)n : INT_MAX;
        if (to == NULL || FCGX_PutStr(at, part, to) != part)
            return peer_gone(f);
        at += part;
        n -= (size_t)part;
    }
    return E_OK;
}

void fcgi_finish(struct fcgi *f)
{
    if (f->bulk && f->writer != NULL && FCGX_FFlush(f->writer) != 0)
        drop_writer(f);
    f->bulk = false;
    /* A kept connection would bind this worker to one idle peer. */
    f->request.keepConnection = false;
    FCGX_Finish_r(&f->request);
}
