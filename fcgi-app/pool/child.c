#include "pool/child.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pool/signals.h"

void process_harden(void)
{
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    /* nginx shares the user id: without this a hole in it could read keys out of a worker's memory. Links
     * through /proc/self/fd still work (a process may always look at itself). */
    prctl(PR_SET_DUMPABLE, 0);
}

enum log_level child_log_level(const struct conf *conf)
{
    enum log_level level;
    return log_level_parse(conf->server_log_level, &level) == E_OK ? level : LOG_INFO;
}

static void close_between(int first, int last)
{
    if (first <= last)
        close_range((unsigned)first, (unsigned)last, 0);
}

/* Everything else goes: above all the other workers' stop sockets, which must close with the master. */
static void keep_only(int a, int b)
{
    int low = a < b ? a : b, high = a < b ? b : a;

    if (low < 3)
        low = high;
    close_between(3, low - 1);
    close_between(low + 1, high - 1);
    close_between(high + 1, __INT_MAX__);
}

static void input_from_nowhere(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd > 0) {
        dup2(fd, STDIN_FILENO);
        close(fd);
    }
}

static _Noreturn void child_run(const struct child_task *task, const sigset_t *mask, pid_t parent,
                                int stop_fd)
{
    char title[40];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(0); /* it died before the line above */
    snprintf(title, sizeof title, "coffer %s", task->name);
    prctl(PR_SET_NAME, title);
    keep_only(stop_fd, task->keep_fd);
    if (task->keep_fd != STDIN_FILENO)
        input_from_nowhere();
    signals_worker(mask, stop_fd);
    process_harden();
    log_setup(task->log_level, task->name);
    _exit(task->run(task->arg, stop_fd));
}

enum err child_start(const struct child_task *task, const sigset_t *mask, pid_t *pid_out, int *stop_out)
{
    int ends[2];
    pid_t parent = getpid();

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_set(E_IO, "socketpair: %m");
    fflush(NULL); /* what is buffered here must not be written twice */
    *pid_out = fork();
    if (*pid_out == 0)
        child_run(task, mask, parent, ends[1]);
    close(ends[1]);
    if (*pid_out < 0) {
        enum err e = err_set(E_IO, "fork: %m");
        close(ends[0]);
        return e;
    }
    *stop_out = ends[0];
    return E_OK;
}
