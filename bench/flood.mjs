/**
 * A flood, in a process of its own: holds so many connections to an agent open, and a second later makes a new one for each that is
 * put out. `node flood.mjs '{"port":8139,"count":300,"addresses":8,"says":"nothing"}'`; prints a line once they are there.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

const { port, count, addresses, says, pem, perSecond } = JSON.parse(process.argv[2]);
const tls = pem === undefined ? undefined : { key: readFileSync(pem), cert: readFileSync(pem) };
/** The first bytes of a ClientHello that never ends. */
const HELLO = Buffer.from('16030100f8010000f40303', 'hex');

let open = 0;
let isTold = false;

/** The first flight of a client of TLS 1.3, as Node writes it. */
function wholeHello() {
  const { promise, resolve } = later();
  const transport = new Duplex({ read() {}, write: (bytes) => resolve(bytes) });
  connectTls({ socket: transport, ALPNProtocols: ['http/1.1'] }).on('error', () => {});
  return promise;
}

function later() {
  const found = {};
  found.promise = new Promise((resolve) => {
    found.resolve = resolve;
  });
  return found;
}

/** The first is the controller's own. */
const addressOf = (i) => {
  const number = i % addresses;
  return number === 0 ? '127.0.0.1' : `127.2.${number >> 8}.${number & 255}`;
};

function hold(i) {
  const where = { port, host: '127.0.0.1', localAddress: addressOf(i) };
  const socket =
    tls === undefined ? connect(where) : connectTls({ ...where, ...tls, rejectUnauthorized: false });
  socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
    open += 1;
    if (says === 'hello') socket.write(HELLO);
    if (open >= count * 0.9 && !isTold) {
      isTold = true;
      console.log('open');
    }
  });
  socket.on('error', () => {});
  socket.once('close', () => setTimeout(hold, 1000, i));
}

/** New connections all the time, each of which begins a handshake and leaves it at that. */
async function begin() {
  const hello = await wholeHello();
  const from = performance.now();
  let begun = 0;
  setInterval(() => {
    for (const due = ((performance.now() - from) * perSecond) / 1000; begun < due; begun += 1) {
      const socket = connect({ port, host: '127.0.0.1', localAddress: addressOf(begun) });
      socket.on('error', () => {});
      socket.once('connect', () => socket.write(hello));
    }
    if (begun > perSecond && !isTold) {
      isTold = true;
      console.log('open');
    }
  }, 5);
}

if (perSecond !== undefined) void begin();
else for (let i = 0; i < count; i++) setTimeout(hold, i / 4, i);
