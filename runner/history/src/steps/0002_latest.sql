-- What the overview shows of each recipe, and the files that tests left.

CREATE INDEX runs_telling ON runs (recipe, at_ms, run) WHERE telling = 1;
CREATE INDEX runs_telling_of_main ON runs (recipe, at_ms, run) WHERE telling = 1 AND pull IS NULL;
CREATE INDEX runs_with_verdict ON runs (recipe, at_ms, run) WHERE word IS NOT NULL;
CREATE INDEX runs_green ON runs (recipe, at_ms, run) WHERE word = 'passed';
CREATE INDEX runs_green_whole ON runs (recipe, at_ms, run) WHERE word = 'passed' AND telling = 1;

CREATE TABLE latest (
    recipe      TEXT PRIMARY KEY,
    newest      INTEGER NOT NULL,
    main        INTEGER,           -- the newest telling one that no pull request asked for
    telling     INTEGER,
    verdict     INTEGER,
    green       INTEGER,
    green_whole INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO latest
SELECT r.recipe,
    (SELECT id FROM runs WHERE recipe = r.recipe ORDER BY at_ms DESC, run DESC LIMIT 1),
    (SELECT id FROM runs WHERE recipe = r.recipe AND telling = 1 AND pull IS NULL ORDER BY at_ms DESC, run DESC LIMIT 1),
    (SELECT id FROM runs WHERE recipe = r.recipe AND telling = 1 ORDER BY at_ms DESC, run DESC LIMIT 1),
    (SELECT id FROM runs WHERE recipe = r.recipe AND word IS NOT NULL ORDER BY at_ms DESC, run DESC LIMIT 1),
    (SELECT id FROM runs WHERE recipe = r.recipe AND word = 'passed' ORDER BY at_ms DESC, run DESC LIMIT 1),
    (SELECT id FROM runs WHERE recipe = r.recipe AND word = 'passed' AND telling = 1
        ORDER BY at_ms DESC, run DESC LIMIT 1)
FROM (SELECT DISTINCT recipe FROM runs) r;

CREATE TABLE files (
    run   INTEGER NOT NULL,
    name  TEXT NOT NULL,           -- below the folder artifacts/ of the run
    bytes INTEGER NOT NULL,
    data  BLOB NOT NULL,           -- compressed
    UNIQUE (run, name)
) STRICT;

-- Databases that were set aside, and of which everything that can be read is in this one.
CREATE TABLE salvaged (
    file TEXT PRIMARY KEY,
    runs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Their files were not taken: each run's folder is looked at once more.
UPDATE runs SET sealed = 0;
-- Files of a run's folder that are not in `files`: they are too many or too large.
ALTER TABLE runs ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;
