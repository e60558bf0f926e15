/* `coffer front`: the web server's file, from nginx/coffer.conf.in and the settings, so that the two never disagree. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/front.h"
#include "crypt/crypt.h"
#include "web/site.h"

#define FILE_MAX (1u << 20)

static enum err read_file(const void *ctx, const char *path, const char **text_out)
{
    struct buf text;
    char piece[4096];
    ssize_t n;
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(E_CONF, "cannot read %s: %m", path);
    buf_init(&text, ctx, FILE_MAX);
    while ((n = read(fd, piece, sizeof piece)) > 0)
        buf_add(&text, piece, (size_t)n);
    if (n < 0)
        return err_set(E_IO, "cannot read %s: %m", path);
    *text_out = text.data != NULL ? text.data : "";
    return buf_ok(&text);
}

/* Beside it first, then in its place: a reader never sees half a file. Mode 0600. */
static enum err write_file(const char *path, const char *text, size_t len)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    const char *beside = mem_printf(mem, "%s.new", path);
    CLEANUP(close_fd) int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, len) != (ssize_t)len || fsync(fd) != 0 || rename(beside, path) != 0)
        return err_set(E_IO, "cannot write %s: %m", path);
    return E_OK;
}

/* A regular expression for the decimal numbers from 0 to `most`: nginx's map compares text, not numbers. */
static char *numbers_up_to(const void *ctx, uint64_t most)
{
    struct buf out;
    const char *digits = mem_printf(ctx, "%" PRIu64, most);
    int n = (int)strlen(digits);
    buf_init(&out, ctx, 4096);
    if (n > 1)
        buf_printf(&out, "[0-9]{1,%d}|", n - 1);
    for (int i = 0; i < n; i++) {
        int lowest = i == 0 && n > 1 ? '1' : '0', below = digits[i] - 1;
        if (below < lowest)
            continue;
        buf_printf(&out, "%.*s[%c-%c]", i, digits, lowest, below);
        if (i < n - 1)
            buf_printf(&out, "[0-9]{%d}", n - 1 - i);
        buf_char(&out, '|');
    }
    buf_str(&out, digits);
    return out.data;
}

/* The next of the words separated by blanks, on ctx; NULL at the end. */
static const char *next_word(const void *ctx, const char **words)
{
    const char *start = *words + strspn(*words, " \t");
    size_t len = strcspn(start, " \t");
    *words = start + len;
    return len > 0 ? mem_strn(ctx, start, len) : NULL;
}

/* "A B C" -> one line each of before + word + after. */
static const char *lines(const void *ctx, const char *words, const char *before, const char *after)
{
    const char *out = "", *word;
    while ((word = next_word(ctx, &words)) != NULL)
        out = mem_printf(ctx, "%s%s%s%s\n", out, before, word, after);
    return out;
}

/* The proxies as nginx's geo sees them: clients of a unix socket have the address 255.255.255.255 there. */
static const char *proxy_lines(const void *ctx, const char *words)
{
    const char *out = "", *word;
    while ((word = next_word(ctx, &words)) != NULL)
        out = mem_printf(ctx, "%s%s 1;\n", out, strcmp(word, "unix:") == 0 ? "255.255.255.255" : word);
    return out;
}

static const char *user_line(const void *ctx)
{
    struct passwd *pw = getpwuid(geteuid());
    struct group *gr = getgrgid(getegid());
    if (geteuid() != 0 || pw == NULL || gr == NULL)
        return "";
    return mem_printf(ctx, "user %s %s;", pw->pw_name, gr->gr_name);
}

/* Nobody listens there: a killed web server left it behind. */
static bool is_stale(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISSOCK(st.st_mode) || strlen(path) >= sizeof to.sun_path)
        return false;
    memcpy(to.sun_path, path, strlen(path));
    CLEANUP(close_fd) int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) != 0 && errno == ECONNREFUSED;
}

/* nginx cannot bind to a socket that exists already. */
static void remove_stale_sockets(const void *ctx, const char *words)
{
    const char *word;
    while ((word = next_word(ctx, &words)) != NULL)
        if (strncmp(word, "unix:", 5) == 0 && is_stale(word + 5))
            unlink(word + 5);
}

static enum err make_folders(const struct conf *conf, const void *ctx)
{
    static const char *const names[] = {"incoming", "tmp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (mkdir(mem_printf(ctx, "%s/%s", conf->data_path, names[i]), 0700) != 0 && errno != EEXIST)
            return err_set(E_CONF, "cannot make %s/%s: %m", conf->data_path, names[i]);
    return E_OK;
}

/* The parameters with the key in them: a file of its own, readable by the owner alone. */
static enum err write_params(struct app *app, const char *folder, const char *path)
{
    const char *text, *key;
    struct buf out;
    TRY(front_key(app->mem, app->conf, true, &key));
    TRY(read_file(app->mem, mem_printf(app->mem, "%s/coffer-params.conf.in", folder), &text));
    buf_init(&out, app->mem, FILE_MAX);
    TRY(conf_expand(app->conf, text, (const char *const[]){"front", key, NULL}, &out));
    TRY(buf_ok(&out));
    return write_file(path, out.data, out.len);
}

/* ---- contents in S3 ---- */

/* The port stands there always: nginx takes 80 otherwise, whatever the scheme. Kept connections triple what small files
 * come at. No address is given up for having failed: whether S3 is back is found out by the next request. */
static const char *s3_upstream(const void *ctx, const struct conf *conf)
{
    const char *port = strrchr(conf->s3_host, ':');
    bool told = port != NULL && strchr(port, ']') == NULL;
    return mem_printf(ctx, "upstream coffer_s3    { server %s%s max_fails=0; keepalive 16; }", conf->s3_host,
                      told ? "" : conf->s3_tls ? ":443" : ":80");
}

#define SYSTEM_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

static const char *s3_tls_lines(const void *ctx, const struct conf *conf)
{
    size_t n = conf->s3_host[0] == '[' ? strcspn(conf->s3_host, "]") + 1 : strcspn(conf->s3_host, ":");
    if (!conf->s3_tls)
        return "";
    return mem_printf(ctx, "proxy_ssl_server_name on; proxy_ssl_name \"%.*s\";\nproxy_ssl_verify on; proxy_ssl_verify_depth 5;\n"
                           "proxy_ssl_trusted_certificate \"%s\";", (int)n, conf->s3_host,
                      *conf->store_s3_ca ? conf->store_s3_ca : SYSTEM_AUTHORITIES);
}

static const char *s3_path(const struct app *app)
{
    return mem_printf(app->mem, "%s/nginx-s3.conf", app->conf->data_path);
}

/* A file of its own, where contents are in S3. */
static enum err write_s3(struct app *app, const char *folder, const char *params)
{
    const struct conf *conf = app->conf;
    const char *text;
    const char *const extra[] = {
        "s3_scheme", conf->s3_tls ? "https" : "http",
        "s3_host", conf->s3_host,
        "s3_tls_lines", s3_tls_lines(app->mem, conf),
        "params_file", params,
        NULL,
    };
    struct buf out;
    if (*conf->s3_bucket == '\0')
        return E_OK;
    TRY(read_file(app->mem, mem_printf(app->mem, "%s/coffer-s3.conf.in", folder), &text));
    buf_init(&out, app->mem, FILE_MAX);
    TRY(conf_expand(conf, text, extra, &out));
    TRY(buf_ok(&out));
    return write_file(s3_path(app), out.data, out.len);
}

static uint64_t chunked_most(const struct conf *conf)
{
    uint64_t a = (uint64_t)conf->limits_chunked, b = (uint64_t)conf->limits_upload;
    return a == 0 ? b : b == 0 || a < b ? a : b;
}

static const char *params_path(const struct app *app)
{
    return mem_printf(app->mem, "%s/nginx-params.conf", app->conf->data_path);
}

enum err front_nginx(struct app *app, struct buf *out)
{
    const struct conf *conf = app->conf;
    const void *mem = app->mem;
    bool tls = conf->web_certificate[0] != '\0', s3 = *conf->s3_bucket != '\0';
    const char *text, *folder = conf->server_nginx, *params = params_path(app);
    TRY(read_file(mem, mem_printf(mem, "%s/coffer.conf.in", folder), &text));
    const char *const extra[] = {
        "user_line", user_line(mem),
        "listen_lines", lines(mem, conf->web_listen, "listen ", tls ? " default_server ssl http2 backlog=1024;" : " default_server backlog=1024;"),
        "tls_lines", tls ? mem_printf(mem, "ssl_certificate \"%s\"; ssl_certificate_key \"%s\";", conf->web_certificate, conf->web_certificate_key) : "",
        "real_ip_lines", lines(mem, conf->web_trusted_proxies, "set_real_ip_from ", ";"),
        "proxy_lines", proxy_lines(mem, conf->web_trusted_proxies),
        "origin", conf->origin,
        "hsts", conf->hsts ? "max-age=31536000" : "",
        "params_file", params,
        "s3_upstream", s3 ? s3_upstream(mem, conf) : "",
        "s3_location", s3 ? mem_printf(mem, "include \"%s\";", s3_path(app)) : "",
        "upload_pool", s3 ? "coffer_bulk" : "coffer_api",
        "upload_routes", s3 ? "\"~^POST /(api/(v1/)?)?files/?$\" bulk;\n        \"~^(GET|HEAD) /file/[0-9a-z]+/?$\" bulk;" : "",
        "blobs", s3 ? mem_printf(mem, "%s/blobs", conf->data_path) : conf->disk_path,
        "assets", conf->server_assets,
        "small_lengths", numbers_up_to(mem, (uint64_t)conf->limits_small_body),
        "json_bytes", mem_printf(mem, "%lld", (long long)conf->limits_json),
        "chunked_bytes", mem_printf(mem, "%llu", (unsigned long long)chunked_most(conf)),
        NULL,
    };
    TRY(conf_expand(conf, text, extra, out));
    return buf_ok(out);
}

static enum err print_nginx(struct app *app)
{
    struct buf out;
    TRY(make_folders(app->conf, app->mem));
    TRY(write_params(app, app->conf->server_nginx, params_path(app)));
    TRY(write_s3(app, app->conf->server_nginx, params_path(app)));
    remove_stale_sockets(app->mem, app->conf->web_listen);
    buf_init(&out, app->mem, FILE_MAX);
    TRY(front_nginx(app, &out));
    fwrite(out.data, 1, out.len, stdout);
    return E_OK;
}

int cmd_front(struct app *app, int argc, char **argv)
{
    if (!command_options(&argc, argv, (struct option_row[]){{0}}) || argc != 2 || strcmp(argv[1], "nginx") != 0)
        return command_usage("front");
    enum err e = crypt_start();
    if (e == E_OK)
        e = print_nginx(app);
    return e == E_OK && fflush(stdout) == 0 ? 0 : command_fail("front", e);
}
