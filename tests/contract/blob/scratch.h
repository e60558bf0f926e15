/* A folder for one test, and processes that may die in it. */
#pragma once
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static inline void scratch_make(char dir[static 256])
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, 256, "%s/coffer-scratch-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(dir)) {
        perror(dir);
        abort();
    }
}

static inline int scratch_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline void scratch_remove(const char *dir)
{
    nftw(dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Run fn in a process of its own; what waitpid tells of its end. The child must not use cmocka. */
static inline int in_child(int (*fn)(void *arg), void *arg)
{
    int status = -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(fn(arg));
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    return status;
}

/* The exit code, or -1 when a signal ended it. */
static inline int child_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
