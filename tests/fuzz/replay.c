/* Feeds a fuzzer every file of its corpus, so that `make check` notices the return of a defect without
 * libFuzzer. The program replay_NAME reads tests/fuzz/corpus/NAME below $top_srcdir, or the files and folders
 * named as arguments. Speaks TAP: one test per file. */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned tests, failures;

static void report(bool ok, const char *path)
{
    tests++;
    failures += !ok;
    printf("%sok %u - %s\n", ok ? "" : "not ", tests, path);
    fflush(stdout); /* the next input may be the one that crashes */
}

static void replay_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? size : 1); /* exactly as long as the input: reading beyond is noticed */
    bool ok = file != NULL && data != NULL && fread(data, 1, size, file) == size;

    printf("# %s\n", path);
    fflush(stdout);
    if (ok)
        LLVMFuzzerTestOneInput(data, size);
    free(data);
    if (file != NULL)
        fclose(file);
    report(ok, path);
}

static void replay(const char *path);

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay_folder(const char *path)
{
    struct dirent **entries = NULL;
    int n = scandir(path, &entries, visible, alphasort);

    if (n <= 0)
        report(false, path); /* a fuzzer without a seed replays nothing and proves nothing */
    for (int i = 0; i < n; i++) {
        char *below = NULL;
        if (asprintf(&below, "%s/%s", path, entries[i]->d_name) < 0)
            abort();
        replay(below);
        free(below);
        free(entries[i]);
    }
    free(entries);
}

static void replay(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        report(false, path);
    else if (S_ISDIR(st.st_mode))
        replay_folder(path);
    else
        replay_file(path, (size_t)st.st_size);
}

static void replay_own_corpus(void)
{
    const char *name = program_invocation_short_name;
    const char *top = getenv("top_srcdir");
    char *path = NULL;

    if (strncmp(name, "replay_", 7) == 0)
        name += 7;
    if (asprintf(&path, "%s/tests/fuzz/corpus/%s", top != NULL ? top : ".", name) < 0)
        abort();
    replay(path);
    free(path);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        replay(argv[i]);
    if (argc == 1)
        replay_own_corpus();
    printf("1..%u\n", tests);
    return failures > 0;
}
