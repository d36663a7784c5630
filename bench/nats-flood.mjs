/**
 * A flood by a broker's client, in a process of its own: `node nats-flood.mjs '{"port":4222,"perSecond":400,"publish":[…]}'`.
 * Each turn publishes a list of `[subject, reply, base64]`, in which NUMBER is that of the turn and NAME one of `names`. Prints a
 * line after a second. With `pem` and `ca` by mutual TLS.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

const { port, perSecond, publish, names = 1, pem, ca } = JSON.parse(process.argv[2]);
/** Bytes that may wait for the broker. */
const MAX_WAITING = 4 << 20;

const plain = connect({ port, host: '127.0.0.1', noDelay: true });
plain.once('data', () => {
  if (pem === undefined) return begin(plain);
  const [own, authority] = [readFileSync(pem), readFileSync(ca)];
  const socket = connectTls({ socket: plain, key: own, cert: own, ca: authority, servername: 'localhost' });
  socket.once('secureConnect', () => begin(socket));
});

function begin(socket) {
  socket.write('CONNECT {"verbose":false,"pedantic":false,"lang":"flood","version":"0.0.0"}\r\nPING\r\n');
  socket.on('data', (bytes) => {
    if (bytes.includes('PING\r\n')) socket.write('PONG\r\n');
    if (bytes.includes('-ERR')) console.error(bytes.toString());
  });
  socket.on('close', () => process.exit(1));
  const from = performance.now();
  let turns = 0;
  setInterval(() => {
    for (const due = ((performance.now() - from) * perSecond) / 1000; turns < due; turns += 1) {
      if (socket.writableLength > MAX_WAITING) continue;
      for (const one of publish) socket.write(message(one, turns));
    }
    if (turns > perSecond) console.log('open');
  }, 5);
}

function message([subject, reply, base64 = ''], turn) {
  const text = [subject, reply]
    .filter(Boolean)
    .join(' ')
    .replaceAll('NUMBER', String(turn))
    .replaceAll('NAME', String(turn % names));
  const bytes = Buffer.from(base64, 'base64');
  return Buffer.concat([Buffer.from(`PUB ${text} ${bytes.length}\r\n`), bytes, Buffer.from('\r\n')]);
}
