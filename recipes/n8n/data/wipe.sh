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
  db.exec(`PRAGMA foreign_keys = ON;
    DELETE FROM webhook_entity; DELETE FROM workflow_entity; DELETE FROM credentials_entity;
    DELETE FROM execution_entity; UPDATE user SET firstName = "Nobody";`, end);'
echo "workflows, credentials and executions are gone, and the owner has no name"
