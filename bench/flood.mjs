/**
 * A flood, in a process of its own: holds so many connections open, and a second later makes a new one for each that is put
 * out; or makes so many new ones a second. `node flood.mjs '{"port":8139,"count":300,"addresses":8}'`; prints a line once they
 * are there. Its other settings are those of `Flood` in flooding.ts.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

const settings = JSON.parse(process.argv[2]);
const { port, host = '127.0.0.1', count, addresses, says, text, pem, perSecond } = settings;
const isTls = text !== undefined || says === 'handshake' || pem !== undefined;
const client = pem === undefined ? {} : { key: readFileSync(pem), cert: readFileSync(pem) };
/** The first bytes of a ClientHello that never ends. */
const HELLO = Buffer.from('16030100f8010000f40303', 'hex');

let [open, tried] = [0, 0];
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

/** The first is that of whoever is to be served; of IPv6, all of them are in one /64. */
const addressOf = (i) => {
  const number = i % addresses;
  if (host === '::1') return `fd6b:69:63:6b::${(number + 1).toString(16)}`;
  return number === 0 ? '127.0.0.1' : `127.2.${number >> 8}.${number & 255}`;
};

function tell() {
  if (isTold) return;
  isTold = true;
  console.log('open');
}

function connectFrom(i, onOpen) {
  const where = { port, host, localAddress: addressOf(i) };
  const socket = isTls ? connectTls({ ...where, ...client, rejectUnauthorized: false }) : connect(where);
  socket.once(isTls ? 'secureConnect' : 'connect', () => onOpen(socket));
  return socket.on('error', () => {});
}

/** A byte a second keeps a request going. */
function say(socket, i) {
  if (text === undefined) return;
  socket.write(text.replaceAll('NUMBER', String(i % 1e6).padStart(6, '0')));
  if (says !== 'drips') return;
  const timer = setInterval(() => socket.write('x'), 1000);
  socket.once('close', () => clearInterval(timer));
}

function hold(i) {
  const socket = connectFrom(i, () => {
    open += 1;
    if (says === 'hello') socket.write(HELLO);
    say(socket, i);
    if (open >= count * 0.9) tell();
  });
  if (says !== 'unread') socket.resume();
  socket.once('close', () => {
    tried += 1;
    if (tried >= count) tell(); // more are put out than let in
    setTimeout(hold, 1000, i);
  });
}

/** New connections all the time: each begins a handshake and leaves it at that, or asks and waits for the answer. */
async function begin() {
  const hello = await wholeHello();
  const from = performance.now();
  let begun = 0;
  const one = (i) => {
    const socket = connectFrom(i, () => (isTls ? say(socket, i) : socket.write(hello)));
    socket.resume();
  };
  setInterval(() => {
    for (const due = ((performance.now() - from) * perSecond) / 1000; begun < due; begun += 1) one(begun);
    if (begun > perSecond) tell();
  }, 5);
}

if (perSecond !== undefined) void begin();
else for (let i = 0; i < count; i++) setTimeout(hold, isTls ? i * 2 : i / 4, i);
