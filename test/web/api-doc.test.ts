/** docs/api.md: its examples are run by a shell, with curl, one after the other. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDocument } from '../../scripts/docs.ts';
import { codeBlocks } from '../docs/code-blocks.ts';
import { ended } from '../support/kick.ts';
import { realSite } from '../support/real-site.ts';
import { writePeople } from './people.ts';
import { startServer } from './web-site.ts';

const CA = '/etc/puppetlabs/puppet/ssl/certs/ca.pem';

test('every example of docs/api.md is answered as it should be', async () => {
  const site = await realSite(2, () => 'exit 0');
  site.controllerYaml({ puppetdb: false });
  writePeople(site, { alice: { role: 'operator' } });
  const server = await startServer(site);
  const config = [
    `connect-to = "puppet.example.com:8443:127.0.0.1:${server.port}"`,
    'fail-with-body',
    'write-out = "\\n"',
  ];
  writeFileSync(join(site.folder, '.curlrc'), `${config.join('\n')}\n`);
  const blocks = codeBlocks(readDocument('docs/api.md')).filter(({ language }) => language === 'sh');
  const ca = join(site.env['KICK_PKI_DIR'] ?? '', 'certs', 'ca.pem');
  const text = blocks.map((block) => block.text).join('\n');
  expect(text).toContain(CA);
  const script = ['set -eu', text.replace(CA, ca)].join('\n');
  const env = { ...process.env, CURL_HOME: site.folder };
  const { out: run, err, code } = await ended(spawn('sh', ['-c', script], { cwd: site.folder, env }));
  expect(code, err).toBe(0);
  expect(script.match(/^curl/gm)?.length).toBeGreaterThan(15);
  expect(run).toContain('"unchanged":2');
  expect(run).toMatch(/data: \[.*"type":"done"/);
  expect(run).toContain('"paused":true');
});
