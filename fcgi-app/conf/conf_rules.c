/* The rules across rows, and what follows from the rows: one function each, in the table at the end. */
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/conf_private.h"

#ifndef COFFER_DATADIR
#define COFFER_DATADIR "/usr/local/share/coffer"
#endif

#define FRONT_KEY_MIN 16
#define NAME_CHARS    "abcdefghijklmnopqrstuvwxyz0123456789"
#define PREFIX_CHARS  NAME_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-/"

/* The rest of text when it begins so (in any case), else NULL. */
static const char *after(const char *text, const char *start)
{
    size_t len = strlen(start);
    return strncasecmp(text, start, len) == 0 ? text + len : NULL;
}

/* The next word of a list separated by blanks, on ctx; NULL at its end. */
static char *next_word(const void *ctx, const char **list)
{
    *list += strspn(*list, " ");
    size_t len = strcspn(*list, " ");
    char *word = len > 0 ? mem_strn(ctx, *list, len) : NULL;
    *list += len;
    return word;
}

static enum err rule_public_url(struct loading *l)
{
    struct conf *c = l->conf;
    const char *rest = after(c->site_public_url, "https://");
    c->https = rest != NULL;
    if (rest == NULL)
        rest = after(c->site_public_url, "http://");
    if (rest == NULL)
        return conf_refuse(c, "site.public_url", "must begin with https:// (or http://)");

    CLEANUP(free_mem) char *bare = mem_str(c, rest);
    size_t len = strlen(bare);
    if (len > 0 && bare[len - 1] == '/') /* people copy it from the browser */
        bare[len - 1] = '\0';
    const char *authority = conf_authority(c, bare, c->https ? 443 : 80);
    if (authority == NULL)
        return conf_refuse(
            c, "site.public_url",
            "must be https://HOST or https://HOST:PORT and no more (a name in other letters as xn--...)");
    if (!c->https && !conf_is_loopback(authority) && !c->site_insecure_http)
        return conf_refuse(
            c, "site.public_url",
            "is plain http elsewhere than on this machine: passwords would cross the network readable; "
            "use https, or set site.insecure_http = yes");
    c->origin = mem_printf(c, "%s://%s", c->https ? "https" : "http", authority);
    c->site_public_url = c->origin;
    c->hsts = c->https && !conf_is_loopback(authority);
    return E_OK;
}

static bool has_host(const char *const *hosts, size_t n, const char *host)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(hosts[i], host) == 0)
            return true;
    return false;
}

static enum err rule_hosts(struct loading *l)
{
    struct conf *c = l->conf;
    size_t n = 0, most = strlen(c->site_hosts) / 2 + 3; /* words, the first, NULL */
    const char **hosts = mem_array(c, const char *, most), *list = c->site_hosts;
    hosts[n++] = strstr(c->origin, "://") + 3;
    for (char *word; (word = next_word(c, &list)) != NULL; talloc_free(word)) {
        const char *host = conf_authority(c, word, c->https ? 443 : 80);
        if (host == NULL)
            return conf_refuse(c, "site.hosts", "must be host names with or without port; '%s' is none",
                               word);
        if (!has_host(hosts, n, host))
            hosts[n++] = host;
    }
    c->hosts = hosts;
    return E_OK;
}

static enum err rule_register(struct loading *l)
{
    const char *word = l->conf->site_register;
    if (strcmp(word, "open") != 0 && strcmp(word, "invite") != 0 && strcmp(word, "closed") != 0)
        return conf_refuse(l->conf, "site.register", "must be open, invite or closed, not '%s'", word);
    return E_OK;
}

static enum err rule_log_level(struct loading *l)
{
    enum log_level level;
    if (log_level_parse(l->conf->server_log_level, &level) != E_OK)
        return conf_refuse(l->conf, "server.log_level",
                           "must be debug, info, notice, warn or error, not '%s'", l->conf->server_log_level);
    return E_OK;
}

static enum err rule_metadata(struct loading *l)
{
    struct conf *c = l->conf;
    const char *path = after(c->store_metadata, "sqlite:");
    c->sqlite_path = c->mongodb_uri = "";
    if (c->store_metadata[0] == '\0')
        c->sqlite_path = mem_printf(c, "%s/coffer.db", c->data_path);
    else if (path != NULL && *path != '\0')
        c->sqlite_path = conf_path(c, l->dir, path);
    else if (after(c->store_metadata, "mongodb://") != NULL ||
             after(c->store_metadata, "mongodb+srv://") != NULL)
        c->mongodb_uri = c->store_metadata;
    else /* without its value: a URI has a password in it */
        return conf_refuse(c, "store.metadata", "must be sqlite:PATH, mongodb://... or mongodb+srv://...");
    return E_OK;
}

/* What every S3 takes as a bucket, and no host name's or path's syntax. */
static bool is_bucket(const char *name)
{
    size_t len = strlen(name);
    return len >= 3 && len <= 63 && strspn(name, NAME_CHARS ".-") == len && strspn(name, ".-") == 0 &&
           name[len - 1] != '-' && name[len - 1] != '.' && strstr(name, "..") == NULL;
}

/* Segments of plain characters: the prefix is written into addresses and the web server's file as it is. */
static bool is_prefix(const char *prefix)
{
    if (strspn(prefix, PREFIX_CHARS) != strlen(prefix))
        return false;
    for (const char *p = prefix; *p != '\0'; p += strspn(p, "/")) {
        size_t len = strcspn(p, "/");
        if (p[len] == '/' && (p[len + 1] == '/' || p[len + 1] == '\0'))
            return false;
        if (len <= 2 && strspn(p, ".") >= len) /* "", ".", ".." */
            return false;
        p += len;
    }
    return true;
}

static enum err rule_s3(struct loading *l, const char *location)
{
    struct conf *c = l->conf;
    size_t len = strcspn(location, "/");
    c->s3_bucket = mem_strn(c, location, len);
    if (!is_bucket(c->s3_bucket))
        return conf_refuse(c, "store.blobs", "has no valid bucket name: s3://BUCKET or s3://BUCKET/PREFIX");
    const char *prefix = location + len + (location[len] == '/');
    size_t prefix_len = strlen(prefix);
    if (prefix_len > 0 && prefix[prefix_len - 1] == '/')
        prefix_len--;
    c->s3_prefix = mem_strn(c, prefix, prefix_len);
    if (!is_prefix(c->s3_prefix))
        return conf_refuse(c, "store.blobs",
                           "has a prefix with other characters than letters, digits, . _ - and /");
    return E_OK;
}

/* Amazon's certificate is for one name below s3.REGION: a bucket with dots has to stand in the path. */
static enum err set_amazon(struct conf *c)
{
    bool in_host = strchr(c->s3_bucket, '.') == NULL;
    c->s3_tls = true;
    c->s3_base = in_host ? "" : mem_printf(c, "/%s", c->s3_bucket);
    c->s3_host = mem_printf(c, "%s%ss3.%s.amazonaws.com", in_host ? c->s3_bucket : "", in_host ? "." : "", c->s3_region);
    return E_OK;
}

static enum err rule_s3_place(struct loading *l)
{
    struct conf *c = l->conf;
    c->s3_host = c->s3_base = c->s3_region = "";
    if (c->s3_bucket[0] == '\0')
        return E_OK;
    c->s3_region = c->store_s3_region[0] != '\0' ? c->store_s3_region : "us-east-1";
    if (strspn(c->s3_region, NAME_CHARS "-") != strlen(c->s3_region))
        return conf_refuse(c, "store.s3_region", "must be a name like eu-central-1, not '%s'", c->s3_region);
    if (strpbrk(c->store_s3_ca, "\"\\$") != NULL) /* written between quotes into the web server's file */
        return conf_refuse(c, "store.s3_ca", "must be a path without \" \\ and $");
    if (c->store_s3_endpoint[0] == '\0')
        return set_amazon(c);

    const char *rest = after(c->store_s3_endpoint, "https://");
    c->s3_tls = rest != NULL;
    if (rest == NULL)
        rest = after(c->store_s3_endpoint, "http://");
    CLEANUP(free_mem) char *bare = mem_str(c, rest != NULL ? rest : "");
    size_t len = strlen(bare);
    if (len > 0 && bare[len - 1] == '/')
        bare[len - 1] = '\0';
    const char *authority = len > 0 ? conf_authority(c, bare, c->s3_tls ? 443 : 80) : NULL;
    if (authority == NULL)
        return conf_refuse(c, "store.s3_endpoint", "must be https://HOST or https://HOST:PORT (or http://) and no more");
    c->s3_host = authority;
    c->s3_base = mem_printf(c, "/%s", c->s3_bucket);
    return E_OK;
}

static enum err rule_blobs(struct loading *l)
{
    struct conf *c = l->conf;
    const char *path = after(c->store_blobs, "disk:"), *s3 = after(c->store_blobs, "s3://");
    c->disk_path = c->s3_bucket = c->s3_prefix = "";
    if (s3 != NULL)
        return rule_s3(l, s3);
    if (c->store_blobs[0] == '\0')
        c->disk_path = mem_printf(c, "%s/blobs", c->data_path);
    else if (path != NULL && *path != '\0')
        c->disk_path = conf_path(c, l->dir, path);
    else
        return conf_refuse(c, "store.blobs", "must be disk:PATH or s3://BUCKET/PREFIX, not '%s'",
                           c->store_blobs);
    return E_OK;
}

static enum err rule_installed(struct loading *l)
{
    struct conf *c = l->conf;
    if (c->server_templates[0] == '\0')
        c->server_templates = COFFER_DATADIR "/templates";
    if (c->server_assets[0] == '\0')
        c->server_assets = COFFER_DATADIR "/assets";
    if (c->server_nginx[0] == '\0')
        c->server_nginx = COFFER_DATADIR "/nginx";
    return E_OK;
}

static enum err rule_front_key(struct loading *l)
{
    const char *key = l->conf->server_front_key;
    size_t len = strlen(key);
    if (len > 0 && (len < FRONT_KEY_MIN || strspn(key, PREFIX_CHARS "+=") != len))
        return conf_refuse(l->conf, "server.front_key",
                           "must be at least %d letters, digits and . _ - / + =", FRONT_KEY_MIN);
    return E_OK;
}

static bool is_listen(const void *ctx, const char *word)
{
    const char *socket = after(word, "unix:"), *every = after(word, "*:");
    uint64_t port;
    if (socket != NULL)
        return *socket == '/' && strcspn(socket, ";{}\"'\\$#") == strlen(socket);
    if (every != NULL)
        return parse_u64(every, 1, 65535, &port) == E_OK;
    CLEANUP(free_mem) const char *authority = conf_authority(ctx, word, 0);
    const char *bracket = authority != NULL ? strchr(authority, ']') : NULL;
    return authority != NULL && strchr(bracket != NULL ? bracket : authority, ':') != NULL;
}

static enum err rule_listen(struct loading *l)
{
    const char *list = l->conf->web_listen;
    unsigned n = 0;
    for (char *word; (word = next_word(l->conf, &list)) != NULL; talloc_free(word), n++)
        if (!is_listen(word, word))
            return conf_refuse(l->conf, "web.listen", "must be ADDRESS:PORT or unix:/PATH; '%s' is neither",
                               word);
    return n > 0 ? E_OK : conf_refuse(l->conf, "web.listen", "must name at least one ADDRESS:PORT");
}

static enum err rule_proxies(struct loading *l)
{
    const char *list = l->conf->web_trusted_proxies;
    for (char *word; (word = next_word(l->conf, &list)) != NULL; talloc_free(word))
        if (strcmp(word, "unix:") != 0 && !conf_is_network(word))
            return conf_refuse(l->conf, "web.trusted_proxies",
                               "must be addresses, networks like 10.0.0.0/8, or unix:; "
                               "'%s' is none",
                               word);
    return E_OK;
}

static enum err rule_certificate(struct loading *l)
{
    const struct conf *c = l->conf;
    /* both are written between quotes into the web server's file */
    if (strpbrk(c->web_certificate, "\"\\$") != NULL)
        return conf_refuse(c, "web.certificate", "must be a path without \" \\ and $");
    if (strpbrk(c->web_certificate_key, "\"\\$") != NULL)
        return conf_refuse(c, "web.certificate_key", "must be a path without \" \\ and $");
    if (c->web_certificate[0] != '\0' && c->web_certificate_key[0] == '\0')
        return conf_refuse(c, "web.certificate", "needs web.certificate_key beside it");
    if (c->web_certificate[0] == '\0' && c->web_certificate_key[0] != '\0')
        return conf_refuse(c, "web.certificate_key", "needs web.certificate beside it");
    return E_OK;
}

static enum err rule_session(struct loading *l)
{
    if (l->conf->session_idle > l->conf->session_max)
        return conf_refuse(l->conf, "session.idle", "is longer than session.max");
    return E_OK;
}

/* In this order: a rule may use what the ones before it worked out. */
static enum err (*const rules[])(struct loading *) = {
    rule_public_url, rule_hosts,     rule_register, rule_log_level, rule_metadata,    rule_blobs, rule_s3_place,
    rule_installed,  rule_front_key, rule_listen,   rule_proxies,   rule_certificate, rule_session,
};

enum err conf_rules(struct loading *l)
{
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        TRY(rules[i](l));
    return E_OK;
}
