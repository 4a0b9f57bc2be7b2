#!/usr/bin/env bash
# Workflows, credentials and executions go from the database under the running n8n, as a lost disk
# takes them. The owner stays, with another name: n8n could make no new one before it starts again.
set -euo pipefail

"$CCCI_EXEC" app -- node -e '
  const fs = require("fs"), child = require("child_process");
  const n8n = fs.realpathSync(child.execSync("command -v n8n", { encoding: "utf8" }).trim());
  const sqlite3 = require("module").createRequire(n8n)("sqlite3");
  const end = (error) => { if (error) { console.error(error.message); process.exit(1); } };
  const db = new sqlite3.Database(`${process.env.HOME}/.n8n/database.sqlite`, sqlite3.OPEN_READWRITE, end);
  db.configure("busyTimeout", 20000);
  // Which tables there are differs by release. n8n 2 lets nobody delete a workflow that is active, so keys are not followed.
  const kinds = ["webhook", "workflow", "credential", "execution", "shared_"];
  const named = kinds.map((kind) => `name GLOB "${kind}*"`).join(" OR ");
  db.all(`SELECT name FROM sqlite_master WHERE type = "table" AND (${named})`, (error, tables) => {
    end(error);
    const missing = kinds.find((kind) => !tables.some(({ name }) => name.startsWith(kind)));
    if (missing) end(new Error(`there is no table ${missing}*`));
    const deletions = tables.map(({ name }) => `DELETE FROM ${name};`).join("");
    db.exec(`PRAGMA foreign_keys = OFF; BEGIN; ${deletions} UPDATE user SET firstName = "Nobody"; COMMIT;`, end);
  });'
echo "workflows, credentials and executions are gone, and the owner has no name"
