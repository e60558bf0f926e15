#include "pool/signals.h"

#include <errno.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

static const int handled[] = {SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGCHLD};
#define HANDLED (sizeof handled / sizeof *handled)

enum err signals_open(int *fd_out, sigset_t *before_out)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < HANDLED; i++)
        sigaddset(&set, handled[i]);
    /* Descriptor first: when it fails, the mask is still the caller's. */
    *fd_out = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (*fd_out < 0)
        return err_set(E_IO, "signalfd: %m");
    /* Where CHLD is ignored by inheritance (nohup does not, some supervisors do), children leave no status.
     */
    signal(SIGCHLD, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, before_out);
    return E_OK;
}

int signals_next(int fd)
{
    struct signalfd_siginfo info;
    ssize_t n;
    do
        n = read(fd, &info, sizeof info);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

static int stop_socket;

/* Closing one half of the own end makes it readable (end of file): one call, allowed in a handler, and the
 * worker waits for one thing whoever asks it to stop. */
static void stop_reading(int number)
{
    int saved = errno;
    (void)number;
    shutdown(stop_socket, SHUT_RD);
    errno = saved;
}

static void on(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

void signals_worker(const sigset_t *mask, int stop_fd)
{
    stop_socket = stop_fd;
    on(SIGTERM, stop_reading);
    on(SIGINT, SIG_IGN);
    on(SIGQUIT, SIG_IGN);
    on(SIGHUP, SIG_IGN);
    on(SIGPIPE, SIG_IGN);
    on(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_SETMASK, mask, NULL);
}

void signals_single(int stop_fd)
{
    stop_socket = stop_fd;
    on(SIGTERM, stop_reading);
    on(SIGINT, stop_reading);
    on(SIGQUIT, stop_reading);
    on(SIGUSR1, stop_reading);
    on(SIGPIPE, SIG_IGN);
}
