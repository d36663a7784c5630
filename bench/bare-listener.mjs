// The agent's yardstick: a Node program that listens with mutual TLS and answers every request with "ok".
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [pki, certname] = process.argv.slice(2);
const read = (path) => readFileSync(`${pki}/${path}`);
const options = {
  key: read(`private_keys/${certname}.pem`),
  cert: read(`certs/${certname}.pem`),
  ca: read('certs/ca.pem'),
  crl: read('crl.pem'),
  requestCert: true,
  minVersion: 'TLSv1.3',
};
const server = createServer(options, (request, response) => {
  request.resume();
  response.setHeader('connection', 'close');
  response.end('ok');
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ msg: 'listening', port: server.address().port }));
});
