#include "core/admin.h"

enum err user_set_role(struct core *c, struct id user, enum user_role role)
{
    return c->meta->ops->user_role(c->meta, user, role, clock_now_ms(c->clock));
}

enum err user_set_state(struct core *c, struct id user, enum user_state state)
{
    return c->meta->ops->user_state(c->meta, user, state, clock_now_ms(c->clock));
}

enum err user_set_quota(struct core *c, struct id user, int64_t quota)
{
    return c->meta->ops->user_quota(c->meta, user, quota, clock_now_ms(c->clock));
}

enum err user_usage(struct core *c, void *mem, struct id user, struct space *out)
{
    return c->meta->ops->user_space(c->meta, mem, user, out);
}

enum err user_remove(struct core *c, struct id user, struct id heir, struct id *folder_out)
{
    const struct removal in = {.user = user, .heir = heir, .now_ms = clock_now_ms(c->clock)};
    return c->meta->ops->user_remove(c->meta, &in, folder_out);
}
