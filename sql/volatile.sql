-- What is written often and need not survive a power cut, in a file of its own: `<database>-volatile`, written
-- with synchronous=OFF, so that a password guesser never holds up those who store files. When this file is
-- damaged or gone it is made anew; nothing in it can be missed.

CREATE TABLE born (
    at_ms INTEGER NOT NULL -- when this file was made: a session without a row below was last seen no later
) STRICT;

CREATE TABLE seen (
    session TEXT    NOT NULL PRIMARY KEY, -- a session's id
    seen_ms INTEGER NOT NULL              -- its last request, to the minute
) STRICT, WITHOUT ROWID;

CREATE INDEX seen_by_time ON seen (seen_ms); -- who has been idle for too long

CREATE TABLE throttle (
    key      TEXT    NOT NULL PRIMARY KEY, -- what is counted
    count    INTEGER NOT NULL,             -- attempts within the window
    until_ms INTEGER NOT NULL              -- the window's end
) STRICT, WITHOUT ROWID;

CREATE INDEX throttle_until ON throttle (until_ms); -- windows that are over
