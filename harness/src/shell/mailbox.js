// A mail server in an app's container: the last mail to each address stands in /tmp/mail-ADDRESS, with its lines and
// letters as they were before they were packed for the way. Says a word when it can be reached.
const fs = require('fs'), net = require('net');

const unpacked = (mail) => {
  const boundary = mail.match(/boundary="?([^";\n]+)/)?.[1];
  return (boundary ? mail.split(`--${boundary}`) : [mail]).map((part) => {
    const end = part.indexOf('\n\n') + 2;
    const head = part.slice(0, end), packed = part.slice(end);
    const way = head.match(/^content-transfer-encoding: *(\S+)/im)?.[1].toLowerCase();
    if (way === 'base64') return head + Buffer.from(packed, 'base64').toString();
    if (way !== 'quoted-printable') return part;
    return head + packed.replace(/=\n/g, '').replace(/=([0-9A-F]{2})/g, (_, code) => String.fromCharCode(parseInt(code, 16)));
  }).join('\n');
};

const server = net.createServer((client) => {
  const say = (line) => client.write(`${line}\r\n`);
  let rest = '', to = '', mail = null;
  const take = (line) => {
    if (mail !== null) {
      if (line !== '.') { mail.push(line.replace(/^\./, '')); return; }
      fs.writeFileSync(`/tmp/mail-${to}`, unpacked(mail.join('\n')), { mode: 0o600 });
      mail = null;
      say('250 kept');
    } else if (/^RCPT/i.test(line)) {
      to = line.match(/<([^>/]*)>/)[1].toLowerCase();
      say('250 known');
    } else if (/^DATA/i.test(line)) {
      mail = [];
      say('354 go on');
    } else if (/^QUIT/i.test(line)) {
      say('221 bye');
      client.end();
    } else {
      say('250 mailbox');
    }
  };
  client.on('error', () => client.destroy());
  client.on('data', (some) => {
    const lines = (rest + some).split('\r\n');
    rest = lines.pop();
    lines.forEach(take);
  });
  say('220 mailbox');
});
// One that an earlier test started does as well.
server.on('error', (error) => process.stdout.write(error.code === 'EADDRINUSE' ? 'there' : error.message, () => process.exit()));
server.listen(2525, '127.0.0.1', () => process.stdout.write('there'));
