/* Errors: one code per way to fail, one table with its words.
 *
 * Everything that can fail returns `enum err`. Lower layers set the detail where the fault is met and hand
 * the code up untouched; only the edge (web/reply, cli/main) reports it, once. Particulars of the last
 * failure of this process stand beside the code, as with errno: err_set* overwrites them, err_last reads
 * them. Workers are single-threaded. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum err {
#define E(name, code, status, level, title) E_##name,
#include "err.def"
#undef E
    E_COUNT
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Return at once with whatever error x gives. */
#define TRY(x)                                                                                               \
    do {                                                                                                     \
        enum err try_err_ = (x);                                                                             \
        if (try_err_ != E_OK)                                                                                \
            return try_err_;                                                                                 \
    } while (0)

/* What is known of the last failure. Strings are never NULL; "" and 0 mean "nothing more to say". */
struct err_info {
    enum err err;
    char detail[512];       /* for the log: may name paths, hosts, library errors; never shown to users */
    char say[256];          /* for the user, in place of the table's title; UTF-8, one sentence */
    char field[64];         /* the request's field that is at fault */
    uint64_t limit;         /* the limit that was passed, in its own unit (bytes for E_TOO_LARGE) */
    unsigned retry_after_s; /* when trying again may help */
};

/* Set code and particulars, return the code: `return err_set(E_IO, "rename %s: %m", id)`. The particulars
 * of an earlier failure are forgotten; they may be used as arguments all the same. A text that is too long
 * is cut between two characters. */
enum err err_set(enum err e, const char *detail, ...) PRINTF(2, 3);
enum err err_say(enum err e, const char *sentence, ...) PRINTF(2, 3);
enum err err_field(enum err e, const char *field);
enum err err_field_say(enum err e, const char *field, const char *sentence, ...) PRINTF(3, 4);
enum err err_limit(enum err e, uint64_t limit);
enum err err_retry(enum err e, unsigned seconds);
void err_clear(void);

/* Keep the particulars over a clean-up that may fail itself: save before, restore after. */
struct err_info err_save(void);
void err_restore(const struct err_info *saved);

/* Particulars for e; empty ones when the last failure recorded was another code. */
const struct err_info *err_last(enum err e);

const char *err_code(enum err e);   /* "name-taken" */
unsigned err_status(enum err e);    /* 409 */
int err_level(enum err e);          /* enum log_level */
const char *err_title(enum err e);  /* the table's sentence */
const char *err_name(enum err e);   /* "E_NAME_TAKEN", for logs and tests */
