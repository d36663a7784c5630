/** The file `denied` in the folder of the configuration, on both sides, with real agents. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kickHere } from '../support/kick-here.ts';
import { agentSite, NAME, startRealAgent } from '../support/real-agent.ts';
import { SITE_CONTROLLER as CONTROLLER, realSite } from '../support/real-site.ts';
import { tempFolder } from '../support/temp.ts';

test('a host whose name is in it is not kicked, and the others are', async () => {
  const site = await realSite(2, () => 'echo ran >> "$JOURNAL"');
  writeFileSync(join(site.env['KICK_CONFIG_DIR'] ?? '', 'denied'), 'web1.example.com # stolen on Monday\n');
  const { code, out } = await site.kick('web[1-2]');
  expect(code).toBe(3);
  expect(out).toMatch(/web1\S* +unreachable .*the certificate there is denied here: web1\.example\.com/s);
  expect([site.journal('web1.example.com'), site.journal('web2.example.com')]).toEqual([[], ['ran']]);
});

test('a line that nobody understands is exit 2, and nothing is sent', async () => {
  const site = await realSite(1, () => 'echo ran >> "$JOURNAL"');
  writeFileSync(join(site.env['KICK_CONFIG_DIR'] ?? '', 'denied'), 'web2.example.com\nweb[1-3]\n');
  const { code, err } = await site.kick('web1');
  expect({ code, err }).toMatchObject({
    code: 2,
    err: expect.stringMatching(/denied": line 2: "web\[1-3\]" is not/),
  });
  expect(site.journal('web1.example.com')).toEqual([]);
});

test('an agent shuts out a controller within seconds of its being written down', async () => {
  const folder = tempFolder();
  const { ca, command } = agentSite(folder, { command: ['/bin/true'] });
  const [etc, pki] = [join(folder, 'etc'), join(folder, 'pki')];
  ca.write(pki, ca.issue(CONTROLLER));
  const agent = await startRealAgent(command());
  const inventory = { targets: [{ name: NAME, uri: `127.0.0.1:${agent.port}` }] };
  const controllerDir = tempFolder();
  writeFileSync(join(controllerDir, 'inventory.yaml'), JSON.stringify(inventory));
  const env = {
    ...{ KICK_CONFIG_DIR: controllerDir, KICK_STATE_DIR: join(controllerDir, 'state') },
    ...{ KICK_PKI_DIR: pki, KICK_CERTNAME: CONTROLLER },
  };
  const ping = async () => (await kickHere(['ping', NAME], { env })).code;
  expect(await ping()).toBe(0);
  writeFileSync(join(etc, 'denied'), `${CONTROLLER}\n`);
  await expect.poll(ping, { interval: 500 }).toBe(3);
  writeFileSync(join(etc, 'denied'), '');
  await expect.poll(ping, { interval: 500 }).toBe(0);
});
