/* The handlers that the routes table names. Each takes checked input from the walk, calls core, and fills the reply. */
#pragma once
#include "web/fields.h"
#include "web/h_page.h"
#include "web/walk.h"

/* h_health.c */
enum err h_health(struct walk *w);

/* h_account.c */
enum err h_register(struct walk *w);
enum err h_login(struct walk *w);
enum err h_logout(struct walk *w);
enum err h_me(struct walk *w);

/* h_me.c: what people do with their own account */
enum err h_me_change(struct walk *w);
enum err h_me_password(struct walk *w);
enum err h_me_confirm(struct walk *w);
enum err h_session_list(struct walk *w);
enum err h_session_end(struct walk *w);
enum err h_sessions_end(struct walk *w);
enum err h_reset(struct walk *w);

/* h_file.c: by id */
enum err h_file_list(struct walk *w);
enum err h_file_show(struct walk *w);
enum err h_file_info(struct walk *w);
enum err h_file_delete(struct walk *w);
enum err h_file_change(struct walk *w);
enum err h_file_copy(struct walk *w);
enum err h_folder_create(struct walk *w);

/* h_batch.c: many at once */
enum err h_batch(struct walk *w);

/* h_content.c: by path */
enum err h_content_get(struct walk *w);
enum err h_content_put(struct walk *w);
enum err h_content_reserve(struct walk *w);
enum err h_content_delete(struct walk *w);

/* h_upload.c: forms */
enum err h_upload(struct walk *w);
enum err h_upload_reserve(struct walk *w);

/* h_familiar.c: addresses people know from similar systems */
enum err h_familiar_upload(struct walk *w);
enum err h_familiar_download(struct walk *w);
enum err h_familiar_key(struct walk *w);
enum err h_familiar_name(struct walk *w);
enum err h_familiar_delete(struct walk *w);
enum err h_familiar_names(struct walk *w);
enum err h_familiar_records(struct walk *w);
enum err h_familiar_put(struct walk *w);
