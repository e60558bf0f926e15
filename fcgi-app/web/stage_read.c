#include <string.h>

#include "base/mem.h"
#include "crypt/crypt.h"
#include "web/cookie.h"
#include "web/walk.h"

/* Only the web server that was set up for this installation may speak to us: its word about body files,
 * addresses and phases is believed from here on. */
static enum err check_front(const struct walk *w)
{
    if (strncmp(w->req->front, "1:", 2) != 0)
        return err_set(E_FRONT, "COFFER_FRONT is missing or of another version: does the web server include the parameter file "
                                "that `coffer front` writes?");
    if (!token_equal(w->req->front, w->site->front_key))
        return err_set(E_FRONT, "COFFER_FRONT carries a wrong key: reload the web server after the key file changed");
    return E_OK;
}

enum err stage_read(struct walk *w)
{
    TRY(req_parse(w, fcgi_params(w->fcgi), cookie_session_name(w->site->conf), cookie_device_name(w->site->conf), &w->req));
    return check_front(w);
}
