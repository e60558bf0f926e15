/* Host names and addresses as settings have them. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/conf_private.h"

#define HOST_MAX  253 /* RFC 1035 2.3.4 */
#define LABEL_MAX 63

static char *lower(const void *ctx, const char *text, size_t len)
{
    char *copy = mem_strn(ctx, text, len);
    for (char *p = copy; *p != '\0'; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    return copy;
}

/* Labels of letters, digits, inner hyphens and underscores. A last label that begins with a digit makes
 * browsers read the whole as an IPv4 address, so it has to be one. */
static bool is_host_name(const char *host)
{
    const char *label = host;
    struct in_addr v4;
    if (strlen(host) > HOST_MAX)
        return false;
    for (;;) {
        size_t len = strspn(label, "abcdefghijklmnopqrstuvwxyz0123456789-_");
        if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
            return false;
        if (label[len] == '\0')
            break;
        if (label[len] != '.')
            return false;
        label += len + 1;
    }
    return *label < '0' || *label > '9' || inet_pton(AF_INET, host, &v4) == 1;
}

/* "[2001:DB8:0::1]" -> "[2001:db8::1]"; NULL when it is no address. */
static char *v6_host(const void *ctx, const char *text, size_t len)
{
    CLEANUP(free_mem) char *inner = mem_strn(ctx, text + 1, len - 2);
    struct in6_addr address;
    char shortest[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, inner, &address) != 1)
        return NULL;
    inet_ntop(AF_INET6, &address, shortest, sizeof shortest);
    return mem_printf(ctx, "[%s]", shortest);
}

static char *host_of(const void *ctx, const char *text, size_t len)
{
    if (len > 2 && text[0] == '[' && text[len - 1] == ']')
        return v6_host(ctx, text, len);
    char *host = lower(ctx, text, len);
    if (is_host_name(host))
        return host;
    talloc_free(host);
    return NULL;
}

const char *conf_authority(const void *ctx, const char *text, unsigned default_port)
{
    const char *bracket = *text == '[' ? strchr(text, ']') : NULL;
    size_t len = bracket != NULL ? (size_t)(bracket + 1 - text) : strcspn(text, ":");
    uint64_t port = default_port;
    if (text[len] != '\0' && (text[len] != ':' || parse_u64(text + len + 1, 1, 65535, &port) != E_OK))
        return NULL;
    char *host = host_of(ctx, text, len);
    if (host == NULL || port == default_port)
        return host;
    char *authority = mem_printf(ctx, "%s:%u", host, (unsigned)port);
    talloc_free(host);
    return authority;
}

bool conf_is_loopback(const char *authority)
{
    size_t len = *authority == '[' ? strcspn(authority, "]") + 1 : strcspn(authority, ":");
    CLEANUP(free_mem) char *host = mem_strn(NULL, authority, len);
    struct in_addr v4;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return inet_pton(AF_INET, host, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

bool conf_is_network(const char *text)
{
    size_t len = strcspn(text, "/");
    CLEANUP(free_mem) char *address = mem_strn(NULL, text, len);
    unsigned char raw[sizeof(struct in6_addr)];
    bool v4 = inet_pton(AF_INET, address, raw) == 1;
    uint64_t bits;
    if (!v4 && inet_pton(AF_INET6, address, raw) != 1)
        return false;
    return text[len] == '\0' || parse_u64(text + len + 1, 0, v4 ? 32 : 128, &bits) == E_OK;
}
