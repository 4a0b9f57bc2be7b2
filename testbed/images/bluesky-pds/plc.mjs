// The directory of identities, with a database that PLC_DATABASE_HOST, _USER, _NAME and _PASSWORD_FILE name.
import { readFileSync } from 'node:fs';
import * as module from '@did-plc/server';

const lib = module.default?.PlcServer ? module.default : module;
const { PLC_DATABASE_HOST: host, PLC_DATABASE_USER: user, PLC_DATABASE_NAME: name, PLC_DATABASE_PASSWORD_FILE: file } = process.env;
const password = encodeURIComponent(readFileSync(file, 'utf8').trim());
const db = lib.Database.postgres({ url: `postgresql://${user}:${password}@${host}:5432/${name}` });
// A database that was just made takes a moment until it can be reached.
for (let left = 60; ; left -= 1) {
  try {
    await db.migrateToLatestOrThrow();
    break;
  } catch (error) {
    if (error.code !== 'ECONNREFUSED' && error.code !== 'ENOTFOUND' || left === 0) throw error;
    await new Promise((done) => setTimeout(done, 1000));
  }
}
const plc = lib.PlcServer.create({ db, port: 2582, version: process.env.PLC_VERSION });
await plc.start();
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => { await plc.destroy(); process.exit(); });
}
