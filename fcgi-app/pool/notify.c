#include "pool/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_un manager;
static socklen_t manager_len; /* 0: nobody listens */

void notify_open(void)
{
    const char *path = getenv("NOTIFY_SOCKET");

    manager_len = 0;
    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof manager.sun_path)
        return;
    size_t len = strlen(path);
    manager = (struct sockaddr_un){.sun_family = AF_UNIX};
    memcpy(manager.sun_path, path, len);
    if (path[0] == '@')
        manager.sun_path[0] =
            '\0'; /* the abstract namespace, where the length counts and no NUL ends the name */
    manager_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len + (path[0] == '/'));
    unsetenv("NOTIFY_SOCKET");
}

/* The manager being gone or slow is no reason to stop serving: nothing is reported. */
static void tell(const char *text)
{
    if (manager_len == 0)
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&manager, manager_len);
    close(fd);
}

void notify_ready(const char *status)
{
    char text[256];
    snprintf(text, sizeof text, "READY=1\nMAINPID=%d\nSTATUS=%s\n", (int)getpid(), status);
    tell(text);
}

void notify_reloading(void)
{
    char text[128];
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    long long usec = (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=Reloading\n", usec);
    tell(text);
}

void notify_stopping(void)
{
    tell("STOPPING=1\nSTATUS=Draining\n");
}
