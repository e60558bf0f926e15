-- Every statement the SQLite store runs, each under its name: `-- name: node_child` becomes SQL_NODE_CHILD in
-- meta/sql_gen.h. ?1 ?2 ... are the arguments in the order the C code gives them.
--
-- The columns of a record stand in the order in which meta/sqlite_rows.c reads them.

-- name: begin_read
BEGIN;

-- name: begin_write
BEGIN IMMEDIATE;

-- name: commit
COMMIT;

-- name: rollback
ROLLBACK;

-- ---- the store ----

-- name: meta_get
SELECT value FROM meta WHERE key = ?1;

-- name: meta_set
INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: tables_count
SELECT count(*), count(*) FILTER (WHERE name = 'meta') FROM sqlite_schema WHERE type = 'table';

-- name: journal_wal
PRAGMA journal_mode = WAL;

-- name: quick_check
PRAGMA quick_check (1);

-- ---- accounts ----

-- name: user_add
INSERT INTO user (id, name, key, role, state, created_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: credential_add
INSERT INTO credential (user, hash, set_ms) VALUES (?1, ?2, ?3);

-- name: space_add
INSERT INTO space (id, kind, personal_of, name, root, quota, used, reserved, tree_rev)
VALUES (?1, 0, ?2, ?3, ?4, ?5, 0, 0, 0);

-- name: member_add
INSERT INTO member (user, space, role) VALUES (?1, ?2, ?3);

-- name: user_by_key
SELECT id, name, key, role, state, created_ms FROM user WHERE key = ?1;

-- name: user_by_id
SELECT id, name, key, role, state, created_ms FROM user WHERE id = ?1;

-- name: user_list
SELECT id, name, key, role, state, created_ms FROM user WHERE key > ?1 ORDER BY key LIMIT ?2;

-- name: user_space
SELECT id, kind, name, root, quota, used, reserved, tree_rev FROM space WHERE personal_of = ?1;

-- name: credential_get
SELECT hash FROM credential WHERE user = ?1;

-- name: credential_set
UPDATE credential SET hash = ?2, set_ms = ?3 WHERE user = ?1;

-- name: audit_add
INSERT INTO audit (at_ms, user, action, space, node, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: user_rename
UPDATE user SET name = ?2, key = ?3 WHERE id = ?1;

-- name: user_role
UPDATE user SET role = ?2 WHERE id = ?1;

-- name: user_state
UPDATE user SET state = ?2 WHERE id = ?1;

-- name: admins_other
SELECT count(*) FROM user WHERE role = 1 AND state = 0 AND id <> ?1;

-- name: space_quota
UPDATE space SET quota = ?2 WHERE personal_of = ?1;

-- name: space_orphan
UPDATE space SET personal_of = NULL WHERE id = ?1;

-- The folder ?1 and all below it, dead or not, are in the space ?2 from now on.
-- name: space_give
UPDATE node SET space = ?2 WHERE id IN (
    WITH RECURSIVE below (id) AS (SELECT ?1 UNION ALL SELECT n.id FROM below b JOIN node n ON n.parent = b.id) SELECT id FROM below);

-- name: space_uploads_drop
DELETE FROM upload WHERE space = ?1;

-- name: space_members_drop
DELETE FROM member WHERE space = ?1;

-- name: space_drop
DELETE FROM space WHERE id = ?1;

-- name: user_members_drop
DELETE FROM member WHERE user = ?1;

-- name: user_resets_drop
DELETE FROM reset WHERE user = ?1;

-- name: user_sessions_drop
DELETE FROM session WHERE user = ?1;

-- name: user_credential_drop
DELETE FROM credential WHERE user = ?1;

-- name: user_drop
DELETE FROM user WHERE id = ?1;

-- ---- what links grant ----

-- name: invite_add
INSERT INTO invite (hash, created_ms, expires_ms) VALUES (?1, ?2, ?3);

-- name: invite_get
SELECT count(*) FROM invite WHERE hash = ?1 AND expires_ms > ?2;

-- name: invite_take
DELETE FROM invite WHERE hash = ?1 AND expires_ms > ?2;

-- name: invites_over
DELETE FROM invite WHERE hash IN (SELECT hash FROM invite WHERE expires_ms <= ?1 LIMIT ?2);

-- name: reset_add
INSERT INTO reset (hash, user, created_ms, expires_ms) VALUES (?1, ?2, ?3, ?4);

-- name: reset_user
SELECT u.id, u.name, u.key, u.role, u.state, u.created_ms
FROM reset r JOIN user u ON u.id = r.user WHERE r.hash = ?1 AND r.expires_ms > ?2;

-- name: resets_over
DELETE FROM reset WHERE hash IN (SELECT hash FROM reset WHERE expires_ms <= ?1 LIMIT ?2);

-- ---- sessions ----

-- name: session_add
INSERT INTO session (id, token_hash, user, kind, created_ms, signed_in_ms, expires_ms, address, agent)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: session_trim
DELETE FROM session WHERE id IN (
    SELECT id FROM session WHERE user = ?1 AND id <> ?2 ORDER BY created_ms DESC, id DESC LIMIT -1 OFFSET ?3);

-- name: session_get
SELECT s.id, s.token_hash, s.user, s.kind, s.created_ms, s.signed_in_ms, s.expires_ms, s.address, s.agent,
       u.id, u.name, u.key, u.role, u.state, u.created_ms
FROM session s JOIN user u ON u.id = s.user WHERE s.token_hash = ?1;

-- name: session_list
SELECT id, token_hash, user, kind, created_ms, signed_in_ms, expires_ms, address, agent
FROM session WHERE user = ?1 AND expires_ms > ?2 ORDER BY created_ms DESC, id DESC;

-- name: session_renew
UPDATE session SET token_hash = ?3, signed_in_ms = ?4 WHERE id = ?2 AND user = ?1;

-- name: session_end
DELETE FROM session WHERE id = ?1 AND user = ?2;

-- name: session_end_others
DELETE FROM session WHERE user = ?1 AND id <> ?2;

-- ---- the volatile file ----

-- name: born_add
INSERT INTO born (at_ms) VALUES (?1);

-- name: seen_get
SELECT (SELECT seen_ms FROM seen WHERE session = ?1), (SELECT max(at_ms) FROM born);

-- name: seen_set
INSERT INTO seen (session, seen_ms) VALUES (?1, ?2)
ON CONFLICT (session) DO UPDATE SET seen_ms = max(seen_ms, excluded.seen_ms);

-- name: seen_drop
DELETE FROM seen WHERE session = ?1;

-- name: seen_idle
SELECT session FROM seen WHERE seen_ms < ?1 ORDER BY seen_ms LIMIT ?2;

-- name: throttle_get
SELECT count, until_ms FROM throttle WHERE key = ?1 AND until_ms > ?2;

-- name: throttle_set
INSERT INTO throttle (key, count, until_ms) VALUES (?1, ?2, ?3)
ON CONFLICT (key) DO UPDATE SET count = excluded.count, until_ms = excluded.until_ms;

-- name: throttle_refund
UPDATE throttle SET count = count - 1 WHERE key = ?1 AND until_ms > ?2 AND count > 0;

-- name: throttle_over
DELETE FROM throttle WHERE key IN (SELECT key FROM throttle WHERE until_ms <= ?1 ORDER BY until_ms LIMIT ?2);

-- ---- files and folders ----

-- Everything about a node's place in one statement: the first row is the node with its space and what the user
-- ?2 is there, the others are its ancestors up to the root.
-- name: node_place
WITH RECURSIVE up (depth, id, parent, name, kind, live) AS (
    SELECT 0, id, parent, name, kind, live FROM node WHERE id = ?1
    UNION ALL
    SELECT up.depth + 1, n.id, n.parent, n.name, n.kind, n.live
    FROM up JOIN node n ON n.id = up.parent WHERE up.depth < 128
)
SELECT up.live, up.id, up.parent, up.name, up.kind,
       n.id, n.space, n.parent, n.name, n.name_key, n.kind, n.created_ms, n.modified_ms,
       n.version, n.blob, n.size, n.type, n.sha256,
       s.id, s.kind, s.name, s.root, s.quota, s.used, s.reserved, s.tree_rev, m.role, u.state
FROM up
LEFT JOIN node n ON up.depth = 0 AND n.id = up.id
LEFT JOIN space s ON s.id = n.space
LEFT JOIN member m ON m.user = ?2 AND m.space = n.space
LEFT JOIN user u ON up.depth = 0 AND u.id = ?2
ORDER BY up.depth;

-- name: node_child
SELECT id, space, parent, name, name_key, kind, created_ms, modified_ms, version, blob, size, type, sha256
FROM node INDEXED BY node_name WHERE parent = ?1 AND name = ?2 AND live = 1; -- else the planner walks the whole folder

-- name: node_add
INSERT INTO node (id, space, parent, name, name_key, kind, live, removed_ms, created_ms, modified_ms,
                  version, blob, size, type, sha256)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, 0, ?7, ?8, ?9, ?10, ?11, ?12, ?13);

-- name: node_mark_dead
UPDATE node SET live = 0, removed_ms = ?2 WHERE id = ?1;

-- The top of a copy that is complete.
-- name: node_revive
UPDATE node SET live = 1, removed_ms = 0, name = ?2, name_key = ?3 WHERE id = ?1;

-- name: node_drop
DELETE FROM node WHERE id = ?1;

-- How far the live folders (?2 = 0) or all nodes (1) below folder ?1 go: levels, and bytes of the longest path.
-- name: node_reach
WITH RECURSIVE below (id, depth, bytes) AS (
    SELECT id, 1, length(CAST(name AS BLOB)) + 1 FROM node WHERE parent = ?1 AND live = 1 AND kind <= ?2
    UNION ALL
    SELECT n.id, b.depth + 1, b.bytes + length(CAST(n.name AS BLOB)) + 1
    FROM below b JOIN node n ON n.parent = b.id AND n.live = 1 AND n.kind <= ?2
)
SELECT coalesce(max(depth), 0), coalesce(max(bytes), 0) FROM below;

-- How many live nodes are below folder ?1; nobody counts beyond ?2.
-- name: node_many
WITH RECURSIVE below (id) AS (
    SELECT id FROM node WHERE parent = ?1 AND live = 1
    UNION ALL
    SELECT n.id FROM below b JOIN node n ON n.parent = b.id AND n.live = 1
    LIMIT ?2
)
SELECT count(*) FROM below;

-- name: node_change
UPDATE node SET parent = ?2, name = ?3, name_key = ?4, modified_ms = ?5 WHERE id = ?1;

-- name: space_tree_rev
UPDATE space SET tree_rev = tree_rev + 1 WHERE id = ?1;

-- name: blob_refer
UPDATE blob SET refs = refs + 1, unreferenced_ms = 0 WHERE id = ?1 AND state = 0;

-- name: node_usage
WITH RECURSIVE below (id, kind, size) AS (
    SELECT id, kind, size FROM node WHERE parent = ?1 AND live = 1
    UNION ALL
    SELECT n.id, n.kind, n.size FROM below b JOIN node n ON n.parent = b.id AND n.live = 1
)
SELECT count(*) FILTER (WHERE kind = 1), count(*) FILTER (WHERE kind = 0), coalesce(sum(size), 0) FROM below;

-- The lists: the live folders (?2 = 0) or files (1) of folder ?1 behind the place (?3, ?4).

-- name: list_name_asc
SELECT id, space, parent, name, name_key, kind, created_ms, modified_ms, version, blob, size, type, sha256
FROM node WHERE parent = ?1 AND live = 1 AND kind = ?2 AND (name_key, id) > (?3, ?4)
ORDER BY name_key, id LIMIT ?5;

-- name: list_name_desc
SELECT id, space, parent, name, name_key, kind, created_ms, modified_ms, version, blob, size, type, sha256
FROM node WHERE parent = ?1 AND live = 1 AND kind = ?2 AND (name_key, id) < (?3, ?4)
ORDER BY name_key DESC, id DESC LIMIT ?5;

-- name: list_size_asc
SELECT id, space, parent, name, name_key, kind, created_ms, modified_ms, version, blob, size, type, sha256
FROM node WHERE parent = ?1 AND live = 1 AND kind = ?2 AND (size, id) > (?3, ?4)
ORDER BY size, id LIMIT ?5;

-- name: list_size_desc
SELECT id, space, parent, name, name_key, kind, created_ms, modified_ms, version, blob, size, type, sha256
FROM node WHERE parent = ?1 AND live = 1 AND kind = ?2 AND (size, id) < (?3, ?4)
ORDER BY size DESC, id DESC LIMIT ?5;

-- name: list_modified_asc
SELECT id, space, parent, name, name_key, kind, created_ms, modified_ms, version, blob, size, type, sha256
FROM node WHERE parent = ?1 AND live = 1 AND kind = ?2 AND (modified_ms, id) > (?3, ?4)
ORDER BY modified_ms, id LIMIT ?5;

-- name: list_modified_desc
SELECT id, space, parent, name, name_key, kind, created_ms, modified_ms, version, blob, size, type, sha256
FROM node WHERE parent = ?1 AND live = 1 AND kind = ?2 AND (modified_ms, id) < (?3, ?4)
ORDER BY modified_ms DESC, id DESC LIMIT ?5;

-- name: list_type_asc
SELECT id, space, parent, name, name_key, kind, created_ms, modified_ms, version, blob, size, type, sha256
FROM node WHERE parent = ?1 AND live = 1 AND kind = ?2 AND (type, id) > (?3, ?4)
ORDER BY type, id LIMIT ?5;

-- name: list_type_desc
SELECT id, space, parent, name, name_key, kind, created_ms, modified_ms, version, blob, size, type, sha256
FROM node WHERE parent = ?1 AND live = 1 AND kind = ?2 AND (type, id) < (?3, ?4)
ORDER BY type DESC, id DESC LIMIT ?5;

-- ---- uploads ----

-- name: upload_add
INSERT INTO upload (id, space, parent, user, blob, name, conflict, must_exist, must_not_exist, etags,
                    declared, charged, offset, modified_ms, created_ms, expires_ms)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16);

-- name: upload_get
SELECT id, space, parent, user, blob, name, conflict, must_exist, must_not_exist, etags,
       declared, charged, offset, modified_ms, created_ms, expires_ms
FROM upload WHERE id = ?1;

-- name: upload_drop
DELETE FROM upload WHERE id = ?1 RETURNING space, charged;

-- name: upload_charge
UPDATE upload SET charged = ?2 WHERE id = ?1;

-- name: reserved_total
SELECT coalesce(sum(charged), 0) FROM upload WHERE declared >= 0;

-- What a space has used and reserved changes by ?2 and ?3; never below nothing, so that a store with a wrong
-- sum can still be emptied (check finds and mends the sum).
-- name: space_charge
UPDATE space SET used = max(0, used + ?2), reserved = max(0, reserved + ?3) WHERE id = ?1;

-- name: blob_add
INSERT INTO blob (id, size, refs, state, unreferenced_ms, created_ms, format, key_id)
VALUES (?1, ?2, 1, 0, 0, ?3, 0, '');

-- name: blob_release
UPDATE blob SET refs = max(0, refs - 1), unreferenced_ms = iif(refs <= 1, ?2, 0) WHERE id = ?1;

-- name: version_add
INSERT INTO version (id, node, blob, size, type, sha256, created_ms, user) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- name: versions_drop
DELETE FROM version WHERE node = ?1 RETURNING blob, size;

-- name: version_node
SELECT node FROM version WHERE id = ?1;

-- name: node_replace
UPDATE node SET modified_ms = ?2, version = ?3, blob = ?4, size = ?5, type = ?6, sha256 = ?7 WHERE id = ?1;

-- ---- the keeper ----

-- name: expire_due
SELECT EXISTS (SELECT 1 FROM session WHERE expires_ms <= ?1) OR EXISTS (SELECT 1 FROM upload WHERE expires_ms <= ?1)
    OR EXISTS (SELECT 1 FROM invite WHERE expires_ms <= ?1) OR EXISTS (SELECT 1 FROM reset WHERE expires_ms <= ?1)
    OR EXISTS (SELECT 1 FROM meta WHERE key >= 'lease:' AND key < 'lease;' AND CAST(value AS INTEGER) <= ?1);

-- name: sessions_over
DELETE FROM session WHERE id IN (SELECT id FROM session WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2);

-- name: session_drop
DELETE FROM session WHERE id = ?1;

-- name: uploads_over
SELECT id FROM upload WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2;

-- A lease in the name of a node says that somebody is still making it: see meta/sqlite_copy.c.
-- name: reap_first
SELECT id, space, parent, removed_ms FROM node WHERE live = 0
AND NOT EXISTS (SELECT 1 FROM meta WHERE key = 'lease:' || node.id) ORDER BY removed_ms LIMIT 1;

-- name: reap_child
SELECT id, space, parent FROM node WHERE parent = ?1 LIMIT 1;

-- name: blobs_dying
SELECT id FROM blob WHERE refs = 0 AND state = 1 ORDER BY unreferenced_ms LIMIT ?1;

-- name: blobs_due
SELECT EXISTS (SELECT 1 FROM blob WHERE refs = 0 AND state = 0 AND unreferenced_ms < ?1)
       AND NOT EXISTS (SELECT 1 FROM meta WHERE key >= 'lease:' AND key < 'lease;');

-- name: blobs_mark
UPDATE blob SET state = 1 WHERE id IN (
    SELECT id FROM blob WHERE refs = 0 AND state = 0 AND unreferenced_ms < ?1 ORDER BY unreferenced_ms LIMIT ?2)
AND NOT EXISTS (SELECT 1 FROM meta WHERE key >= 'lease:' AND key < 'lease;');

-- name: blob_drop
DELETE FROM blob WHERE id = ?1 AND state = 1 AND refs = 0;

-- name: blob_get
SELECT id, size, refs, state, unreferenced_ms, created_ms, format, key_id FROM blob WHERE id = ?1;

-- name: blob_list
SELECT id, size, refs, state, unreferenced_ms, created_ms, format, key_id FROM blob WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: version_list
SELECT id, node, blob, size, type, sha256, created_ms FROM version WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: hash_pending
SELECT id, blob FROM version WHERE sha256 = '' ORDER BY created_ms LIMIT ?1;

-- name: version_hash
UPDATE version SET sha256 = ?2 WHERE id = ?1 RETURNING node;

-- name: node_hash
UPDATE node SET sha256 = ?3 WHERE id = ?1 AND version = ?2;

-- ---- leases: rows of meta, 'lease:<holder>' with the time of their end ----

-- name: lease_held
SELECT EXISTS (SELECT 1 FROM meta WHERE key = 'lease:' || ?1);

-- name: lease_end
DELETE FROM meta WHERE key = 'lease:' || ?1;

-- name: leases_over
DELETE FROM meta WHERE key >= 'lease:' AND key < 'lease;' AND CAST(value AS INTEGER) <= ?1;

-- ---- a copy for a backup: what must not or cannot come back with it goes ----

-- name: backup_sessions
DELETE FROM session;

-- name: backup_uploads
DELETE FROM upload;

-- name: backup_invites
DELETE FROM invite;

-- name: backup_resets
DELETE FROM reset;

-- name: backup_reserved
UPDATE space SET reserved = 0;

-- name: backup_blobs
DELETE FROM blob WHERE refs = 0;

-- name: backup_leases
DELETE FROM meta WHERE key >= 'lease:' AND key < 'lease;';

-- ---- records as such (meta/record.h): the first column is the key, the others are the row's members ----

-- name: record_list_meta
SELECT key, value FROM meta WHERE key > ?1 AND key IN ('secret', 'store_id') ORDER BY key LIMIT ?2;

-- name: record_put_meta
INSERT INTO meta (key, value) VALUES (?1, ?2->>'value') ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: record_list_user
SELECT id, name, key, role, state, created_ms FROM user WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: record_put_user
INSERT INTO user (id, name, key, role, state, created_ms)
VALUES (?1, ?2->>'name', ?2->>'key', ?2->>'role', ?2->>'state', ?2->>'created_ms')
ON CONFLICT (id) DO UPDATE SET name = excluded.name, key = excluded.key, role = excluded.role, state = excluded.state,
created_ms = excluded.created_ms;

-- name: record_list_credential
SELECT user, hash, set_ms FROM credential WHERE user > ?1 ORDER BY user LIMIT ?2;

-- name: record_put_credential
INSERT INTO credential (user, hash, set_ms) VALUES (?1, ?2->>'hash', ?2->>'set_ms')
ON CONFLICT (user) DO UPDATE SET hash = excluded.hash, set_ms = excluded.set_ms;

-- name: record_list_session
SELECT id, token_hash, user, kind, created_ms, signed_in_ms, expires_ms, address, agent FROM session
WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: record_put_session
INSERT INTO session (id, token_hash, user, kind, created_ms, signed_in_ms, expires_ms, address, agent)
VALUES (?1, ?2->>'token_hash', ?2->>'user', ?2->>'kind', ?2->>'created_ms', ?2->>'signed_in_ms', ?2->>'expires_ms', ?2->>'address',
        ?2->>'agent')
ON CONFLICT (id) DO UPDATE SET token_hash = excluded.token_hash, user = excluded.user, kind = excluded.kind,
created_ms = excluded.created_ms, signed_in_ms = excluded.signed_in_ms, expires_ms = excluded.expires_ms,
address = excluded.address, agent = excluded.agent;

-- name: record_list_invite
SELECT hash, created_ms, expires_ms FROM invite WHERE hash > ?1 ORDER BY hash LIMIT ?2;

-- name: record_put_invite
INSERT INTO invite (hash, created_ms, expires_ms) VALUES (?1, ?2->>'created_ms', ?2->>'expires_ms')
ON CONFLICT (hash) DO UPDATE SET created_ms = excluded.created_ms, expires_ms = excluded.expires_ms;

-- name: record_list_reset
SELECT hash, user, created_ms, expires_ms FROM reset WHERE hash > ?1 ORDER BY hash LIMIT ?2;

-- name: record_put_reset
INSERT INTO reset (hash, user, created_ms, expires_ms) VALUES (?1, ?2->>'user', ?2->>'created_ms', ?2->>'expires_ms')
ON CONFLICT (hash) DO UPDATE SET user = excluded.user, created_ms = excluded.created_ms, expires_ms = excluded.expires_ms;

-- name: record_list_space
SELECT id, kind, personal_of, name, root, quota, used, reserved, tree_rev FROM space WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: record_put_space
INSERT INTO space (id, kind, personal_of, name, root, quota, used, reserved, tree_rev)
VALUES (?1, ?2->>'kind', ?2->>'personal_of', ?2->>'name', ?2->>'root', ?2->>'quota', ?2->>'used', ?2->>'reserved', ?2->>'tree_rev')
ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, personal_of = excluded.personal_of, name = excluded.name,
root = excluded.root, quota = excluded.quota, used = excluded.used, reserved = excluded.reserved, tree_rev = excluded.tree_rev;

-- name: record_list_member
SELECT user || ':' || space, role FROM member
WHERE (user, space) > (substr(?1, 1, 32), substr(?1, 34)) ORDER BY user, space LIMIT ?2;

-- name: record_put_member
INSERT INTO member (user, space, role) VALUES (substr(?1, 1, 32), substr(?1, 34), ?2->>'role')
ON CONFLICT (user, space) DO UPDATE SET role = excluded.role;

-- name: record_list_node
SELECT id, space, parent, name, name_key, kind, live, removed_ms, created_ms, modified_ms, version, blob, size, type, sha256
FROM node WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: record_put_node
INSERT INTO node (id, space, parent, name, name_key, kind, live, removed_ms, created_ms, modified_ms, version, blob, size, type, sha256)
VALUES (?1, ?2->>'space', ?2->>'parent', ?2->>'name', ?2->>'name_key', ?2->>'kind', ?2->>'live', ?2->>'removed_ms',
        ?2->>'created_ms', ?2->>'modified_ms', ?2->>'version', ?2->>'blob', ?2->>'size', ?2->>'type', ?2->>'sha256')
ON CONFLICT (id) DO UPDATE SET space = excluded.space, parent = excluded.parent, name = excluded.name,
name_key = excluded.name_key, kind = excluded.kind, live = excluded.live, removed_ms = excluded.removed_ms,
created_ms = excluded.created_ms, modified_ms = excluded.modified_ms, version = excluded.version, blob = excluded.blob,
size = excluded.size, type = excluded.type, sha256 = excluded.sha256;

-- name: record_list_blob
SELECT id, size, refs, state, unreferenced_ms, created_ms, format, key_id FROM blob WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: record_put_blob
INSERT INTO blob (id, size, refs, state, unreferenced_ms, created_ms, format, key_id)
VALUES (?1, ?2->>'size', ?2->>'refs', ?2->>'state', ?2->>'unreferenced_ms', ?2->>'created_ms', ?2->>'format', ?2->>'key_id')
ON CONFLICT (id) DO UPDATE SET size = excluded.size, refs = excluded.refs, state = excluded.state,
unreferenced_ms = excluded.unreferenced_ms, created_ms = excluded.created_ms, format = excluded.format, key_id = excluded.key_id;

-- name: record_list_version
SELECT id, node, blob, size, type, sha256, created_ms, user FROM version WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: record_put_version
INSERT INTO version (id, node, blob, size, type, sha256, created_ms, user)
VALUES (?1, ?2->>'node', ?2->>'blob', ?2->>'size', ?2->>'type', ?2->>'sha256', ?2->>'created_ms', ?2->>'user')
ON CONFLICT (id) DO UPDATE SET node = excluded.node, blob = excluded.blob, size = excluded.size, type = excluded.type,
sha256 = excluded.sha256, created_ms = excluded.created_ms, user = excluded.user;

-- name: record_list_upload
SELECT id, space, parent, user, blob, name, conflict, must_exist, must_not_exist, etags, declared, charged, offset, modified_ms,
       created_ms, expires_ms FROM upload WHERE id > ?1 ORDER BY id LIMIT ?2;

-- name: record_put_upload
INSERT INTO upload (id, space, parent, user, blob, name, conflict, must_exist, must_not_exist, etags, declared, charged, offset,
                    modified_ms, created_ms, expires_ms)
VALUES (?1, ?2->>'space', ?2->>'parent', ?2->>'user', ?2->>'blob', ?2->>'name', ?2->>'conflict', ?2->>'must_exist',
        ?2->>'must_not_exist', ?2->>'etags', ?2->>'declared', ?2->>'charged', ?2->>'offset', ?2->>'modified_ms', ?2->>'created_ms',
        ?2->>'expires_ms')
ON CONFLICT (id) DO UPDATE SET space = excluded.space, parent = excluded.parent, user = excluded.user, blob = excluded.blob,
name = excluded.name, conflict = excluded.conflict, must_exist = excluded.must_exist, must_not_exist = excluded.must_not_exist,
etags = excluded.etags, declared = excluded.declared, charged = excluded.charged, offset = excluded.offset,
modified_ms = excluded.modified_ms, created_ms = excluded.created_ms, expires_ms = excluded.expires_ms;

-- name: record_list_audit
SELECT printf('%020d', id), at_ms, user, action, space, node, note FROM audit
WHERE id > CAST(?1 AS INTEGER) ORDER BY id LIMIT ?2;

-- name: record_audit_at
SELECT id, at_ms, user, action, space, node, note FROM audit WHERE id = ?1;

-- name: record_put_audit
INSERT INTO audit (id, at_ms, user, action, space, node, note)
VALUES (?1, ?2->>'at_ms', ?2->>'user', ?2->>'action', ?2->>'space', ?2->>'node', ?2->>'note');

-- ---- check: each gives one sentence per finding; the mend_ beside it puts right what can be computed ----

-- name: check_file
SELECT 'The database file: ' || integrity_check || '.' FROM pragma_integrity_check WHERE integrity_check <> 'ok';

-- name: check_links
SELECT 'A row of ' || "table" || ' names a row of ' || parent || ' that does not exist.'
FROM pragma_foreign_key_check WHERE "table" NOT IN ('version', 'node');

-- name: check_version_blob
SELECT 'Version ' || v.id || ' of node ' || v.node || ' has no blob ' || v.blob || '.'
FROM version v WHERE NOT EXISTS (SELECT 1 FROM blob b WHERE b.id = v.blob);

-- name: check_version_size
SELECT 'Version ' || v.id || ' says ' || v.size || ' bytes, its blob ' || b.id || ' has ' || b.size || '.'
FROM version v JOIN blob b ON b.id = v.blob WHERE v.size <> b.size;

-- name: check_version_node
SELECT 'Version ' || v.id || ' belongs to node ' || v.node || ', which does not exist.'
FROM version v WHERE NOT EXISTS (SELECT 1 FROM node n WHERE n.id = v.node);

-- name: check_node_space
SELECT 'Node ' || n.id || ' is in space ' || n.space || ', which does not exist.'
FROM node n WHERE NOT EXISTS (SELECT 1 FROM space s WHERE s.id = n.space);

-- name: check_node_parent
SELECT 'Node ' || n.id || ' is in ' || n.parent || ', which is no folder of its space.'
FROM node n LEFT JOIN node p ON p.id = n.parent
WHERE n.parent <> '00000000000000000000000000000000' AND (p.id IS NULL OR p.kind <> 0 OR p.space <> n.space);

-- name: check_node_top
SELECT 'Node ' || n.id || ' has no parent, but is not the root of space ' || n.space || '.'
FROM node n WHERE n.parent = '00000000000000000000000000000000'
AND NOT EXISTS (SELECT 1 FROM space s WHERE s.id = n.space AND s.root = n.id);

-- name: check_space_root
SELECT 'Space ' || s.id || ' has no live root folder ' || s.root || '.'
FROM space s LEFT JOIN node n ON n.id = s.root
WHERE n.id IS NULL OR (n.live <> 1 AND EXISTS (SELECT 1 FROM member m WHERE m.space = s.id)) -- a removed user's waits for the keeper
   OR n.kind <> 0 OR n.space <> s.id OR n.parent <> '00000000000000000000000000000000';

-- name: check_node_version
SELECT 'File ' || n.id || ' has no version ' || n.version || '.'
FROM node n LEFT JOIN version v ON v.id = n.version WHERE n.kind = 1 AND (v.id IS NULL OR v.node <> n.id);

-- name: check_folder
SELECT 'Folder ' || n.id || ' has contents.'
FROM node n WHERE n.kind = 0
AND (n.version <> '' OR n.blob <> '' OR n.size <> 0 OR n.type <> '' OR n.sha256 <> ''
     OR EXISTS (SELECT 1 FROM version v WHERE v.node = n.id));

-- name: check_node_copy
SELECT 'File ' || n.id || ' does not say the same as its version ' || v.id || '.'
FROM node n JOIN version v ON v.id = n.version AND v.node = n.id
WHERE n.kind = 1 AND (n.blob, n.size, n.type, n.sha256) <> (v.blob, v.size, v.type, v.sha256);

-- name: mend_node_copy
UPDATE node SET (blob, size, type, sha256) = (SELECT v.blob, v.size, v.type, v.sha256 FROM version v WHERE v.id = node.version)
WHERE kind = 1 AND EXISTS (
    SELECT 1 FROM version v WHERE v.id = node.version AND v.node = node.id
    AND (node.blob, node.size, node.type, node.sha256) <> (v.blob, v.size, v.type, v.sha256));

-- name: check_blob_refs
SELECT 'Blob ' || b.id || ' counts ' || b.refs || ' versions, there are ' || (SELECT count(*) FROM version v WHERE v.blob = b.id) || '.'
FROM blob b WHERE b.refs <> (SELECT count(*) FROM version v WHERE v.blob = b.id);

-- name: mend_blob_refs
UPDATE blob SET refs = (SELECT count(*) FROM version v WHERE v.blob = blob.id)
WHERE refs <> (SELECT count(*) FROM version v WHERE v.blob = blob.id);

-- name: check_blob_since
SELECT 'Blob ' || id || ' with ' || refs || ' references says it has none since ' || unreferenced_ms || '.'
FROM blob WHERE (refs = 0) <> (unreferenced_ms <> 0);

-- name: mend_blob_since
UPDATE blob SET unreferenced_ms = iif(refs = 0, unixepoch() * 1000, 0) WHERE (refs = 0) <> (unreferenced_ms <> 0);

-- name: check_blob_dying
SELECT 'Blob ' || id || ' was being removed although ' || refs || ' versions need it; its bytes may be lost.'
FROM blob WHERE state = 1 AND refs > 0;

-- name: mend_blob_dying
UPDATE blob SET state = 0 WHERE state = 1 AND refs > 0;

-- name: check_space_used
SELECT 'Space ' || s.id || ' says ' || s.used || ' bytes used, its versions sum to ' || coalesce(t.size, 0) || '.'
FROM space s LEFT JOIN (SELECT n.space AS space, sum(v.size) AS size FROM version v JOIN node n ON n.id = v.node GROUP BY n.space) t
ON t.space = s.id WHERE s.used <> coalesce(t.size, 0);

-- name: mend_space_used
UPDATE space SET used = coalesce(t.size, 0)
FROM space s LEFT JOIN (SELECT n.space AS space, sum(v.size) AS size FROM version v JOIN node n ON n.id = v.node GROUP BY n.space) t
ON t.space = s.id WHERE space.id = s.id AND space.used <> coalesce(t.size, 0);

-- name: check_space_reserved
SELECT 'Space ' || s.id || ' says ' || s.reserved || ' bytes reserved, its uploads sum to '
       || (SELECT coalesce(sum(u.charged), 0) FROM upload u WHERE u.space = s.id) || '.'
FROM space s WHERE s.reserved <> (SELECT coalesce(sum(u.charged), 0) FROM upload u WHERE u.space = s.id);

-- name: mend_space_reserved
UPDATE space SET reserved = (SELECT coalesce(sum(u.charged), 0) FROM upload u WHERE u.space = space.id)
WHERE reserved <> (SELECT coalesce(sum(u.charged), 0) FROM upload u WHERE u.space = space.id);

-- name: check_user_space
SELECT 'User ' || u.name || ' has no personal space.'
FROM user u WHERE NOT EXISTS (SELECT 1 FROM space s WHERE s.personal_of = u.id);
