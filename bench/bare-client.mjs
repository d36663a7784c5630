// The controller's yardstick: a Node program that makes the same handshakes and posts pre-signed requests. It checks
// certificates as Node does, reads the first event, and exits.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { createSecureContext } from 'node:tls';

const [requests, pki, certname, concurrency] = process.argv.slice(2);
const read = (path) => readFileSync(`${pki}/${path}`);
const secureContext = createSecureContext({
  key: read(`private_keys/${certname}.pem`),
  cert: read(`certs/${certname}.pem`),
  ca: read('certs/ca.pem'),
  crl: read('crl.pem'),
  minVersion: 'TLSv1.3',
});
const queue = readFileSync(requests, 'utf8').trim().split('\n');
let failed = 0;

function ask(line) {
  const [servername, host, port, body] = line.split(' ');
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/jose+json', 'content-length': body.length };
    const asked = request(
      { host, port, servername, secureContext, agent: false, method: 'POST', path: '/v1/runs', headers },
      (response) => {
        if (response.statusCode !== 200) failed++;
        response.once('data', () => response.destroy());
        response.on('error', () => {});
        response.on('close', resolve);
      },
    );
    asked.on('error', () => {
      failed++;
      resolve();
    });
    asked.end(body);
  });
}

async function worker() {
  for (let line = queue.shift(); line !== undefined; line = queue.shift()) await ask(line);
}
await Promise.all(Array.from({ length: Number(concurrency) }, worker));
if (failed > 0) {
  console.error(`${failed} failed`);
  process.exitCode = 1;
}
