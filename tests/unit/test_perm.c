#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/perm.h"

#define SPACE  ((struct id){"11111111111111111111111111111111"})
#define OTHER  ((struct id){"22222222222222222222222222222222"})

/* Who asks for what, as which member of the space: the whole matrix of what a role may do. */
static const struct {
    enum who_kind kind;
    unsigned scopes;
    enum member_role role;
    enum user_state state;
    unsigned verbs;
    enum err want;
} rows[] = {
    {WHO_USER, VERB_ALL, MEMBER_OWNER, USER_ACTIVE, VERB_SEE, E_OK},
    {WHO_USER, VERB_ALL, MEMBER_OWNER, USER_ACTIVE, VERB_READ, E_OK},
    {WHO_USER, VERB_ALL, MEMBER_OWNER, USER_ACTIVE, VERB_MANAGE, E_OK},
    {WHO_USER, VERB_ALL, MEMBER_MANAGER, USER_ACTIVE, VERB_SHARE, E_OK},
    {WHO_USER, VERB_ALL, MEMBER_MANAGER, USER_ACTIVE, VERB_MANAGE, E_FORBIDDEN},
    {WHO_USER, VERB_ALL, MEMBER_EDITOR, USER_ACTIVE, VERB_REMOVE, E_OK},
    {WHO_USER, VERB_ALL, MEMBER_EDITOR, USER_ACTIVE, VERB_SHARE, E_FORBIDDEN},
    {WHO_USER, VERB_ALL, MEMBER_UPLOADER, USER_ACTIVE, VERB_ADD, E_OK},
    {WHO_USER, VERB_ALL, MEMBER_UPLOADER, USER_ACTIVE, VERB_ADD | VERB_CHANGE, E_FORBIDDEN},
    {WHO_USER, VERB_ALL, MEMBER_EDITOR, USER_ACTIVE, VERB_ADD | VERB_CHANGE, E_OK},
    {WHO_USER, VERB_ALL, MEMBER_UPLOADER, USER_ACTIVE, VERB_READ, E_FORBIDDEN},
    {WHO_USER, VERB_ALL, MEMBER_UPLOADER, USER_ACTIVE, VERB_REMOVE, E_FORBIDDEN},
    {WHO_USER, VERB_ALL, MEMBER_VIEWER, USER_ACTIVE, VERB_READ, E_OK},
    {WHO_USER, VERB_ALL, MEMBER_VIEWER, USER_ACTIVE, VERB_ADD, E_FORBIDDEN},
    {WHO_USER, VERB_ALL, MEMBER_NONE, USER_ACTIVE, VERB_SEE, E_NOT_FOUND},
    {WHO_USER, VERB_ALL, MEMBER_NONE, USER_ACTIVE, VERB_REMOVE, E_NOT_FOUND},
    {WHO_USER, VERB_ALL, MEMBER_OWNER, USER_DISABLED, VERB_SEE, E_SIGN_IN},
    {WHO_USER, VERB_SEE | VERB_READ, MEMBER_OWNER, USER_ACTIVE, VERB_READ, E_OK},
    {WHO_USER, VERB_SEE | VERB_READ, MEMBER_OWNER, USER_ACTIVE, VERB_ADD, E_FORBIDDEN},
    {WHO_USER, 0, MEMBER_OWNER, USER_ACTIVE, VERB_READ, E_NOT_FOUND},
    {WHO_ANONYMOUS, VERB_ALL, MEMBER_OWNER, USER_ACTIVE, VERB_SEE, E_SIGN_IN},
    {WHO_GUEST, VERB_ALL, MEMBER_OWNER, USER_ACTIVE, VERB_SEE, E_SIGN_IN},
    {WHO_OPERATOR, 0, MEMBER_NONE, USER_DISABLED, VERB_MANAGE, E_OK},
};

static void judges_every_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct who who = {.kind = rows[i].kind, .scopes = rows[i].scopes};
        struct place place = {.space.id = SPACE, .role = rows[i].role, .user_state = rows[i].state};
        enum err got = perm_ask(&who, rows[i].verbs, &place);
        if (got != rows[i].want)
            fail_msg("row %zu: %s, not %s", i, err_name(got), err_name(rows[i].want));
    }
}

static void a_sign_in_limited_to_a_space_sees_no_other(void **state)
{
    (void)state;
    struct who who = {.kind = WHO_USER, .scopes = VERB_ALL, .space = OTHER};
    struct place place = {.space.id = SPACE, .role = MEMBER_OWNER, .user_state = USER_ACTIVE};
    assert_int_equal(perm_ask(&who, VERB_READ, &place), E_NOT_FOUND);
    who.space = SPACE;
    assert_int_equal(perm_ask(&who, VERB_READ, &place), E_OK);
}

static void the_guard_asks_for_its_verb_and_user(void **state)
{
    (void)state;
    struct who who = {.kind = WHO_USER, .scopes = VERB_ALL, .user.id = OTHER};
    struct place place = {.space.id = SPACE, .role = MEMBER_VIEWER, .user_state = USER_ACTIVE};
    struct perm read = perm_for(&who, VERB_READ), add = perm_for(&who, VERB_ADD);
    assert_true(id_eq(read.guard.user, OTHER));
    assert_int_equal(read.guard.ask(&read.guard, &place), E_OK);
    assert_int_equal(add.guard.ask(&add.guard, &place), E_FORBIDDEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_every_row),
        cmocka_unit_test(a_sign_in_limited_to_a_space_sees_no_other),
        cmocka_unit_test(the_guard_asks_for_its_verb_and_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
