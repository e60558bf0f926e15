/* Who works with the stores of a data folder: many at once, or one alone (`coffer migrate`, `coffer restore`). The lock is on the
 * file coffer.lock in the data folder and ends with its holder. Other machines do not see it. */
#pragma once
#include "conf/conf.h"

enum lock_kind { LOCK_WITH_OTHERS, LOCK_ALONE };

/* E_BUSY with a sentence that names the cure. *fd_out is closed to let go; -1 where there is no data folder yet. */
enum err lock_data(const struct conf *conf, enum lock_kind kind, int *fd_out) MUST_CHECK;
