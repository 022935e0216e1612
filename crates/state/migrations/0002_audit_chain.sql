-- The audit log becomes a chain: each entry has the hash of itself and of the one before it, as docs/audit.md
-- describes. SQLite cannot make the hashes: the entries that are there wait in audit_unchained until the program,
-- right after this, has put them into the new table.

DROP TRIGGER audit_is_append_only;
DROP INDEX audit_by_time;
ALTER TABLE audit RENAME TO audit_unchained;

CREATE TABLE audit (
    seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    time_ms         BIGINT  NOT NULL,
    actor           TEXT    NOT NULL,
    action          TEXT    NOT NULL,
    target          TEXT,
    detail          TEXT    NOT NULL,
    client_ip       TEXT,
    outcome         TEXT    NOT NULL,
    previous_hash   BLOB    NOT NULL,
    hash            BLOB    NOT NULL
);
CREATE INDEX audit_by_time ON audit (time_ms);

-- The highest number that was ever given, which an entry that is gone from the end does not lower, and the hash of
-- the last entry, null when there is none.
CREATE VIEW audit_head AS
    SELECT MAX(COALESCE((SELECT MAX(seq) FROM sqlite_sequence WHERE name = 'audit'), 0),
               COALESCE((SELECT MAX(seq) FROM audit), 0)) AS written,
           (SELECT hash FROM audit ORDER BY seq DESC LIMIT 1) AS hash;

CREATE TRIGGER audit_is_a_chain BEFORE INSERT ON audit
WHEN NEW.seq <= (SELECT written FROM audit_head)
  OR NEW.previous_hash <> (SELECT COALESCE(hash, zeroblob(32)) FROM audit_head)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is a chain: an entry goes after the last one');
END;

CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

-- Retention writes first what it removes: the last entry is then a checkpoint that covers the one to be removed.
CREATE TRIGGER audit_is_removed_by_retention_alone BEFORE DELETE ON audit
WHEN NOT EXISTS (
    SELECT 1 FROM (SELECT action, detail FROM audit ORDER BY seq DESC LIMIT 1) AS newest
    WHERE newest.action = 'audit.checkpoint' AND json_extract(newest.detail, '$.last_seq') >= OLD.seq)
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
