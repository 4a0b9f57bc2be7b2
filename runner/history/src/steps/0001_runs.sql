-- The journals, and what lists and pages ask for of them. Everything but `chunks` can be made again from `chunks`.

CREATE TABLE runs (
    id           INTEGER PRIMARY KEY,
    run          TEXT NOT NULL UNIQUE,
    recipe       TEXT NOT NULL,
    head         TEXT NOT NULL,
    head_subject TEXT NOT NULL,
    head_version TEXT,
    base         TEXT,
    pull         INTEGER,
    source       TEXT NOT NULL,
    host         TEXT NOT NULL,
    cc_ci        TEXT NOT NULL,
    only_json    TEXT NOT NULL,    -- the part that was asked for, as a JSON list; [] is everything
    at_ms        INTEGER NOT NULL, -- Unix time of the start
    took_ms      INTEGER NOT NULL,
    worked_ms    INTEGER,
    state        TEXT NOT NULL,    -- live, ended, no-end
    tone         TEXT NOT NULL,
    word         TEXT,             -- passed, failed, cancelled; none without a verdict
    cause        TEXT,
    kind         TEXT,
    stage        TEXT,             -- the one that decided
    line         TEXT NOT NULL,
    look_at      TEXT,
    telling      INTEGER NOT NULL, -- whole, with a verdict that is about the recipe
    lines        INTEGER NOT NULL, -- of the journal
    bytes        INTEGER NOT NULL, -- of the journal, that these lines are
    file_bytes   INTEGER NOT NULL, -- the journal's length when it was read last
    sealed       INTEGER NOT NULL, -- nobody writes to the journal any more, and all of it is here
    remarks_json TEXT NOT NULL
) STRICT;
CREATE INDEX runs_by_time ON runs (at_ms, run);
CREATE INDEX runs_by_recipe ON runs (recipe, at_ms, run);
CREATE INDEX runs_by_pull ON runs (recipe, pull, at_ms, run) WHERE pull IS NOT NULL;
CREATE INDEX runs_by_tone ON runs (tone, at_ms, run);
CREATE INDEX runs_by_recipe_and_tone ON runs (recipe, tone, at_ms, run);
CREATE INDEX runs_alike ON runs (recipe, head);
CREATE INDEX runs_live ON runs (at_ms, run) WHERE state = 'live';

CREATE TABLE stages (
    run         INTEGER NOT NULL,
    stage       TEXT NOT NULL,
    place       INTEGER NOT NULL,
    state       TEXT NOT NULL,     -- waiting, running, or its outcome
    cause       TEXT,
    kind        TEXT,
    what        TEXT,
    reason      TEXT,
    busy_with   TEXT,
    from_ms     INTEGER,
    took_ms     INTEGER,
    expected_ms INTEGER,
    memory_peak INTEGER,
    disk        INTEGER,
    PRIMARY KEY (run, stage)
) STRICT, WITHOUT ROWID;

CREATE TABLE checks (
    run     INTEGER NOT NULL,
    line    INTEGER NOT NULL,      -- of the journal, from 0
    stage   TEXT NOT NULL,
    name    TEXT NOT NULL,
    origin  TEXT NOT NULL,
    outcome TEXT NOT NULL,
    cause   TEXT,
    kind    TEXT,
    text    TEXT NOT NULL,
    took_ms INTEGER NOT NULL,
    PRIMARY KEY (run, line)
) STRICT, WITHOUT ROWID;
CREATE INDEX checks_red ON checks (run) WHERE outcome = 'failed';

-- The journal itself, compressed in pieces, so that a window of it costs a piece and not the whole.
CREATE TABLE chunks (
    run   INTEGER NOT NULL,
    first INTEGER NOT NULL,        -- its first line, from 0
    lines INTEGER NOT NULL,
    bytes INTEGER NOT NULL,        -- before it was compressed
    data  BLOB NOT NULL,
    UNIQUE (run, first)
) STRICT;
