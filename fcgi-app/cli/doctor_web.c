/* The web server in front: its certificate, its file, its user, and whether all of it works together. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cli/doctor.h"
#include "cli/front.h"
#include "core/session.h"
#include "crypt/crypt.h"
#include "net/http_client.h"
#include "web/site.h"

#define SOON_DAYS  14
#define LARGE_BODY (1u << 20) /* more than limits.small_body can be: it takes the way by file */
#define WAIT_MS    30000

void doctor_address(struct doctor *d)
{
    if (!d->conf->https && d->conf->site_insecure_http)
        doctor_tell(d, ILL_WARNING, "Get a certificate (web.certificate), or put Coffer behind a proxy with one, and use an https public_url.",
                    "site.public_url is plain http: passwords and files cross the network readable.");
}

/* ---- certificate ---- */
static void *read_pem(const char *path, bool key)
{
    FILE *f = fopen(path, "re");
    void *found = NULL;
    if (f != NULL)
        found = key ? (void *)PEM_read_PrivateKey(f, NULL, NULL, NULL) : (void *)PEM_read_X509(f, NULL, NULL, NULL);
    if (f != NULL)
        fclose(f);
    return found;
}

static void check_dates(struct doctor *d, const X509 *certificate)
{
    int days = 0, seconds = 0;
    if (ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(certificate)) != 1)
        return;
    if (days < 0 || seconds < 0)
        doctor_tell(d, ILL_ERROR, "Renew it, then reload coffer-web.", "%s has expired.", d->conf->web_certificate);
    else if (days < SOON_DAYS)
        doctor_tell(d, ILL_WARNING, "Renew it, then reload coffer-web.", "%s expires in %d days.", d->conf->web_certificate, days);
}

void doctor_certificate(struct doctor *d)
{
    if (d->conf->web_certificate[0] == '\0')
        return;
    X509 *certificate = read_pem(d->conf->web_certificate, false);
    EVP_PKEY *key = read_pem(d->conf->web_certificate_key, true);
    if (certificate == NULL)
        doctor_tell(d, ILL_ERROR, "Name a PEM file that Coffer's user may read.", "web.certificate = %s holds no certificate that can be read.",
                    d->conf->web_certificate);
    else
        check_dates(d, certificate);
    if (key == NULL)
        doctor_tell(d, ILL_ERROR, "Name a PEM file that Coffer's user may read.", "web.certificate_key = %s holds no key that can be read.",
                    d->conf->web_certificate_key);
    else if (certificate != NULL && X509_check_private_key(certificate, key) != 1)
        doctor_tell(d, ILL_ERROR, "Name the key that belongs to the certificate.", "web.certificate and web.certificate_key do not belong together.");
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void doctor_pages(struct doctor *d)
{
    if (access(mem_printf(d->mem, "%s/manifest.json", d->conf->server_assets), R_OK) != 0)
        doctor_tell(d, ILL_ERROR, "Run make assets and make install, or name the right folder as server.assets.", "There are no built style sheets in %s.",
                    d->conf->server_assets);
    if (access(d->conf->server_templates, R_OK | X_OK) != 0)
        doctor_tell(d, ILL_ERROR, "Run make install, or name the right folder as server.templates.", "There are no templates in %s.",
                    d->conf->server_templates);
}

/* ---- the web server's files ---- */
static const char *read_text(const void *ctx, const char *path)
{
    struct buf text;
    char piece[4096];
    ssize_t n = 0;
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    buf_init(&text, ctx, 1 << 20);
    while (fd >= 0 && (n = read(fd, piece, sizeof piece)) > 0)
        buf_add(&text, piece, (size_t)n);
    return fd >= 0 && n == 0 ? text.data : NULL;
}

void doctor_front_key(struct doctor *d)
{
    const char *path = mem_printf(d->mem, "%s/nginx-params.conf", d->conf->data_path), *key;
    const char *text = read_text(d->mem, path);
    if (text == NULL || front_key(d->mem, d->conf, false, &key) != E_OK)
        return; /* not set up yet, or another web server: `answers` tells whether it works */
    if (strstr(text, key) == NULL)
        doctor_tell(d, ILL_ERROR, "Write it anew and reload nginx: coffer front nginx >FILE.", "%s holds another key than Coffer expects: every request is refused.",
                    path);
}

/* The word behind -c of the process's command line. */
static const char *file_of(const void *ctx, unsigned pid)
{
    CLEANUP(free_mem) char *path = mem_printf(NULL, "/proc/%u/cmdline", pid);
    char line[4096];
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, line, sizeof line - 1) : -1;
    if (n <= 0)
        return NULL;
    for (ssize_t i = 0; i < n; i++) /* nginx writes its arguments into one string of its title */
        if (line[i] == '\0')
            line[i] = ' ';
    line[n] = '\0';
    const char *at = strstr(line, " -c ");
    return at != NULL ? mem_strn(ctx, at + 4, strcspn(at + 4, " ")) : NULL;
}

static void compare_file(struct doctor *d, const char *path)
{
    struct buf wanted;
    const char *text = read_text(d->mem, path);
    buf_init(&wanted, d->mem, 1 << 20);
    if (text == NULL || front_nginx(d->app, &wanted) != E_OK) {
        doctor_tell(d, ILL_NOTE, "Run this as the user of the service.", "nginx's file %s cannot be compared with the settings.", path);
        return;
    }
    if (strcmp(text, wanted.data) != 0)
        doctor_tell(d, ILL_ERROR, "Write it anew and reload nginx: coffer front nginx >FILE (restarting coffer-web does both).",
                    "nginx uses %s, which does not fit the settings: addresses, folders or body limits differ.", path);
}

void doctor_web_server(struct doctor *d)
{
    struct stat st;
    uint64_t pid = 0;
    const char *path = mem_printf(d->mem, "%s/nginx.pid", d->conf->server_run), *text = read_text(d->mem, path);
    if (text == NULL || parse_u64(mem_strn(d->mem, text, strcspn(text, "\n")), 2, INT32_MAX, &pid) != E_OK ||
        stat(mem_printf(d->mem, "/proc/%llu", (unsigned long long)pid), &st) != 0) {
        doctor_tell(d, ILL_NOTE, "Start coffer-web.", "Coffer's own nginx does not run (or the web server is another one).");
        return;
    }
    if (st.st_uid != geteuid() && st.st_uid != 0)
        doctor_tell(d, ILL_ERROR, "Run both as the same user; see nginx/README.md.",
                    "nginx runs as user %u, Coffer as %u: Coffer cannot take over what nginx stores.", st.st_uid, geteuid());
    const char *file = file_of(d->mem, (unsigned)pid);
    if (file != NULL)
        compare_file(d, file);
}

/* ---- does it work? ---- */
void doctor_stores(struct doctor *d)
{
    enum err e = app_core(d->app);
    if (e != E_OK)
        doctor_tell(d, ILL_ERROR, "Start coffer serve; its log says more.", "%s (%s)", err_title(e), err_last(e)->detail);
}

/* Where to knock: with a certificate at the public name, which has to pass; else at the first address of web.listen. */
struct knock {
    struct http_client *client;
    const char *base, *host, *cookie;
};

static bool knock_open(struct doctor *d, struct knock *k)
{
    const char *listen = d->conf->web_listen + strspn(d->conf->web_listen, " ");
    bool tls = d->conf->web_certificate[0] != '\0', outside = tls || strncmp(listen, "unix:", 5) == 0;
    const struct http_limits limits = {.connect_ms = WAIT_MS, .ca_file = tls ? d->conf->web_certificate : ""};
    *k = (struct knock){.cookie = ""};
    k->base = outside ? d->conf->origin : mem_printf(d->mem, "http://%.*s", (int)strcspn(listen, " "), listen);
    k->host = mem_printf(d->mem, "Host: %s", d->conf->hosts[0]);
    return http_client_open(d->mem, &limits, &k->client) == E_OK;
}

static void knock(struct doctor *d, const struct knock *k, const char *method, const char *path, const struct http_body *body, struct http_call *call)
{
    const char *headers[] = {k->host, k->cookie[0] != '\0' ? k->cookie : NULL, NULL};
    http_call_init(call, d->mem);
    call->method = method;
    call->url = mem_printf(d->mem, "%s%s", k->base, path);
    call->headers = headers;
    call->body = body;
    call->stall_ms = call->total_ms = WAIT_MS;
    http_run(k->client, call);
    call->headers = NULL;
}

void doctor_answers(struct doctor *d)
{
    struct knock k;
    struct http_call call;
    if (!knock_open(d, &k))
        return;
    knock(d, &k, "GET", "/healthz", NULL, &call);
    if (call.fault != HTTP_FINE)
        doctor_tell(d, ILL_ERROR, "Start coffer and coffer-web; look at site.public_url and web.listen.", "Nobody answers at %s: %s (%s).", k.base,
                    http_fault_text(call.fault), call.why);
    else if (call.status == 503)
        doctor_tell(d, ILL_ERROR, "Coffer's log says why; if it speaks of the front key, write nginx's file anew.", "Coffer answers 503 at %s: it is not ready.", k.base);
    else if (call.status != 200)
        doctor_tell(d, ILL_ERROR, "Another program may be listening there; Coffer's nginx answers 502 while coffer serve is not running.",
                    "%s/healthz answers %u.", k.base, call.status);
}

/* A sign-in of the doctor's own, as somebody whose files it may add one to. */
static enum err sign_in(struct doctor *d, struct user *user, struct session *s, const char **cookie_out)
{
    char token[TOKEN_LEN + 1];
    struct core *c = d->app->core;
    struct user *users;
    size_t n, i = 0;
    TRY(user_all(c, d->mem, "", 500, &users, &n));
    while (i < n && users[i].state != USER_ACTIVE)
        i++;
    if (i == n)
        return err_set(E_NOT_FOUND, "no active account");
    *user = users[i];
    *s = (struct session){
        .id = id_new(), .user = user->id, .kind = SESSION_BROWSER, .created_ms = clock_now_ms(c->clock), .address = "", .agent = "coffer doctor",
    };
    s->signed_in_ms = s->seen_ms = s->created_ms;
    s->expires_ms = s->created_ms + 60000;
    token_new(token);
    token_hash(token, s->token_hash);
    *cookie_out = mem_printf(d->mem, "Cookie: %s=%s", d->conf->https ? "__Host-coffer" : "coffer", token);
    return c->meta->ops->session_add(c->meta, s, (unsigned)d->conf->session_per_user);
}

static void in_and_out(struct doctor *d, const struct knock *k)
{
    static const char cure[] = "Write nginx's file anew and reload it; both must run as one user; nginx's error log says more.";
    const char *path = mem_printf(d->mem, "/api/v1/content/.coffer-doctor-%s", id_new().s);
    char *bytes = talloc_size(d->mem, LARGE_BODY);
    struct http_call put, get, gone;
    memset(bytes, 'x', LARGE_BODY);
    memcpy(bytes, path, strlen(path));
    knock(d, k, "PUT", path, &(struct http_body){.data = bytes, .fd = -1, .size = LARGE_BODY}, &put);
    if (put.fault != HTTP_FINE || put.status != 201) {
        doctor_tell(d, put.status == 507 || put.status == 413 ? ILL_WARNING : ILL_ERROR, cure, "An upload of 1 MB was answered %u (%.300s).", put.status,
                    put.fault != HTTP_FINE ? put.why : put.answer.data);
        return;
    }
    knock(d, k, "GET", path, NULL, &get);
    if (get.fault != HTTP_FINE || get.status != 200 || get.answer.len != LARGE_BODY || memcmp(get.answer.data, bytes, LARGE_BODY) != 0)
        doctor_tell(d, ILL_ERROR, cure, "A file that was uploaded came back wrong: %u, %zu bytes.", get.status, get.answer.len);
    knock(d, k, "DELETE", path, NULL, &gone);
    if (gone.fault != HTTP_FINE || gone.status != 204)
        doctor_tell(d, ILL_WARNING, "Delete it by hand.", "%s could not be deleted: %u.", path, gone.status);
}

void doctor_hand_off(struct doctor *d)
{
    struct knock k;
    struct http_call call;
    struct user user;
    struct session session;
    const char *cookie = "";
    if (d->app->core == NULL || !knock_open(d, &k))
        return; /* told already */
    knock(d, &k, "GET", "/healthz", NULL, &call);
    if (call.fault != HTTP_FINE || call.status != 200)
        return; /* told already */
    enum err e = sign_in(d, &user, &session, &cookie);
    if (e != E_OK) {
        doctor_tell(d, ILL_NOTE, "Make one with coffer user add.", "There is no account to try an upload with.");
        return;
    }
    k.cookie = cookie;
    in_and_out(d, &k);
    if (d->app->core->meta->ops->session_end(d->app->core->meta, user.id, session.id) != E_OK)
        doctor_tell(d, ILL_NOTE, "It ends by itself within a minute.", "The sign-in of this test could not be ended.");
}
