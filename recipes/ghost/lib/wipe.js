// Takes posts and members out of the database, and images off the disk, under the running Ghost. Where they are, it
// learns from that Ghost: from its settings, by its own code.
const fs = require('fs'), path = require('path');

const ghost = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((id) => {
  try {
    const main = fs.readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0').find((word) => /^[\w./-]*index\.js$/.test(word));
    return main && { id, main };
  } catch { return undefined; }
}).find(Boolean);
if (!ghost) throw new Error('there is no process that runs Ghost');

// Only a process of the same user may read how another one was started.
const { uid, gid } = fs.statSync(`/proc/${ghost.id}`);
if (process.getuid() === 0 && uid !== 0) { process.setgid(gid); process.setuid(uid); }
for (const line of fs.readFileSync(`/proc/${ghost.id}/environ`, 'utf8').split('\0').filter(Boolean)) {
  const at = line.indexOf('=');
  process.env[line.slice(0, at)] = line.slice(at + 1);
}
process.chdir(fs.realpathSync(`/proc/${ghost.id}/cwd`));
const load = require('module').createRequire(fs.realpathSync(path.resolve(ghost.main)));
const config = load('./core/shared/config');
const { knex } = load('./core/server/data/db');

(async () => {
  const gone = {};
  await knex.transaction(async (change) => {
    // What refers to them is lost with them.
    await change.raw('SET FOREIGN_KEY_CHECKS = 0');
    for (const table of ['posts', 'members']) gone[table] = await change(table).del();
  });
  const images = config.getContentPath('images');
  const files = fs.readdirSync(images, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  gone.images = files.length;
  fs.readdirSync(images).forEach((name) => fs.rmSync(path.join(images, name), { recursive: true }));
  const none = Object.keys(gone).filter((what) => !gone[what]);
  if (none.length) throw new Error(`there were no ${none.join(' and no ')} to destroy`);
  console.log(Object.entries(gone).map(([what, count]) => `${count} ${what}`).join(', '));
  await knex.destroy();
  process.exit();
})().catch((error) => { console.error(error.message); process.exit(1); });
