/** A client certificate that its CA has revoked opens nothing any more. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { startKick } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';
import { startServer } from './web-site.ts';

const [CONTROLLER, CLIENT] = ['puppet.example.com', 'deploy.example.com'];

test('a certificate is refused from the start after it was revoked, and others still come in', async () => {
  const folder = tempFolder();
  const [etc, pki] = [join(folder, 'etc'), join(folder, 'pki')];
  const ca = mintCa();
  const [client, other] = [ca.issue(CLIENT), ca.issue('other.example.com')];
  for (const one of [ca.issue(CONTROLLER), client, other]) ca.write(pki, one);
  mkdirSync(etc);
  const certificates = [CLIENT, 'other.example.com'].map((name) => ({ name, role: 'viewer' }));
  const config = { puppetdb: false, web: { certificates } };
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify(config));
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets: [] }));
  const env = {
    ...{ KICK_CONFIG_DIR: etc, KICK_STATE_DIR: join(folder, 'state') },
    ...{ KICK_PKI_DIR: pki, KICK_CERTNAME: CONTROLLER },
  };
  const site = { env, start: (...words: string[]) => startKick(words, { env }) };
  const pair = (name: string) => ({
    cert: readFileSync(join(pki, 'certs', `${name}.pem`)),
    key: readFileSync(join(pki, 'private_keys', `${name}.pem`)),
  });
  const statuses = async () => {
    const server = await startServer(site);
    const ask = async (name: string) => (await server.ask('session', { pair: pair(name) })).status;
    const both = [await ask(CLIENT), await ask('other.example.com')];
    server.child.kill('SIGKILL');
    return both;
  };
  expect(await statuses()).toEqual([200, 200]);
  ca.revoke(client);
  writeFileSync(join(pki, 'crl.pem'), ca.crls());
  expect(await statuses()).toEqual([401, 200]);
});
