/* The pool with toy roles: `echo` answers on a socket, `idle` waits like the keeper. A master runs in a child
 * of the test, in a folder of its own; the test speaks to its workers and reads its log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pool/pool.h"

#define WAIT_MS 120000
#define WORKERS 3

struct bench {
    char folder[64]; /* of everything */
    char run[96];    /* server.run */
    char title[32];  /* site.title of the first configuration: how a worker shows which one it has */
    int64_t retire;
    bool preflight_fails;
    pid_t master;
};
static struct bench bench;

/* ---- the roles ---- */

static void note(const char *file)
{
    CLEANUP(close_fd) int fd = open(file, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || write(fd, ".", 1) != 1)
        abort();
}

/* One letter is a request: p - answer at once; s - note that it has come, and answer after a while. */
static void answer(const struct worker *w, int fd)
{
    char letter, text[128];

    if (read(fd, &letter, 1) != 1)
        return;
    if (letter == 's') {
        note("slow");
        poll(NULL, 0, 500);
    }
    int n = snprintf(text, sizeof text, "%d %lld %s", (int)getpid(), (long long)w->retire_after,
                     w->conf->site_title);
    if (write(fd, text, (size_t)n) != n)
        abort();
}

static int echo_run(const struct worker *w)
{
    struct pollfd fds[] = {{.fd = w->stop_fd, .events = POLLIN}, {.fd = w->listen_fd, .events = POLLIN}};

    note("starts");
    if (strcmp(w->conf->site_title, "dies") == 0)
        return 3;
    fcntl(w->listen_fd, F_SETFL, O_NONBLOCK);
    for (int64_t served = 0; w->retire_after == 0 || served < w->retire_after;) {
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[0].revents != 0)
            return 0;
        int fd = accept(w->listen_fd, NULL, NULL);
        if (fd < 0)
            continue;
        answer(w, fd);
        close(fd);
        served++;
    }
    return 0;
}

static int idle_run(const struct worker *w)
{
    struct pollfd fd = {.fd = w->stop_fd, .events = POLLIN};
    FILE *file = fopen("idle.new", "w");

    if (file == NULL || fputs(w->conf->site_title, file) < 0 || fclose(file) != 0 ||
        rename("idle.new", "idle") != 0)
        return 1;
    while (poll(&fd, 1, -1) < 0)
        ;
    return 0;
}

static int64_t count_echo(const struct conf *conf)
{
    return conf->pool_api;
}

static int64_t count_idle(const struct conf *conf)
{
    (void)conf;
    return 1;
}

/* ---- the configuration ---- */

static struct conf *settings(const void *ctx, const char *title)
{
    struct conf *conf = mem_new(ctx, struct conf);
    conf->server_run = bench.run;
    conf->server_log_level = "debug";
    conf->site_title = mem_str(ctx, title);
    conf->pool_api = WORKERS;
    conf->pool_retire = bench.retire;
    return conf;
}

static enum err reload(const void *ctx, const struct conf **conf_out)
{
    char title[32] = "";
    CLEANUP(close_fd) int fd = open("next", O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, title, sizeof title - 1);

    if (n <= 0 || strcmp(title, "bad") == 0)
        return err_set(E_CONF, "line 7: this is not a setting");
    *conf_out = settings(ctx, title);
    return E_OK;
}

static enum err preflight(const struct conf *conf)
{
    (void)conf;
    return bench.preflight_fails ? err_set(E_CONF, "the preflight says no") : E_OK;
}

static const struct role roles[] = {
    {"echo", true, count_echo, echo_run}, {"idle", false, count_idle, idle_run}, {0}};
static const struct master toy = {.roles = roles, .preflight = preflight, .reload = reload};

/* ---- the test's hands ---- */

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool file_has(const char *name, const char *text)
{
    static char content[1 << 16];
    CLEANUP(close_fd) int fd = open(name, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : read(fd, content, sizeof content - 1);
    content[n > 0 ? n : 0] = '\0';
    return strstr(content, text) != NULL;
}

static bool log_has(const char *text)
{
    return file_has("log", text);
}

/* Until `condition` holds, or the test fails. */
#define wait_until(condition)                                                                                \
    do {                                                                                                     \
        int64_t end_ = clock_monotonic_ms() + WAIT_MS;                                                       \
        while (!(condition)) {                                                                               \
            if (clock_monotonic_ms() > end_)                                                                 \
                fail_msg("waited in vain: %s", #condition);                                                  \
            poll(NULL, 0, 10);                                                                               \
        }                                                                                                    \
    } while (0)

static pid_t start_master(int (*run)(const struct master *m, const struct conf *conf))
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    int log = open("log", O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, STDERR_FILENO);
    close(log);
    void *mem = talloc_new(NULL);
    _exit(run(&toy, settings(mem, bench.title)));
}

static int exit_status(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s/echo.sock", bench.run);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

struct reply {
    int pid;
    long long retire;
    char title[32];
};

static bool hear(int fd, struct reply *reply_out)
{
    char text[128] = "", *rest;
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (n <= 0)
        return false;
    reply_out->pid = (int)strtol(text, &rest, 10);
    reply_out->retire = strtoll(rest, &rest, 10);
    snprintf(reply_out->title, sizeof reply_out->title, "%s", rest + 1);
    return true;
}

static bool ask(struct reply *reply_out)
{
    CLEANUP(close_fd) int fd = dial();
    return fd >= 0 && write(fd, "p", 1) == 1 && hear(fd, reply_out);
}

static bool title_is(const char *title)
{
    struct reply r;
    return ask(&r) && strcmp(r.title, title) == 0;
}

static void start(void)
{
    struct reply r;
    bench.master = start_master(master_run);
    wait_until(ask(&r) && file_has("idle", bench.title));
}

static void stop(void)
{
    kill(bench.master, SIGTERM);
    assert_int_equal(exit_status(bench.master), 0);
    bench.master = 0;
}

static int set_up(void **state)
{
    (void)state;
    bench = (struct bench){.folder = "/tmp/coffer-pool-XXXXXX", .title = "old"};
    /* Workers whose master is killed come to the test, which can then wait for them. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (mkdtemp(bench.folder) == NULL || chdir(bench.folder) != 0)
        return -1;
    snprintf(bench.run, sizeof bench.run, "%s/run", bench.folder);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {
        "log", "next", "idle", "slow", "starts", "run/coffer.pid", "run/echo.sock", "given.sock", "notify.sock"};
    (void)state;
    if (bench.master > 0)
        kill(bench.master, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(names[i]);
    rmdir("run");
    return chdir("/") != 0 || rmdir(bench.folder) != 0;
}

/* ---- the tests ---- */

static void modes_keep_others_out(void **state)
{
    struct stat st;
    (void)state;
    start();
    assert_int_equal(stat("run", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0750);
    assert_int_equal(stat("run/echo.sock", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    stop();
    assert_int_not_equal(stat("run/echo.sock", &st), 0);
}

static void worker_comes_back_after_kill(void **state)
{
    struct reply first, r;
    (void)state;
    start();
    assert_true(ask(&first));
    for (int i = 0; i < 2 * WORKERS; i++) {
        assert_true(ask(&r));
        kill(r.pid, SIGKILL);
        wait_until(ask(&first) && first.pid != r.pid);
    }
    wait_until(log_has("signal=9"));
    stop();
}

static void worker_told_by_term_is_replaced(void **state)
{
    struct reply r, next;
    (void)state;
    start();
    assert_true(ask(&r));
    kill(r.pid, SIGTERM);
    wait_until(kill(r.pid, 0) != 0 && errno == ESRCH);
    assert_true(ask(&next));
    assert_true(log_has("status=0"));
    stop();
}

static void drain_finishes_the_request_in_hand(void **state)
{
    struct reply r;
    (void)state;
    start();
    CLEANUP(close_fd) int fd = dial();
    assert_int_equal(write(fd, "s", 1), 1);
    wait_until(access("slow", F_OK) == 0);
    kill(bench.master, SIGTERM);
    assert_true(hear(fd, &r));
    assert_int_equal(exit_status(bench.master), 0);
    bench.master = 0;
}

/* A client that never stops asking; its exit status says whether every question was answered. */
static pid_t start_asking(void)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    for (;;) {
        struct reply r;
        if (!ask(&r))
            _exit(1);
        if (access("enough", F_OK) == 0)
            _exit(0);
    }
}

static bool all_say(const char *title)
{
    for (int i = 0; i < 50; i++) {
        struct reply r;
        if (!ask(&r) || strcmp(r.title, title) != 0)
            return false;
    }
    return true;
}

static void hup_replaces_all_and_refuses_nobody(void **state)
{
    (void)state;
    start();
    pid_t client = start_asking();
    write_text("next", "new");
    kill(bench.master, SIGHUP);
    wait_until(log_has("every worker has the new configuration"));
    wait_until(file_has("idle", "new"));
    wait_until(all_say("new")); /* the last old one may still have to see that it should stop */
    write_text("enough", "");
    assert_int_equal(exit_status(client), 0);
    unlink("enough");
    stop();
}

static void bad_reload_keeps_the_old(void **state)
{
    (void)state;
    start();
    write_text("next", "bad");
    kill(bench.master, SIGHUP);
    wait_until(log_has("is not used"));
    assert_true(log_has("line 7: this is not a setting"));
    assert_true(title_is("old"));
    write_text("next", "mended");
    kill(bench.master, SIGHUP);
    wait_until(title_is("mended"));
    stop();
}

static void reload_whose_workers_die_is_taken_back(void **state)
{
    (void)state;
    start();
    write_text("next", "dies");
    kill(bench.master, SIGHUP);
    wait_until(log_has("every worker has the old configuration again"));
    for (int i = 0; i < 20; i++)
        assert_true(title_is("old"));
    stop();
}

static void second_master_is_refused(void **state)
{
    char sentence[64];
    (void)state;
    start();
    assert_int_equal(exit_status(start_master(master_run)), 1);
    snprintf(sentence, sizeof sentence, "process %d serves", (int)bench.master);
    assert_true(log_has(sentence));
    assert_true(title_is("old"));
    stop();
}

static void nothing_outlives_a_killed_master(void **state)
{
    struct reply r;
    (void)state;
    start();
    assert_true(ask(&r));
    kill(bench.master, SIGKILL);
    assert_int_equal(exit_status(bench.master), -SIGKILL);
    int status =
        exit_status(r.pid); /* idle ones may see the stop socket's end before the kernel's signal comes */
    assert_true(status == -SIGKILL || status == 0);
    /* and what it left is no obstacle */
    write_text("idle", "");
    start();
    stop();
}

static void what_is_no_socket_is_not_replaced(void **state)
{
    (void)state;
    assert_int_equal(mkdir(bench.run, 0750), 0);
    write_text("run/echo.sock", "precious");
    assert_int_equal(exit_status(start_master(master_run)), 1);
    assert_true(log_has("in the way"));
    assert_true(file_has("run/echo.sock", "precious"));
}

static void failed_preflight_ends_the_start(void **state)
{
    (void)state;
    bench.preflight_fails = true;
    assert_int_equal(exit_status(start_master(master_run)), 1);
    assert_true(log_has("the preflight says no"));
    assert_false(file_has("starts", "."));
}

static void dying_workers_are_started_ever_more_slowly(void **state)
{
    struct stat st;
    (void)state;
    snprintf(bench.title, sizeof bench.title, "dies");
    bench.master = start_master(master_run);
    int64_t began = clock_monotonic_ms(), most = WORKERS;
    wait_until(stat("starts", &st) == 0 && st.st_size >= 4 * WORKERS);
    int64_t took = clock_monotonic_ms() - began;
    for (int64_t at = 0, pause = 100; at <= took; at += pause, pause *= 2) /* at 0, 100, 300, 700 ms and so on */
        most += WORKERS;
    assert_in_range(st.st_size, 4 * WORKERS, most);
    stop();
}

static void worker_retires_with_jitter(void **state)
{
    struct reply r, first;
    (void)state;
    bench.retire = 100;
    start();
    assert_true(ask(&first));
    for (int i = 0; i < 400; i++) {
        assert_true(ask(&r));
        assert_in_range(r.retire, 90, 110);
    }
    wait_until(kill(first.pid, 0) != 0);
    stop();
}

/* ---- service managers ---- */

static int bind_socket(const char *name, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
    int fd = socket(AF_UNIX, type, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static int ask_at(const char *name, struct reply *reply_out)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", name);
    CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof address) == 0 && write(fd, "p", 1) == 1 &&
           hear(fd, reply_out);
}

static int handed_fd; /* for the two below, which run in the master's process */

static int run_activated(const struct master *m, const struct conf *conf)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    dup2(handed_fd, 4);
    dup2(STDERR_FILENO, 3);
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", "other:echo", 1);
    return master_run(m, conf);
}

static int run_single(const struct master *m, const struct conf *conf)
{
    dup2(handed_fd, STDIN_FILENO);
    return master_run_single(m, conf);
}

static void socket_from_systemd_is_used(void **state)
{
    struct reply r;
    (void)state;
    handed_fd = bind_socket("given.sock", SOCK_STREAM);
    assert_int_equal(listen(handed_fd, 10), 0);
    bench.master = start_master(run_activated);
    wait_until(ask_at("given.sock", &r));
    assert_int_not_equal(access("run/echo.sock", F_OK), 0);
    stop();
    assert_int_equal(access("given.sock", F_OK), 0);
    close(handed_fd);
}

static void single_worker_serves_descriptor_0(void **state)
{
    struct reply r;
    (void)state;
    handed_fd = bind_socket("given.sock", SOCK_STREAM);
    assert_int_equal(listen(handed_fd, 10), 0);
    bench.master = start_master(run_single);
    wait_until(ask_at("given.sock", &r));
    assert_int_equal(r.pid, bench.master);
    close(handed_fd);
    stop();
}

static void single_worker_wants_a_socket(void **state)
{
    (void)state;
    handed_fd = open("/dev/null", O_RDONLY);
    assert_int_equal(exit_status(start_master(run_single)), 1);
    assert_true(log_has("descriptor 0 is not a listening socket"));
    close(handed_fd);
}

static void expect_datagram(int fd, const char *text)
{
    char message[256] = "";
    struct pollfd p = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&p, 1, WAIT_MS), 1);
    assert_true(read(fd, message, sizeof message - 1) > 0);
    if (strstr(message, text) == NULL)
        fail_msg("expected %s, got %s", text, message);
}

static void service_manager_is_told(void **state)
{
    char path[96];
    (void)state;
    int fd = bind_socket("notify.sock", SOCK_DGRAM);
    snprintf(path, sizeof path, "%s/notify.sock", bench.folder);
    setenv("NOTIFY_SOCKET", path, 1);
    start();
    unsetenv("NOTIFY_SOCKET");
    expect_datagram(fd, "READY=1");
    write_text("next", "new");
    kill(bench.master, SIGHUP);
    expect_datagram(fd, "RELOADING=1\nMONOTONIC_USEC=");
    expect_datagram(fd, "READY=1");
    stop();
    expect_datagram(fd, "STOPPING=1");
    close(fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(modes_keep_others_out),
        TEST(worker_comes_back_after_kill),
        TEST(worker_told_by_term_is_replaced),
        TEST(drain_finishes_the_request_in_hand),
        TEST(hup_replaces_all_and_refuses_nobody),
        TEST(bad_reload_keeps_the_old),
        TEST(reload_whose_workers_die_is_taken_back),
        TEST(second_master_is_refused),
        TEST(nothing_outlives_a_killed_master),
        TEST(what_is_no_socket_is_not_replaced),
        TEST(failed_preflight_ends_the_start),
        TEST(dying_workers_are_started_ever_more_slowly),
        TEST(worker_retires_with_jitter),
        TEST(socket_from_systemd_is_used),
        TEST(single_worker_serves_descriptor_0),
        TEST(single_worker_wants_a_socket),
        TEST(service_manager_is_told),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
