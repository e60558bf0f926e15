-- The records of a Coffer store in SQLite: the whole schema as it is now.
--
-- A new store is made by this file; an older one is brought here by the upgrade-NNNN-*.sql files, in order
-- (NNNN is the version they lead to; a change of this file is a change of one of those). The file
-- `<database>-volatile` beside it has its own schema, volatile.sql.
--
-- Ids are 32 characters of [0-9a-f]. Times are milliseconds since 1970 UTC, sizes bytes. Enumerations are the
-- numbers of model/model.h. Columns are never NULL unless they say so: "" and 0 stand for "none".

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY, -- 'schema_version' (decimal), 'store_id' (also in the blob store), 'secret', 'lease:ID' (its end)
    value TEXT NOT NULL              -- what it says
) STRICT, WITHOUT ROWID;

-- ---- people ----

CREATE TABLE user (
    id         TEXT    NOT NULL PRIMARY KEY, -- the account's id
    name       TEXT    NOT NULL,             -- the login name as it was typed
    key        TEXT    NOT NULL UNIQUE,      -- the login name folded: what signing in looks for
    role       INTEGER NOT NULL CHECK (role BETWEEN 0 AND 1),  -- enum role: 0 user, 1 admin
    state      INTEGER NOT NULL CHECK (state BETWEEN 0 AND 1), -- enum user_state: 0 active, 1 disabled
    created_ms INTEGER NOT NULL              -- when the account was made
) STRICT, WITHOUT ROWID;

CREATE INDEX user_admin ON user (role) WHERE role = 1 AND state = 0; -- who can administer: one is to stay

CREATE TABLE credential (
    user   TEXT    NOT NULL PRIMARY KEY REFERENCES user (id), -- whose it is
    hash   TEXT    NOT NULL,                                  -- the password's argon2id hash in PHC form
    set_ms INTEGER NOT NULL                                   -- when it was last set
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    id           TEXT    NOT NULL PRIMARY KEY,           -- names the session to its user; grants nothing
    token_hash   TEXT    NOT NULL UNIQUE,                -- SHA-256 of the opaque token, hexadecimal
    user         TEXT    NOT NULL REFERENCES user (id),  -- who is signed in
    kind         INTEGER NOT NULL CHECK (kind = 0),      -- enum session_kind: 0 browser
    created_ms   INTEGER NOT NULL,                       -- when it began
    signed_in_ms INTEGER NOT NULL,                       -- when the password was last given
    expires_ms   INTEGER NOT NULL,                       -- its hard end, whatever happens
    address      TEXT    NOT NULL,                       -- the client's address at the start
    agent        TEXT    NOT NULL                        -- the client's User-Agent at the start
) STRICT, WITHOUT ROWID;

CREATE INDEX session_user ON session (user, created_ms); -- a user's sessions, oldest first
CREATE INDEX session_expires ON session (expires_ms);    -- what is over

-- ---- what links grant ----

CREATE TABLE invite (
    hash       TEXT    NOT NULL PRIMARY KEY, -- SHA-256 of the token in the link, hexadecimal; the row goes when it is used
    created_ms INTEGER NOT NULL,             -- when it was made
    expires_ms INTEGER NOT NULL              -- no account is made with it any more
) STRICT, WITHOUT ROWID;

CREATE INDEX invite_expires ON invite (expires_ms); -- what is over

CREATE TABLE reset (
    hash       TEXT    NOT NULL PRIMARY KEY,          -- SHA-256 of the token in the link, hexadecimal; the row goes when it is used
    user       TEXT    NOT NULL REFERENCES user (id), -- whose password can be set with it
    created_ms INTEGER NOT NULL,                      -- when it was made
    expires_ms INTEGER NOT NULL                       -- no password is set with it any more
) STRICT, WITHOUT ROWID;

CREATE INDEX reset_user ON reset (user);          -- a user's
CREATE INDEX reset_expires ON reset (expires_ms); -- what is over

-- ---- spaces ----

CREATE TABLE space (
    id          TEXT    NOT NULL PRIMARY KEY,           -- the space's id
    kind        INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1), -- enum space_kind: 0 personal, 1 team
    personal_of TEXT    UNIQUE REFERENCES user (id),    -- whose personal space it is; NULL for a team's, and while a removed user's goes
    name        TEXT    NOT NULL,                       -- its name; "" for a personal one
    root        TEXT    NOT NULL UNIQUE,                -- the node at its top
    quota       INTEGER NOT NULL CHECK (quota >= 0),    -- most bytes it may hold; 0 means no limit
    used        INTEGER NOT NULL CHECK (used >= 0),     -- sum of the sizes of all versions in it
    reserved    INTEGER NOT NULL CHECK (reserved >= 0), -- sum of what its open uploads are charged
    tree_rev    INTEGER NOT NULL                        -- counts changes that must exclude each other: moves, members
) STRICT, WITHOUT ROWID;

CREATE TABLE member (
    user  TEXT    NOT NULL REFERENCES user (id),           -- who
    space TEXT    NOT NULL REFERENCES space (id),          -- where
    role  INTEGER NOT NULL CHECK (role BETWEEN 1 AND 5),   -- enum member_role: 1 viewer ... 5 owner
    PRIMARY KEY (user, space)
) STRICT, WITHOUT ROWID;

CREATE INDEX member_space ON member (space); -- a space's members

-- ---- files and folders ----

CREATE TABLE node (
    id          TEXT    NOT NULL PRIMARY KEY,              -- the file's or folder's id, the same for its whole life
    space       TEXT    NOT NULL REFERENCES space (id),    -- where it lives
    parent      TEXT    NOT NULL,                          -- the folder it is in; 32 zeros for a root (so no foreign key)
    name        TEXT    NOT NULL,                          -- its name, NFC; "" for a root
    name_key    TEXT    NOT NULL,                          -- the name folded: orders lists
    kind        INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 1), -- enum node_kind: 0 folder, 1 file
    live        INTEGER NOT NULL CHECK (live BETWEEN 0 AND 1), -- 0 once deleted; what is below it is dead with it
    removed_ms  INTEGER NOT NULL,                          -- when it was deleted; 0 while live
    created_ms  INTEGER NOT NULL,                          -- when it was made
    modified_ms INTEGER NOT NULL,                          -- when its contents changed, as its owner says
    version     TEXT    NOT NULL,                          -- copy of the current version: id
    blob        TEXT    NOT NULL,                          -- copy of the current version: contents
    size        INTEGER NOT NULL CHECK (size >= 0),        -- copy of the current version: bytes
    type        TEXT    NOT NULL,                          -- copy of the current version: media type
    sha256      TEXT    NOT NULL                           -- copy of the current version: hash, "" until known
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX node_name ON node (parent, name, space) WHERE live = 1; -- one live node of a name in a folder; roots differ by space
CREATE INDEX node_list ON node (parent, live, kind, name_key, id);      -- a folder's list by name
CREATE INDEX node_dead ON node (removed_ms) WHERE live = 0;             -- what waits for the keeper

CREATE TABLE version (
    id         TEXT    NOT NULL PRIMARY KEY,               -- one row for every contents a file has or had
    node       TEXT    NOT NULL REFERENCES node (id),      -- the file
    blob       TEXT    NOT NULL REFERENCES blob (id),      -- where the bytes are
    size       INTEGER NOT NULL CHECK (size >= 0),         -- bytes; counted in the space's used
    type       TEXT    NOT NULL,                           -- media type, by our own finding
    sha256     TEXT    NOT NULL,                           -- hash of the contents, hexadecimal; "" until known
    created_ms INTEGER NOT NULL,                           -- when it was stored
    user       TEXT    NOT NULL                            -- who stored it; "" when nobody was signed in
) STRICT, WITHOUT ROWID;

CREATE INDEX version_node ON version (node);                              -- a file's versions
CREATE INDEX version_blob ON version (blob);                              -- who needs a blob
CREATE INDEX version_unhashed ON version (created_ms) WHERE sha256 = '';  -- what the keeper has yet to hash

CREATE TABLE blob (
    id              TEXT    NOT NULL PRIMARY KEY,               -- its name in the blob store, random
    size            INTEGER NOT NULL CHECK (size >= 0),         -- bytes
    refs            INTEGER NOT NULL CHECK (refs >= 0),         -- how many versions need it
    state           INTEGER NOT NULL CHECK (state BETWEEN 0 AND 1), -- enum blob_state: 0 live, 1 dying: its bytes may be gone
    unreferenced_ms INTEGER NOT NULL,                           -- since when refs is 0; 0 while it is not
    created_ms      INTEGER NOT NULL,                           -- when it was stored
    format          INTEGER NOT NULL,                           -- how the bytes are kept: 0 as they are
    key_id          TEXT    NOT NULL                            -- the key they are encrypted with; "" for none
) STRICT, WITHOUT ROWID;

CREATE INDEX blob_unreferenced ON blob (unreferenced_ms) WHERE refs = 0; -- what can be collected

-- ---- uploads ----

CREATE TABLE upload (
    id             TEXT    NOT NULL PRIMARY KEY,            -- the reservation; whoever removes the row refunds it
    space          TEXT    NOT NULL REFERENCES space (id),  -- what is charged
    parent         TEXT    NOT NULL,                        -- the target folder; it may go before the upload does
    user           TEXT    NOT NULL,                        -- whose upload it is; "" when nobody was signed in
    blob           TEXT    NOT NULL,                        -- the id its bytes will have
    name           TEXT    NOT NULL,                        -- the file's name; "" for a form with files yet unknown
    conflict       INTEGER NOT NULL CHECK (conflict BETWEEN 0 AND 2), -- enum conflict: 0 fail, 1 replace, 2 rename
    must_exist     INTEGER NOT NULL,                        -- 1: If-Match: *
    must_not_exist INTEGER NOT NULL,                        -- 1: If-None-Match: *
    etags          TEXT    NOT NULL,                        -- If-Match: blob ids separated by blanks
    declared       INTEGER NOT NULL,                        -- bytes announced; -1 when unknown
    charged        INTEGER NOT NULL CHECK (charged >= 0),   -- bytes of the space's reserved that are its
    offset         INTEGER NOT NULL,                        -- bytes that have arrived (resumable uploads)
    modified_ms    INTEGER NOT NULL,                        -- the file's time; 0: when it is stored
    created_ms     INTEGER NOT NULL,                        -- when it was granted
    expires_ms     INTEGER NOT NULL                         -- when the keeper may take it back
) STRICT, WITHOUT ROWID;

CREATE INDEX upload_expires ON upload (expires_ms); -- what is over

-- ---- what happened ----

CREATE TABLE audit (
    id     INTEGER PRIMARY KEY, -- in the order of the deeds
    at_ms  INTEGER NOT NULL,    -- when
    user   TEXT    NOT NULL,    -- who did it, or whose account it is; "" for the server itself
    action TEXT    NOT NULL,    -- the verb of meta/meta.h
    space  TEXT    NOT NULL,    -- where; "" outside of spaces
    node   TEXT    NOT NULL,    -- to which file or folder; "" for none
    note   TEXT    NOT NULL     -- the name or address concerned
) STRICT;
