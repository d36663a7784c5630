// The yardstick of the controller: a Node program that makes the same handshakes and asks each host one question.
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { createSecureContext } from 'node:tls';

const [targets, pki, certname, concurrency] = process.argv.slice(2);
const read = (path) => readFileSync(`${pki}/${path}`);
const secureContext = createSecureContext({
  key: read(`private_keys/${certname}.pem`),
  cert: read(`certs/${certname}.pem`),
  ca: read('certs/ca.pem'),
  crl: read('crl.pem'),
  minVersion: 'TLSv1.3',
});
const queue = readFileSync(targets, 'utf8').trim().split('\n');
let failed = 0;

function ask(line) {
  const [servername, host, port] = line.split(' ');
  return new Promise((resolve) => {
    const asked = request(
      { host, port, servername, secureContext, agent: false, path: '/v1/status' },
      (response) => {
        if (response.statusCode !== 200) failed++;
        response.resume();
        response.on('close', resolve);
      },
    );
    asked.on('error', () => {
      failed++;
      resolve();
    });
    asked.end();
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
