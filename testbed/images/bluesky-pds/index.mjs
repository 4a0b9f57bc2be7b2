// The server of accounts, by the variables PDS_….
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import * as module from '@atproto/pds';

const { PDS, envToCfg, envToSecrets, readEnv } = module.PDS ? module : module.default;
const env = readEnv();
const about = createRequire(import.meta.url).resolve('@atproto/pds').replace(/(@atproto\/pds)\/.*/, '$1/package.json');
env.version ||= JSON.parse(readFileSync(about, 'utf8')).version;
const pds = await PDS.create(envToCfg(env), envToSecrets(env));
await pds.start();
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => { await pds.destroy(); process.exit(); });
}
