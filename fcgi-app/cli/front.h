/* The web server's file, as text. */
#pragma once
#include "app.h"
#include "base/buf.h"

/* nginx's file for the settings; writes nothing. Also what `coffer front nginx` prints. */
enum err front_nginx(struct app *app, struct buf *out) MUST_CHECK;
