-- Times are milliseconds since the epoch, in UTC. Ids are texts made by the program.

CREATE TABLE users (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL UNIQUE,
    password_hash   TEXT    NOT NULL,
    role            TEXT    NOT NULL,
    created_ms      BIGINT  NOT NULL,
    disabled_ms     BIGINT
);

CREATE TABLE sessions (
    token_hash      TEXT    NOT NULL PRIMARY KEY,
    user_id         TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    csrf_token      TEXT    NOT NULL,
    client_ip       TEXT,
    created_ms      BIGINT  NOT NULL,
    last_seen_ms    BIGINT  NOT NULL,
    expires_ms      BIGINT  NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id, last_seen_ms);
CREATE INDEX sessions_by_expiry ON sessions (expires_ms);

CREATE TABLE login_links (
    token_hash      TEXT    NOT NULL PRIMARY KEY,
    user_id         TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_ms      BIGINT  NOT NULL
);

CREATE TABLE login_attempts (
    subject         TEXT    NOT NULL PRIMARY KEY,
    failures        BIGINT  NOT NULL,
    last_ms         BIGINT  NOT NULL
);
CREATE INDEX login_attempts_by_time ON login_attempts (last_ms);

CREATE TABLE api_keys (
    id              TEXT    NOT NULL PRIMARY KEY,
    name            TEXT    NOT NULL,
    prefix          TEXT    NOT NULL,
    key_hash        TEXT    NOT NULL UNIQUE,
    scopes          TEXT    NOT NULL,
    created_by      TEXT    NOT NULL,
    created_ms      BIGINT  NOT NULL,
    expires_ms      BIGINT,
    last_used_ms    BIGINT,
    revoked_ms      BIGINT
);

CREATE TABLE alerts (
    id                      TEXT    NOT NULL PRIMARY KEY,
    rule_id                 TEXT    NOT NULL,
    rule_group              TEXT    NOT NULL,
    rule                    TEXT    NOT NULL,
    severity                TEXT    NOT NULL,
    labels                  TEXT    NOT NULL,
    annotations             TEXT    NOT NULL,
    value                   DOUBLE PRECISION,
    state                   TEXT    NOT NULL,
    active_ms               BIGINT  NOT NULL,
    fired_ms                BIGINT,
    resolved_ms             BIGINT,
    keep_firing_since_ms    BIGINT,
    held                    BIGINT  NOT NULL,
    acknowledged_by         TEXT,
    acknowledged_ms         BIGINT,
    resolved_by             TEXT,
    note                    TEXT,
    evidence                TEXT    NOT NULL,
    last_notified_ms        BIGINT,
    updated_ms              BIGINT  NOT NULL
);
CREATE INDEX alerts_by_state ON alerts (state, updated_ms);

CREATE TABLE alert_transitions (
    seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    alert_id        TEXT    NOT NULL,
    rule            TEXT    NOT NULL,
    time_ms         BIGINT  NOT NULL,
    from_state      TEXT    NOT NULL,
    to_state        TEXT    NOT NULL,
    value           DOUBLE PRECISION,
    actor           TEXT,
    note            TEXT
);
CREATE INDEX alert_transitions_by_alert ON alert_transitions (alert_id, seq);
CREATE INDEX alert_transitions_by_time ON alert_transitions (time_ms);

CREATE TABLE deliveries (
    id              TEXT    NOT NULL PRIMARY KEY,
    channel         TEXT    NOT NULL,
    thread          TEXT    NOT NULL,
    subject         TEXT    NOT NULL,
    payload         TEXT    NOT NULL,
    state           TEXT    NOT NULL,
    attempts        BIGINT  NOT NULL,
    created_ms      BIGINT  NOT NULL,
    next_attempt_ms BIGINT  NOT NULL,
    finished_ms     BIGINT,
    outcome         TEXT
);
CREATE INDEX deliveries_due ON deliveries (channel, state, next_attempt_ms);
CREATE INDEX deliveries_by_thread ON deliveries (channel, thread, id);
CREATE INDEX deliveries_by_time ON deliveries (created_ms);

CREATE TABLE audit (
    seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    time_ms         BIGINT  NOT NULL,
    actor           TEXT    NOT NULL,
    action          TEXT    NOT NULL,
    target          TEXT,
    detail          TEXT    NOT NULL,
    client_ip       TEXT,
    outcome         TEXT    NOT NULL
);
CREATE INDEX audit_by_time ON audit (time_ms);

CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
