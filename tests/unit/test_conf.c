#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/conf.h"

#define URL  "[site]\npublic_url = https://files.example.org\n"
#define HTTP "[site]\npublic_url = "

/* A folder with the file coffer.conf for each test; the environment has no COFFER_* but what the test sets.
 */
static char folder[] = "/tmp/test_conf.XXXXXX", file[64], value_file[64];
static void *ctx;
static const struct conf *conf;

/* What other programs on this machine are told must not decide. */
static void forget_usual_names(void)
{
    static const char *const names[] = {"MONGODB_URI", "S3_BUCKET", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL",
                                        "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

static int make_folder(void **state)
{
    (void)state;
    forget_usual_names();
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(file, sizeof file, "%s/coffer.conf", folder);
    snprintf(value_file, sizeof value_file, "%s/value", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    unlink(file);
    unlink(value_file);
    return rmdir(folder);
}

/* No variable that conf_load may read. */
static void clear_environment(void)
{
    char name[256];
    for (char **entry = environ; *entry != NULL;) {
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*entry, "="), *entry);
        if (strncmp(name, "COFFER_", 7) == 0 || strcmp(name, "MONGODB_URI") == 0 ||
            strcmp(name, "S3_BUCKET") == 0) {
            assert_int_equal(unsetenv(name), 0);
            entry = environ; /* it has moved */
        } else {
            entry++;
        }
    }
}

static int begin(void **state)
{
    (void)state;
    clear_environment();
    ctx = talloc_new(NULL);
    conf = NULL;
    return 0;
}

static int end(void **state)
{
    (void)state;
    talloc_free(ctx);
    return 0;
}

static void write_bytes(const char *path, const char *bytes, size_t len)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
}

static enum err load(const char *text)
{
    write_bytes(file, text, strlen(text));
    return conf_load(ctx, file, &conf);
}

static const struct conf_row *row_of(const char *section, const char *key)
{
    for (size_t i = 0; i < conf_rows_n; i++)
        if (strcmp(conf_rows[i].section, section) == 0 && strcmp(conf_rows[i].key, key) == 0)
            return &conf_rows[i];
    fail_msg("no row %s.%s", section, key);
    return NULL;
}

/* ---- the file ---- */

/* What is wrong, and a piece of the words for it; NULL: nothing is. */
static const struct {
    const char *text, *says;
} files[] = {
    {URL, NULL},
    {"\xef\xbb\xbf" URL, NULL},
    {"# a comment\n; another\n\n" URL "   \n  title =  My files  \n", NULL},
    {"[site]\r\npublic_url = https://files.example.org\r\n", NULL},
    {"[site]\npublic_url: https://files.example.org", NULL},
    {"", "site.public_url is required"},
    {"[site]\n", "site.public_url is required"},
    {URL "titel = x\n", "coffer.conf:3: there is no setting site.titel, did you mean site.title?"},
    {URL "Title = x\n", "coffer.conf:3: there is no setting site.Title, did you mean site.title?"},
    {URL "insecure-http = no\n",
     ":3: there is no setting site.insecure-http, did you mean site.insecure_http?"},
    {URL "[sever]\nrun = /x\n", ":4: there is no setting sever.run, did you mean server.run?"},
    {URL "metadata = sqlite:x\n", ":3: there is no setting site.metadata, did you mean store.metadata?"},
    {URL "quux = x\n", ":3: there is no setting site.quux"},
    {"public_url = https://x\n", ":1: 'public_url' stands before the first [section]"},
    {URL "title = a\n\ntitle = b\n", ":5: site.title is set a second time, first in "},
    {URL "[site]\ntitle = a\n[pool]\napi = 2\n[site]\ntitle = b\n", ":8: site.title is set a second time"},
    {URL "no separator\n", ":3: neither [section], nor key = value, nor a comment"},
    {URL "[site\ntitle = x\n", ":3: neither [section]"},
    {URL "[pool] api = 2\n", ":3: nothing may follow [section]"},
    {URL "= x\n", ":3: there is no setting site."},
    {URL "title = a\xff\n", ":3: the line is not text in UTF-8"},
    {URL "title = a\x01\n", ":3: site.title must be UTF-8 without control characters"},
    {URL "title =\n", ":3: site.title must be 1 to 64 bytes long"},
    {URL "register = ajar\n", ":3: site.register must be open, invite or closed, not 'ajar'"},
    {URL "register = open ; for now\n", ":3: site.register must be"},
    {URL "insecure_http = perhaps\n", ":3: site.insecure_http must be yes or no, not 'perhaps'"},
    {URL "[pool]\napi = many\n", ":4: pool.api must be a whole number, not 'many'"},
    {URL "[pool]\napi = 4K\n", ":4: pool.api must be a whole number, not '4K'"},
    {URL "[pool]\napi = 0\n", ":4: pool.api must be from 1 to 512, not '0'"},
    {URL "[pool]\napi = 513\n", ":4: pool.api must be from 1 to 512, not '513'"},
    {URL "[limits]\nupload = 5X\n", ":4: limits.upload must be a number of bytes"},
    {URL "[limits]\nupload = -1\n", ":4: limits.upload must be from 0"},
    {URL "[limits]\nupload = 9999999T\n", ":4: limits.upload must be a number of bytes"},
    {URL "[limits]\nsmall_body = 2M\n", ":4: limits.small_body must be from 0 to 1M, not '2M'"},
    {URL "[store]\nbusy_timeout = 61s\n", ":4: store.busy_timeout must be from 10ms to 1m, not '61s'"},
    {URL "[store]\nbusy_timeout = 1 s\n", ":4: store.busy_timeout must be a number of seconds"},
    {URL "[session]\nidle = 91d\n", ":4: session.idle is longer than session.max"},
    {URL "[server]\nlog_level = loud\n", ":4: server.log_level must be debug"},
    {URL "[server]\nfront_key = short\n", ":4: server.front_key must be at least 16"},
    {URL "[server]\nfront_key = 0123456789abcdef\"\n", ":4: server.front_key must be"},
    {URL "[web]\ncertificate = a.pem\n", ":4: web.certificate needs web.certificate_key"},
    {URL "[web]\ncertificate = a\".pem\ncertificate_key = k\n", ":4: web.certificate must be a path without"},
    {URL "[web]\ncertificate = c\ncertificate_key = $k\n", ":5: web.certificate_key must be a path without"},
    {URL "[web]\ncertificate_key = a.pem\n", ":4: web.certificate_key needs web.certificate"},
    {URL "[web]\nlisten = 8443\n", ":4: web.listen must be ADDRESS:PORT"},
    {URL "[web]\nlisten = *:8443 [::]:8443 0.0.0.0:80 unix:/run/x.sock localhost:1\n", NULL},
    {URL "[web]\nlisten = 127.0.0.1:0\n", ":4: web.listen"},
    {URL "[web]\nlisten = 127.0.0.1:80;\n", ":4: web.listen"},
    {URL "[web]\nlisten = unix:x.sock\n", ":4: web.listen"},
    {URL "[web]\nlisten = unix:/x;}\n", ":4: web.listen"},
    {URL "[web]\ntrusted_proxies = 10.0.0.0/8 2001:db8::/32 192.0.2.1 unix:\n", NULL},
    {URL "[web]\ntrusted_proxies = proxy.example.org\n", ":4: web.trusted_proxies must be addresses"},
    {URL "[web]\ntrusted_proxies = 10.0.0.0/33\n", ":4: web.trusted_proxies"},
    {URL "[web]\ntrusted_proxies = 10.0.0.0/\n", ":4: web.trusted_proxies"},
    {URL "[store]\nmetadata = mysql://x\n", ":4: store.metadata must be sqlite:PATH"},
    {URL "[store]\nmetadata = sqlite:\n", ":4: store.metadata must be sqlite:PATH"},
    {URL "[store]\nblobs = ftp://x\n", ":4: store.blobs must be disk:PATH"},
    {URL "[store]\nblobs = disk:\n", ":4: store.blobs must be disk:PATH"},
    {URL "[store]\nblobs = s3://\n", ":4: store.blobs has no valid bucket"},
    {URL "[store]\nblobs = s3://Big_Bucket\n", ":4: store.blobs has no valid bucket"},
    {URL "[store]\nblobs = s3://a..b\n", ":4: store.blobs has no valid bucket"},
    {URL "[store]\nblobs = s3://bucket/a b\n", ":4: store.blobs has a prefix"},
    {URL "[store]\nblobs = s3://bucket/a/../b\n", ":4: store.blobs has a prefix"},
    {URL "[store]\nblobs = s3://bucket\ns3_region = eu central\n", ":5: store.s3_region must be a name"},
    {URL "[store]\nblobs = s3://bucket\ns3_endpoint = s3.example.org\n", ":5: store.s3_endpoint must be https://HOST"},
    {URL "[store]\nblobs = s3://bucket\ns3_endpoint = https://s3.example.org/path\n", ":5: store.s3_endpoint must be https://HOST"},
    {URL "[store]\nblobs = s3://bucket\ns3_endpoint = https://\n", ":5: store.s3_endpoint must be https://HOST"},
    {URL "[store]\nblobs = s3://bucket\ns3_ca = /a$b\n", ":5: store.s3_ca must be a path without"},
    {URL "[store]\nblobs = s3://bucket//a\n", ":4: store.blobs has a prefix"},
    {URL "[store]\nblobs = s3://bucket/a//\n", ":4: store.blobs has a prefix"},
    {HTTP "files.example.org\n", ":2: site.public_url must begin with https://"},
    {HTTP "ftp://files.example.org\n", ":2: site.public_url must begin with https://"},
    {HTTP "https://\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://a/b\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://a//\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://a?b\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://a#b\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://me@a\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://a:0\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://a:65536\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://a:\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://a b\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://-a\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://a..b\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://a.\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://1.2.3\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://1.2.3.256\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://b\xc3\xbc.example\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://[::g]\n", ":2: site.public_url must be https://HOST"},
    {HTTP "https://[::1\n", ":2: site.public_url must be https://HOST"},
    {HTTP "http://files.example.org\n", ":2: site.public_url is plain http"},
    {HTTP "http://128.0.0.1\n", ":2: site.public_url is plain http"},
    {HTTP "http://localhost.example.org\n", ":2: site.public_url is plain http"},
    {HTTP "http://files.example.org\ninsecure_http = yes\n", NULL},
    {URL "hosts = a.example b_c:8080 [::1]:9\n", NULL},
    {URL "hosts = a.example /x\n", ":3: site.hosts must be host names with or without port; '/x' is none"},
};

static void what_is_wrong_is_said_with_file_and_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        enum err got = load(files[i].text);
        if (got != (files[i].says == NULL ? E_OK : E_CONF))
            fail_msg("row %zu: %s %s", i, err_name(got), err_last(got)->detail);
        if (files[i].says == NULL)
            continue;
        const char *detail = err_last(E_CONF)->detail;
        if (strstr(detail, files[i].says) == NULL || strncmp(detail, file, strlen(file)) != 0)
            fail_msg("row %zu: %s", i, detail);
    }
}

static void nothing_of_a_failed_configuration_stays(void **state)
{
    (void)state;
    assert_int_equal(load(URL "title = a\nregister = ajar\n"), E_CONF);
    assert_int_equal(talloc_total_blocks(ctx), 1);
    assert_null(conf);
}

static void no_suggestion_where_nothing_is_near(void **state)
{
    (void)state;
    assert_int_equal(load(URL "quux = x\n"), E_CONF);
    assert_null(strstr(err_last(E_CONF)->detail, "did you mean"));
}

/* inih as Debian builds it splits lines at 200 bytes. */
static void long_lines_are_whole_or_refused(void **state)
{
    char text[9000], uri[4096];
    (void)state;
    memset(uri, 'x', sizeof uri);
    memcpy(uri, "mongodb://", 10);
    uri[sizeof uri - 1] = '\0';
    snprintf(text, sizeof text, URL "[store]\nmetadata = %s\nbusy_timeout = 1s\n", uri);
    assert_int_equal(load(text), E_OK);
    assert_string_equal(conf->mongodb_uri, uri);
    assert_int_equal(conf->store_busy_timeout, 1000);

    memcpy(text, URL "# ", strlen(URL) + 2);
    memset(text + strlen(URL) + 2, '-', 8500);
    memcpy(text + strlen(URL) + 8500, "\n\0", 2);
    assert_int_equal(load(text), E_CONF);
    assert_non_null(strstr(err_last(E_CONF)->detail, ":3: the line is too long"));
}

static void a_nul_is_refused(void **state)
{
    static const char text[] = URL "title = a\0b\n";
    (void)state;
    write_bytes(file, text, sizeof text - 1);
    assert_int_equal(conf_load(ctx, file, &conf), E_CONF);
    assert_non_null(strstr(err_last(E_CONF)->detail, ":3: the line is not text"));
}

static void values_are_the_rest_of_the_line(void **state)
{
    (void)state;
    assert_int_equal(load(URL "title = a ; b # c = d: e\n"), E_OK);
    assert_string_equal(conf->site_title, "a ; b # c = d: e");
}

static void the_file_must_be_readable(void **state)
{
    (void)state;
    assert_int_equal(conf_load(ctx, "/nonexistent/coffer.conf", &conf), E_CONF);
    assert_string_equal(err_last(E_CONF)->detail, "/nonexistent/coffer.conf: No such file or directory");
    assert_int_equal(conf_load(ctx, folder, &conf), E_CONF);
    assert_non_null(strstr(err_last(E_CONF)->detail, "cannot be read"));
}

/* ---- kinds ---- */

static const struct {
    const char *section, *key, *text, *shown;
    int64_t want;
} numbers[] = {
    {"limits", "upload", "0", "0", 0},
    {"limits", "upload", "1000", "1000", 1000},
    {"limits", "upload", "2K", "2K", 2048},
    {"limits", "upload", "3M", "3M", 3 << 20},
    {"limits", "upload", "4G", "4096M", 4LL << 30},
    {"limits", "upload", "5T", "5242880M", 5LL << 40},
    {"limits", "upload", "1536K", "1536K", 1536 << 10},
    {"limits", "upload", "9223372036854775807", "9223372036854775807", INT64_MAX},
    {"gc", "grace", "0", "0", 0},
    {"gc", "grace", "7", "7s", 7000},
    {"gc", "grace", "7ms", "7ms", 7},
    {"gc", "grace", "7s", "7s", 7000},
    {"gc", "grace", "90m", "90m", 5400000},
    {"gc", "grace", "2h", "2h", 7200000},
    {"gc", "grace", "24h", "1d", 86400000},
    {"gc", "grace", "14d", "14d", 1209600000},
    {"pool", "retire", "12", "12", 12},
};

static void numbers_have_units(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct conf_row *row = row_of(numbers[i].section, numbers[i].key);
        char text[256];
        snprintf(text, sizeof text, URL "[%s]\n%s = %s\n", row->section, row->key, numbers[i].text);
        if (load(text) != E_OK)
            fail_msg("row %zu: %s", i, err_last(E_CONF)->detail);
        int64_t got = *(const int64_t *)((const char *)conf + row->offset);
        if (got != numbers[i].want || strcmp(conf_text(ctx, conf, row), numbers[i].shown) != 0)
            fail_msg("row %zu: %lld, %s", i, (long long)got, conf_text(ctx, conf, row));
    }
}

static void yes_and_no(void **state)
{
    static const char *const words[] = {"no", "yes", "false", "TRUE", "Off", "on", "0", "1"};
    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[256];
        snprintf(text, sizeof text, URL "insecure_http = %s\n", words[i]);
        if (load(text) != E_OK || conf->site_insecure_http != (i % 2 == 1))
            fail_msg("row %zu", i);
        assert_string_equal(conf_text(ctx, conf, row_of("site", "insecure_http")), i % 2 == 1 ? "yes" : "no");
    }
}

/* Relative paths begin at the file's folder; ~ stands for it here. */
static const struct {
    const char *text, *want;
} paths[] = {
    {"/var/lib/x", "/var/lib/x"},
    {"/var/lib/x//", "/var/lib/x"},
    {"/", "/"},
    {"data", "~/data"},
    {"./data/", "~/data"},
    {".//data", "~/data"},
    {"../data", "~/../data"},
    {".", "~"},
    {"./", "~"},
};

static void relative_paths_begin_at_the_file(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        char text[256], want[256];
        snprintf(text, sizeof text, URL "[data]\npath = %s\n[store]\nmetadata = sqlite:%s\nblobs = disk:%s\n",
                 paths[i].text, paths[i].text, paths[i].text);
        snprintf(want, sizeof want, "%s%s", paths[i].want[0] == '~' ? folder : "",
                 paths[i].want + (paths[i].want[0] == '~'));
        if (load(text) != E_OK || strcmp(conf->data_path, want) != 0 ||
            strcmp(conf->sqlite_path, want) != 0 || strcmp(conf->disk_path, want) != 0)
            fail_msg("row %zu: %s", i, conf != NULL ? conf->data_path : err_last(E_CONF)->detail);
    }
}

static void the_length_of_a_path_counts_when_it_is_whole(void **state)
{
    char text[256];
    (void)state;
    snprintf(text, sizeof text, URL "[server]\nrun = %080d\n",
             7); /* short enough alone, not below the folder */
    assert_int_equal(load(text), E_CONF);
    assert_non_null(strstr(err_last(E_CONF)->detail, "server.run must be 1 to 90 bytes long"));
}

/* ---- defaults, and what follows from the rows ---- */

static void defaults_are_those_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(load(URL), E_OK);
    assert_string_equal(conf->file, file);
    assert_string_equal(conf->site_register, "closed");
    assert_string_equal(conf->data_path, "/var/lib/coffer");
    assert_string_equal(conf->sqlite_path, "/var/lib/coffer/coffer.db");
    assert_string_equal(conf->disk_path, "/var/lib/coffer/blobs");
    assert_string_equal(conf->mongodb_uri, "");
    assert_string_equal(conf->s3_bucket, "");
    assert_string_equal(conf->s3_prefix, "");
    assert_true(conf->data_reserve == 1 << 30);
    assert_true(conf->session_idle == 14 * 86400000LL);
    assert_int_equal(conf->pool_api, 16);
    assert_true(conf->https);
    assert_non_null(strstr(conf->server_templates, "/templates"));
    assert_non_null(strstr(conf->server_assets, "/assets"));
    for (size_t i = 0; i < conf_rows_n; i++)
        if (strcmp(conf_rows[i].key, "public_url") != 0)
            assert_int_equal(conf_source_of(conf, &conf_rows[i]), CONF_DEFAULT);
    assert_int_equal(conf_source_of(conf, row_of("site", "public_url")), CONF_FILE);
}

/* A row whose shown value is given back gives the same value. */
static void shown_values_read_as_themselves(void **state)
{
    (void)state;
    assert_int_equal(load(URL), E_OK);
    char *text = mem_str(ctx, "");
    for (size_t i = 0; i < conf_rows_n; i++) {
        const char *value = conf_text(ctx, conf, &conf_rows[i]);
        if (*value != '\0')
            text = mem_printf(ctx, "%s[%s]\n%s = %s\n", text, conf_rows[i].section, conf_rows[i].key, value);
    }
    const struct conf *before = conf;
    if (load(text) != E_OK)
        fail_msg("%s", err_last(E_CONF)->detail);
    for (size_t i = 0; i < conf_rows_n; i++)
        assert_string_equal(conf_text(ctx, conf, &conf_rows[i]), conf_text(ctx, before, &conf_rows[i]));
}

static const struct {
    const char *url, *origin;
    bool https;
} urls[] = {
    {"https://files.example.org", "https://files.example.org", true},
    {"HTTPS://Files.Example.ORG/", "https://files.example.org", true},
    {"https://files.example.org:443", "https://files.example.org", true},
    {"https://files.example.org:8443", "https://files.example.org:8443", true},
    {"https://files.example.org:80", "https://files.example.org:80", true},
    {"https://192.0.2.7:8443", "https://192.0.2.7:8443", true},
    {"https://[2001:DB8:0:0::1]:8443", "https://[2001:db8::1]:8443", true},
    {"https://xn--bcher-kva.example", "https://xn--bcher-kva.example", true},
    {"https://1and1.example", "https://1and1.example", true},
    {"https://host", "https://host", true},
    {"http://localhost:80", "http://localhost", false},
    {"http://localhost:443", "http://localhost:443", false},
    {"http://127.8.9.1:8080", "http://127.8.9.1:8080", false},
    {"http://[::1]:8080/", "http://[::1]:8080", false},
};

static void the_origin_is_as_browsers_write_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        char text[256];
        snprintf(text, sizeof text, HTTP "%s\n", urls[i].url);
        if (load(text) != E_OK)
            fail_msg("row %zu: %s", i, err_last(E_CONF)->detail);
        if (strcmp(conf->origin, urls[i].origin) != 0 || conf->https != urls[i].https)
            fail_msg("row %zu: %s", i, conf->origin);
        assert_string_equal(conf->site_public_url, conf->origin);
        assert_string_equal(conf->hosts[0], strstr(conf->origin, "//") + 2);
        assert_null(conf->hosts[1]);
    }
}

static void browsers_are_told_to_insist_on_https_where_it_lasts(void **state)
{
    static const struct {
        const char *url;
        bool hsts;
    } rows[] = {
        {"https://files.example.org", true}, {"https://files.example.org:8443", true},
        {"https://localhost:8443", false},   {"https://127.0.0.1", false},
        {"https://[::1]:8443", false},       {"http://localhost", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        snprintf(text, sizeof text, HTTP "%s\n", rows[i].url);
        if (load(text) != E_OK || conf->hsts != rows[i].hsts)
            fail_msg("row %zu", i);
    }
}

static void hosts_are_listed_once(void **state)
{
    static const char *const want[] = {"files.example.org", "a.example", "b.example:8443", "[::1]:8443",
                                       NULL};
    (void)state;
    assert_int_equal(
        load(URL "hosts =  A.example:443 b.example:8443  a.example FILES.example.org [::1]:8443 \n"), E_OK);
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        if (want[i] == NULL)
            assert_null(conf->hosts[i]);
        else
            assert_string_equal(conf->hosts[i], want[i]);
    }
}

static const struct {
    const char *metadata, *blobs, *sqlite, *mongodb, *disk, *bucket, *prefix;
} stores[] = {
    {"sqlite:/a/b.db", "disk:/c", "/a/b.db", "", "/c", "", ""},
    {"mongodb://u:p@h/db", "s3://bucket", "", "mongodb://u:p@h/db", "", "bucket", ""},
    {"mongodb+srv://h/db", "s3://my.bucket-1/", "", "mongodb+srv://h/db", "", "my.bucket-1", ""},
    {"sqlite:/a", "s3://bucket/a/b/", "/a", "", "", "bucket", "a/b"},
    {"sqlite:/a", "s3://bucket/.hidden/...", "/a", "", "", "bucket", ".hidden/..."},
};

static void stores_are_taken_apart(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
        char text[256];
        snprintf(text, sizeof text, URL "[store]\nmetadata = %s\nblobs = %s\n", stores[i].metadata,
                 stores[i].blobs);
        if (load(text) != E_OK)
            fail_msg("row %zu: %s", i, err_last(E_CONF)->detail);
        if (strcmp(conf->sqlite_path, stores[i].sqlite) != 0 ||
            strcmp(conf->mongodb_uri, stores[i].mongodb) != 0)
            fail_msg("row %zu: '%s', '%s'", i, conf->sqlite_path, conf->mongodb_uri);
        if (strcmp(conf->disk_path, stores[i].disk) != 0 || strcmp(conf->s3_bucket, stores[i].bucket) != 0 ||
            strcmp(conf->s3_prefix, stores[i].prefix) != 0)
            fail_msg("row %zu: '%s', '%s', '%s'", i, conf->disk_path, conf->s3_bucket, conf->s3_prefix);
    }
}

/* ---- the environment ---- */

static void the_environment_wins_over_the_file(void **state)
{
    (void)state;
    setenv("COFFER_SITE_TITLE", "From outside", 1);
    setenv("COFFER_POOL_API", "3", 1);
    assert_int_equal(load(URL "title = From the file\n"), E_OK);
    assert_string_equal(conf->site_title, "From outside");
    assert_int_equal(conf->pool_api, 3);
    assert_int_equal(conf_source_of(conf, row_of("site", "title")), CONF_ENVIRONMENT);
    assert_int_equal(conf_source_of(conf, row_of("site", "public_url")), CONF_FILE);
}

static void the_environment_alone_is_enough(void **state)
{
    (void)state;
    setenv("COFFER_SITE_PUBLIC_URL", "https://files.example.org", 1);
    setenv("COFFER_DATA_PATH", "here/data", 1);
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(conf_load(ctx, NULL, &conf), E_OK);
    assert_string_equal(conf->file, "");
    assert_string_equal(conf->data_path, mem_printf(ctx, "%s/here/data", folder));
    assert_int_equal(chdir("/"), 0);
}

static void the_file_may_come_from_the_environment(void **state)
{
    (void)state;
    write_bytes(file, URL, strlen(URL));
    setenv("COFFER_CONFIG", file, 1);
    assert_int_equal(conf_load(ctx, NULL, &conf), E_OK);
    assert_string_equal(conf->file, file);
    setenv("COFFER_CONFIG", "/nonexistent", 1);
    assert_int_equal(conf_load(ctx, NULL, &conf), E_CONF);
    assert_int_equal(conf_load(ctx, file, &conf), E_OK); /* the argument comes first */
    assert_int_equal(chdir(folder), 0);
    setenv("COFFER_CONFIG", "./coffer.conf", 1);
    assert_int_equal(conf_load(ctx, NULL, &conf), E_OK);
    assert_string_equal(conf->file, file);
    assert_int_equal(chdir("/"), 0);
}

static void a_value_may_be_the_first_line_of_a_file(void **state)
{
    (void)state;
    write_bytes(value_file, "mongodb://u:p@h/db\r\nmore\n", 26);
    setenv("COFFER_STORE_METADATA_FILE", value_file, 1);
    assert_int_equal(load(URL), E_OK);
    assert_string_equal(conf->mongodb_uri, "mongodb://u:p@h/db");
    assert_int_equal(conf_source_of(conf, row_of("store", "metadata")), CONF_ENVIRONMENT);

    write_bytes(value_file, "", 0);
    assert_int_equal(load(URL), E_OK);
    assert_string_equal(conf->mongodb_uri, "");

    char long_line[9000];
    memset(long_line, 'x', sizeof long_line);
    write_bytes(value_file, long_line, sizeof long_line);
    assert_int_equal(load(URL), E_CONF);
    assert_non_null(strstr(err_last(E_CONF)->detail, "too long"));

    setenv("COFFER_STORE_METADATA_FILE", "/nonexistent", 1);
    assert_int_equal(load(URL), E_CONF);
    assert_string_equal(err_last(E_CONF)->detail,
                        "COFFER_STORE_METADATA_FILE: /nonexistent: No such file or directory");
}

static const struct {
    const char *set[4]; /* name, value, ... */
    const char *says;   /* NULL: nothing is wrong */
} environments[] = {
    {{"COFFER_SITE_TITLE", "a", "COFFER_SITE_TITLE_FILE", "/x"},
     "COFFER_SITE_TITLE and COFFER_SITE_TITLE_FILE are both set"},
    {{"COFFER_SITE_TITEL", "a"},
     "COFFER_SITE_TITEL sets nothing: there is no setting site.titel, did you mean site.title?"},
    {{"COFFER_SITE_TITEL_FILE", "/x"}, "COFFER_SITE_TITEL_FILE sets nothing"},
    {{"COFFER_STORE_URI", "a"}, "COFFER_STORE_URI sets nothing"},
    {{"COFFER_SITE_title", "a"}, "COFFER_SITE_title sets nothing"},
    {{"COFFER_SITE_TITLE_FILE_FILE", "/x"}, "COFFER_SITE_TITLE_FILE_FILE sets nothing"},
    {{"COFFER_POOL_API", "many"}, "COFFER_POOL_API: pool.api must be a whole number"},
    {{"COFFER_SITE_REGISTER", "ajar"}, "COFFER_SITE_REGISTER: site.register must be open"},
    {{"COFFER_SITE_TITLE", "a\nb"}, "COFFER_SITE_TITLE: site.title must be UTF-8 without control characters"},
    {{"COFFER_SITE_TITLE", ""}, "COFFER_SITE_TITLE: site.title must be 1 to 64"},
    {{"COFFER_FIRST_PASSWORD", "x", "COFFER_TEST_MONGODB_URI", "y"}, NULL},
    {{"COFFER_SOMETHING_ELSE", "x", "OTHER_SITE_TITEL", "y"}, NULL},
    {{"COFFER_SITE", "x"}, NULL},
};

static void wrong_variables_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof environments / sizeof *environments; i++) {
        clear_environment();
        for (size_t v = 0; v < 4 && environments[i].set[v] != NULL; v += 2)
            setenv(environments[i].set[v], environments[i].set[v + 1], 1);
        enum err got = load(URL);
        if (got != (environments[i].says == NULL ? E_OK : E_CONF))
            fail_msg("row %zu: %s", i, err_name(got));
        if (environments[i].says != NULL && strstr(err_last(E_CONF)->detail, environments[i].says) == NULL)
            fail_msg("row %zu: %s", i, err_last(E_CONF)->detail);
    }
}

static const struct {
    const char *blobs, *endpoint, *region, *host, *base, *real_region;
    bool tls;
} places[] = {
    {"s3://bucket", "", "", "bucket.s3.us-east-1.amazonaws.com", "", "us-east-1", true},
    {"s3://bucket/a", "", "eu-central-1", "bucket.s3.eu-central-1.amazonaws.com", "", "eu-central-1", true},
    {"s3://my.bucket", "", "eu-central-1", "s3.eu-central-1.amazonaws.com", "/my.bucket", "eu-central-1", true},
    {"s3://bucket", "https://S3.example.org/", "", "s3.example.org", "/bucket", "us-east-1", true},
    {"s3://bucket", "https://s3.example.org:443", "", "s3.example.org", "/bucket", "us-east-1", true},
    {"s3://bucket", "http://127.0.0.1:9000", "x-1", "127.0.0.1:9000", "/bucket", "x-1", false},
    {"disk:/c", "http://127.0.0.1:9000", "x-1", "", "", "", false},
};

static void s3_is_asked_at_the_right_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char text[512];
        snprintf(text, sizeof text, URL "[store]\nblobs = %s\ns3_endpoint = %s\ns3_region = %s\n", places[i].blobs, places[i].endpoint,
                 places[i].region);
        if (load(text) != E_OK)
            fail_msg("row %zu: %s", i, err_last(E_CONF)->detail);
        if (strcmp(conf->s3_host, places[i].host) != 0 || strcmp(conf->s3_base, places[i].base) != 0 ||
            strcmp(conf->s3_region, places[i].real_region) != 0 || conf->s3_tls != places[i].tls)
            fail_msg("row %zu: '%s' '%s' '%s'", i, conf->s3_host, conf->s3_base, conf->s3_region);
    }
}

static void usual_names_fill_what_is_empty(void **state)
{
    (void)state;
    setenv("MONGODB_URI", "mongodb://usual/db", 1);
    setenv("S3_BUCKET", "usual", 1);
    setenv("AWS_REGION", "eu-north-1", 1);
    setenv("AWS_ENDPOINT_URL", "http://localhost:1", 1);
    setenv("AWS_CA_BUNDLE", "/ca.pem", 1);
    assert_int_equal(load(URL), E_OK);
    assert_string_equal(conf->s3_region, "eu-north-1");
    assert_string_equal(conf->s3_host, "localhost:1");
    assert_string_equal(conf->store_s3_ca, "/ca.pem");
    unsetenv("AWS_ENDPOINT_URL");
    unsetenv("AWS_CA_BUNDLE");
    unsetenv("AWS_REGION");
    assert_string_equal(conf->mongodb_uri, "mongodb://usual/db");
    assert_string_equal(conf->s3_bucket, "usual");
    assert_int_equal(conf_source_of(conf, row_of("store", "blobs")), CONF_ENVIRONMENT);

    assert_int_equal(load(URL "[store]\nmetadata = sqlite:/x\nblobs = disk:/y\n"), E_OK);
    assert_string_equal(conf->mongodb_uri, "");
    assert_string_equal(conf->s3_bucket, "");

    setenv("MONGODB_URI", "", 1);
    setenv("S3_BUCKET", "", 1);
    assert_int_equal(load(URL), E_OK);
    assert_string_equal(conf->mongodb_uri, "");

    setenv("S3_BUCKET", "No Bucket", 1);
    assert_int_equal(load(URL), E_CONF);
    assert_non_null(strstr(err_last(E_CONF)->detail, "S3_BUCKET: store.blobs has no valid bucket"));
}

static void errors_do_not_show_secrets(void **state)
{
    (void)state;
    setenv("COFFER_STORE_METADATA", "mongo://user:hunter2@host", 1);
    assert_int_equal(load(URL), E_CONF);
    assert_null(strstr(err_last(E_CONF)->detail, "hunter2"));
    clear_environment();
    assert_int_equal(load(URL "[server]\nfront_key = hunter2 hunter2 hunter2\n"), E_CONF);
    assert_null(strstr(err_last(E_CONF)->detail, "hunter2"));
}

/* ---- into the web server's file ---- */

#define TITLE(title) URL "title = " title "\n"

static const struct {
    const char *conf, *text, *want; /* NULL: E_CONF */
    const char *names;              /* in the error */
} expansions[] = {
    {URL, "", "", ""},
    {URL, "a @pool.api@ b", "a 16 b", ""},
    {URL, "@pool.api@@pool.login@", "160", ""},
    {URL, "root \"@data.path@/x\";", "root \"/var/lib/coffer/x\";", ""},
    {URL, "size @limits.chunked@;", "size 10240M;", ""},
    {URL, "@key@ '@key@' \"@key@\"", "0123abcd '0123abcd' \"0123abcd\"", ""},
    {URL, "@listen@# @key@", "listen 1;\nlisten \"2\";\n# 0123abcd", ""},
    {URL, "error_page 507 @full; location @full { me@example.org",
     "error_page 507 @full; location @full { me@example.org", ""},
    {URL, "@", "@", ""},
    {URL, "@@", "@@", ""},
    {URL, "@Pool.api@", "@Pool.api@", ""},
    {URL, "@pool.apx@", NULL, "@pool.apx@"},
    {URL, "@unknown@", NULL, "@unknown@"},
    {URL, "'@listen@'", NULL, "listen"}, /* quotes hold no newline, whosever it is */
    {URL, "x \"@dollar@\"", NULL, "dollar"},
    {URL, "x @dollar@", "x $a", ""},
    {TITLE("a b"), "t @site.title@;", "t a b;", ""},
    {TITLE("it's"), "t \"@site.title@\";", "t \"it's\";", ""},
    {TITLE("it's"), "t '@site.title@';", NULL, "site.title"},
    {TITLE("it's"), "t @site.title@;", NULL, "site.title"},
    {TITLE("say \"hi\""), "t \"@site.title@\";", NULL, "site.title"},
    {TITLE("say \"hi\""), "t '@site.title@';", "t 'say \"hi\"';", ""},
    {TITLE("$host"), "t \"@site.title@\";", NULL, "site.title"},
    {TITLE("$host"), "t @site.title@;", NULL, "site.title"},
    {TITLE("a\\"), "t \"@site.title@\";", NULL, "site.title"},
    {TITLE("a;b"), "t \"@site.title@\";", "t \"a;b\";", ""},
    {TITLE("a;b"), "t @site.title@;", NULL, "site.title"},
    {TITLE("a{b"), "t @site.title@;", NULL, "site.title"},
    {TITLE("a#b"), "t @site.title@;", NULL, "site.title"},
    {TITLE("a}b"), "t @site.title@;", NULL, "site.title"},
    {TITLE("a;b"), "# it's a comment\nt \"@site.title@\";", "# it's a comment\nt \"a;b\";", ""},
    {TITLE("a;b"), "t x\\\" @site.title@;", NULL, "site.title"},
    {TITLE("a;b"), "t \"x\\\" @site.title@\";", "t \"x\\\" a;b\";", ""},
    {TITLE("a;b"), "t x\" @site.title@;", NULL, "site.title"}, /* a quote within a word is none */
    {TITLE("a;b"), "t '\"' @site.title@;", NULL, "site.title"},
};

static void values_stay_in_their_place(void **state)
{
    static const char *const extra[] = {"key",    "0123abcd", "listen", "listen 1;\nlisten \"2\";\n",
                                        "dollar", "$a",       NULL};
    (void)state;
    for (size_t i = 0; i < sizeof expansions / sizeof *expansions; i++) {
        struct buf out;
        buf_init(&out, ctx, 4096);
        if (load(expansions[i].conf) != E_OK)
            fail_msg("row %zu: %s", i, err_last(E_CONF)->detail);
        enum err got = conf_expand(conf, expansions[i].text, extra, &out);
        if (got != (expansions[i].want != NULL ? E_OK : E_CONF))
            fail_msg("row %zu: %s '%s'", i, err_name(got), out.data);
        if (got == E_OK && strcmp(out.data, expansions[i].want) != 0)
            fail_msg("row %zu: %s", i, out.data);
        if (got != E_OK && strstr(err_last(E_CONF)->detail, expansions[i].names) == NULL)
            fail_msg("row %zu: %s", i, err_last(E_CONF)->detail);
    }
}

static void expanding_stops_at_the_ceiling(void **state)
{
    struct buf out;
    (void)state;
    assert_int_equal(load(URL), E_OK);
    buf_init(&out, ctx, 10);
    assert_int_equal(conf_expand(conf, "@data.path@", NULL, &out), E_TOO_LARGE);
}

/* ---- the table ---- */

static void every_row_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < conf_rows_n; i++) {
        const struct conf_row *row = &conf_rows[i];
        if (row->say[0] == '\0' || row->say[strlen(row->say) - 1] != '.')
            fail_msg("row %zu: %s.%s has no sentence", i, row->section, row->key);
        if (row->min > row->max)
            fail_msg("row %zu: %s.%s has its limits the wrong way round", i, row->section, row->key);
        for (size_t j = 0; j < i; j++)
            if (strcmp(row->section, conf_rows[j].section) == 0 && strcmp(row->key, conf_rows[j].key) == 0)
                fail_msg("row %zu: %s.%s stands twice", i, row->section, row->key);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_wrong_is_said_with_file_and_line),
        TEST(nothing_of_a_failed_configuration_stays),
        TEST(no_suggestion_where_nothing_is_near),
        TEST(long_lines_are_whole_or_refused),
        TEST(a_nul_is_refused),
        TEST(values_are_the_rest_of_the_line),
        TEST(the_file_must_be_readable),
        TEST(numbers_have_units),
        TEST(yes_and_no),
        TEST(relative_paths_begin_at_the_file),
        TEST(the_length_of_a_path_counts_when_it_is_whole),
        TEST(defaults_are_those_of_the_table),
        TEST(shown_values_read_as_themselves),
        TEST(the_origin_is_as_browsers_write_it),
        TEST(browsers_are_told_to_insist_on_https_where_it_lasts),
        TEST(hosts_are_listed_once),
        TEST(stores_are_taken_apart),
        TEST(the_environment_wins_over_the_file),
        TEST(the_environment_alone_is_enough),
        TEST(the_file_may_come_from_the_environment),
        TEST(a_value_may_be_the_first_line_of_a_file),
        TEST(wrong_variables_are_named),
        TEST(s3_is_asked_at_the_right_place),
        TEST(usual_names_fill_what_is_empty),
        TEST(errors_do_not_show_secrets),
        TEST(values_stay_in_their_place),
        TEST(expanding_stops_at_the_ceiling),
        TEST(every_row_is_whole),
    };
    return cmocka_run_group_tests_name("conf", tests, make_folder, drop_folder);
}
