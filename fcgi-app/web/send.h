/* Contents of files on their way out: by the web server's own hands where it has some, else streamed. */
#pragma once
#include "web/walk.h"

/* Judge conditions and range, choose the hands, write the headers of a delivery. */
enum err send_prepare(struct walk *w) MUST_CHECK;
/* Write head and body. E_CUT_OFF when the client has gone; nothing is answered after that. */
enum err send_all(struct walk *w) MUST_CHECK;
