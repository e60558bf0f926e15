#include "blob/s3_role.h"

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/http_client.h"

#define ROLES "/latest/meta-data/iam/security-credentials/"

/* The service is on the machine itself: who does not answer at once is not there. */
enum { CONNECT_MS = 500, TOTAL_MS = 2000 };

struct talk {
    const void *mem;
    const char *base;
    struct http_client *http;
};

static enum err ask(const struct talk *t, const char *method, const char *path, const char *header, const char **text_out)
{
    const char *const headers[] = {header, NULL};
    static const struct http_body nothing = {.data = "", .fd = -1};
    struct http_call call;
    http_call_init(&call, t->mem);
    call.method = method;
    call.url = mem_printf(t->mem, "%s%s", t->base, path);
    call.headers = headers;
    call.body = strcmp(method, "PUT") == 0 ? &nothing : NULL;
    call.total_ms = TOTAL_MS;
    http_run(t->http, &call);
    if (call.fault != HTTP_FINE || call.status == 404)
        return err_set(E_NOT_FOUND, "instance metadata: %s", call.fault != HTTP_FINE ? call.why : "no role");
    if (call.status != 200 || buf_ok(&call.answer) != E_OK)
        return err_set(E_FIELD_INVALID, "instance metadata: status %u for %s", call.status, path);
    *text_out = call.answer.data != NULL ? call.answer.data : "";
    return E_OK;
}

static const char *member(const json_t *o, const char *name)
{
    const char *text = json_string_value(json_object_get(o, name));
    return text != NULL ? text : "";
}

static enum err read_keys(const void *mem, const char *text, struct s3_role *out)
{
    json_t *o;
    if (json_parse(mem, text, strlen(text), &o) != E_OK)
        return err_set(E_FIELD_INVALID, "instance metadata: the role's keys are not JSON");
    out->keys = (struct s3_keys){member(o, "AccessKeyId"), member(o, "SecretAccessKey"), member(o, "Token")};
    if (!*out->keys.id || !*out->keys.secret || clock_parse_rfc3339(member(o, "Expiration"), &out->until_ms) != E_OK)
        return err_set(E_FIELD_INVALID, "instance metadata: the role has no usable keys (%s)", member(o, "Code"));
    return E_OK;
}

enum err s3_role_fetch(const void *mem, const char *base, struct s3_role *out)
{
    struct talk t = {.mem = mem, .base = base};
    const char *token, *names, *keys;
    TRY(http_client_open(mem, &(struct http_limits){.connect_ms = CONNECT_MS, .ca_file = ""}, &t.http));
    TRY(ask(&t, "PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 300", &token));
    if (strpbrk(token, "\r\n") != NULL)
        return err_set(E_FIELD_INVALID, "instance metadata: the token is none");
    const char *header = mem_printf(mem, "X-aws-ec2-metadata-token: %s", token);
    TRY(ask(&t, "GET", ROLES, header, &names));
    out->name = mem_strn(mem, names, strcspn(names, "\r\n"));
    if (*out->name == '\0')
        return err_set(E_NOT_FOUND, "instance metadata: no role");
    TRY(ask(&t, "GET", mem_printf(mem, ROLES "%s", out->name), header, &keys));
    return read_keys(mem, keys, out);
}
