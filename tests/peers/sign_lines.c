/* For test_s3_sign.py: a JSON object a line in, what the signer makes of it out.
 *
 *   {"method","host","path","query":[[name,value]...],"headers":[[name,value]...],"payload",
 *    "id","secret","token","region","now":seconds,"expires":seconds}  ->  {"authorization","query","presigned"} */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "blob/s3_sign.h"
#include "crypt/crypt.h"

static const char *text(const json_t *o, const char *name)
{
    const char *value = json_string_value(json_object_get(o, name));
    return value != NULL ? value : "";
}

static struct s3_pair *pairs(const void *mem, const json_t *list, size_t *n_out)
{
    *n_out = json_array_size(list);
    struct s3_pair *out = mem_array(mem, struct s3_pair, *n_out + 1);
    for (size_t i = 0; i < *n_out; i++) {
        const json_t *row = json_array_get(list, i);
        out[i].name = json_string_value(json_array_get(row, 0));
        out[i].value = json_string_value(json_array_get(row, 1));
    }
    return out;
}

static void answer(const json_t *o)
{
    CLEANUP(free_mem) void *mem = talloc_new(NULL);
    struct s3_pair signed_with[S3_SIGNED_MAX];
    struct s3_request r = {.method = text(o, "method"), .host = text(o, "host"), .path = text(o, "path"), .payload = text(o, "payload")};
    struct s3_keys keys = {text(o, "id"), text(o, "secret"), text(o, "token")};
    struct s3_scope scope = {text(o, "region"), json_integer_value(json_object_get(o, "now")) * 1000};
    r.query = pairs(mem, json_object_get(o, "query"), &r.n_query);
    r.headers = pairs(mem, json_object_get(o, "headers"), &r.n_headers);
    s3_sign(mem, &r, &keys, &scope, signed_with);
    size_t last = 0;
    while (signed_with[last + 1].name != NULL)
        last++;
    json_t *out = json_pack("{s:s,s:s,s:s}", "authorization", signed_with[last].value, "query", s3_query(mem, r.query, r.n_query), "presigned",
                            s3_presign(mem, &r, &keys, &scope, (unsigned)json_integer_value(json_object_get(o, "expires"))));
    json_dumpf(out, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(out);
}

int main(void)
{
    static char line[1 << 20];
    if (crypt_start() != E_OK)
        return 1;
    while (fgets(line, sizeof line, stdin) != NULL) {
        json_t *o = json_loads(line, JSON_ALLOW_NUL, NULL);
        if (o == NULL)
            return 2;
        answer(o);
        json_decref(o);
    }
    return 0;
}
