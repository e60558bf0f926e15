/* Any bytes as a configuration file: refused, or settings that are printed and read as themselves. Then as
 * the text of a web server's file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Through a file in memory: conf_load takes a name. */
static enum err load(const void *ctx, const void *bytes, size_t size, const struct conf **conf_out)
{
    static int fd = -1;
    char name[32];
    if (fd < 0)
        fd = memfd_create("coffer.conf", MFD_CLOEXEC);
    must(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, bytes, size, 0) == (ssize_t)size);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    return conf_load(ctx, name, conf_out);
}

static void check_rules(const struct conf *conf)
{
    must((conf->sqlite_path[0] == '/') != (conf->mongodb_uri[0] != '\0'));
    must((conf->disk_path[0] == '/') != (conf->s3_bucket[0] != '\0'));
    must(conf->data_path[0] == '/' && conf->server_run[0] == '/');
    must(conf->hosts[0] != NULL && strncmp(conf->origin, conf->https ? "https://" : "http://", 7) == 0);
    must(strpbrk(conf->origin, " \"'\\<>@?#") == NULL);
}

static void check_again(const void *ctx, const struct conf *conf)
{
    const struct conf *again;
    struct buf text;
    buf_init(&text, ctx, 1 << 20);
    for (size_t i = 0; i < conf_rows_n; i++) {
        const char *value = conf_text(ctx, conf, &conf_rows[i]);
        if (*value != '\0')
            buf_printf(&text, "[%s]\n%s=%s\n", conf_rows[i].section, conf_rows[i].key, value);
    }
    must(buf_ok(&text) == E_OK && load(ctx, text.data, text.len, &again) == E_OK);
    for (size_t i = 0; i < conf_rows_n; i++)
        must(strcmp(conf_text(ctx, conf, &conf_rows[i]), conf_text(ctx, again, &conf_rows[i])) == 0);
}

/* A title between quotes never ends them. */
static void check_title(const void *ctx, const struct conf *conf)
{
    struct buf out;
    buf_init(&out, ctx, 4096);
    if (conf_expand(conf, "\"@site.title@\"", NULL, &out) != E_OK)
        return;
    must(strpbrk(out.data, "\\$\n") == NULL && strchr(out.data + 1, '"') == out.data + out.len - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char plain[] = "[site]\npublic_url = https://files.example.org\n";
    void *ctx = talloc_new(NULL);
    const struct conf *conf;
    struct buf out;
    if (load(ctx, data, size, &conf) == E_OK) {
        check_rules(conf);
        check_again(ctx, conf);
        check_title(ctx, conf);
    }
    must(load(ctx, plain, sizeof plain - 1, &conf) == E_OK);
    buf_init(&out, ctx, 65536);
    enum err e =
        conf_expand(conf, mem_strn(ctx, (const char *)data, size), (const char *[]){"x", "y", NULL}, &out);
    must(e == E_OK || e == E_CONF || e == E_TOO_LARGE);
    talloc_free(ctx);
    return 0;
}
