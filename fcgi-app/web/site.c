#include "web/site.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "crypt/crypt.h"

static enum err write_key(const char *path)
{
    char token[TOKEN_LEN + 1];
    CLEANUP(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return E_OK; /* made by somebody else just now */
    if (fd < 0)
        return err_set(E_CONF, "cannot make %s: %m", path);
    token_new(token);
    if (write(fd, token, TOKEN_LEN) != TOKEN_LEN || fsync(fd) != 0)
        return err_set(E_IO, "cannot write %s: %m", path);
    return E_OK;
}

static enum err read_key(const void *ctx, const char *path, const char **key_out)
{
    char text[TOKEN_LEN + 1] = "";
    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(E_CONF, "cannot read the front key %s: %m; `coffer serve` makes it", path);
    if (read(fd, text, TOKEN_LEN) != TOKEN_LEN)
        return err_set(E_CONF, "%s is not a front key; remove it and start `coffer serve` again", path);
    *key_out = mem_printf(ctx, "1:%s", text);
    return E_OK;
}

enum err front_key(const void *ctx, const struct conf *conf, bool make, const char **key_out)
{
    if (conf->server_front_key[0] != '\0') {
        *key_out = mem_printf(ctx, "1:%s", conf->server_front_key);
        return E_OK;
    }
    const char *path = mem_printf(ctx, "%s/front.key", conf->data_path);
    if (make)
        TRY(write_key(path));
    return read_key(ctx, path, key_out);
}

static enum err read_assets(struct site *s)
{
    json_error_t error;
    const char *path = mem_printf(s, "%s/manifest.json", s->conf->server_assets);
    s->assets = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (s->assets == NULL || !json_is_object(s->assets))
        return err_set(E_CONF, "cannot read %s: %s; templates/assets/build makes it", path, error.text);
    own(s, s->assets, (void (*)(void *))json_decref);
    return E_OK;
}

enum err site_open(const void *ctx, const struct conf *conf, struct shm *shm, const char *role, struct site **out)
{
    struct site *s = mem_new(ctx, struct site);
    s->conf = conf;
    s->shm = shm;
    s->role = role;
    TRY(crypt_start());
    TRY(core_open(s, conf, shm, &clock_real, &s->core));
    TRY(templates_load(s, conf->server_templates, &s->templates));
    TRY(read_assets(s));
    TRY(front_key(s, conf, false, &s->front_key));
    *out = s;
    return E_OK;
}
