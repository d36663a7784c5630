/** `npm run demo:web` prints what one needs to sign in, and leaves nothing behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { signedIn } from '../../tools/api-client.ts';
import { DEMO_HOSTS } from '../../tools/demo/hosts.ts';
import { FLEET_CONTROLLER } from '../../tools/fleet/plan.ts';
import { ROOT } from '../../tools/program.ts';
import { afterwards } from '../support/afterwards.ts';

test('the demo of the page: hosts that run and say what changed, until Ctrl-C', async () => {
  const demo = spawn(
    process.execPath,
    ['--import', 'tsx', join(ROOT, 'scripts/demo-web.ts'), '--port', '0'],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  afterwards(() => demo.kill('SIGKILL'));
  let said = '';
  for await (const chunk of demo.stdout.iterator({ destroyOnReturn: false })) {
    said += String(chunk);
    if (said.includes('Ctrl-C ends')) break;
  }
  const [, port = ''] = /https:\/\/localhost:(\d+)\//.exec(said) ?? [];
  const [, password = ''] = /password of all three: (\S+)/.exec(said) ?? [];
  const [, ca = ''] = /\((\/\S+ca\.pem)\)/.exec(said) ?? [];
  const options = { port: Number(port), ca: readFileSync(ca), servername: FLEET_CONTROLLER };
  const bob = await signedIn(options, { name: 'bob', password });
  const { jobs } = await bob.ask('jobs');
  expect(jobs).toMatchObject([{ hosts: DEMO_HOSTS.length, noop: true }]);
  // What they may is cut to their hosts.
  const { chosen } = await bob.ask('hosts/resolve', { choice: { all: true } });
  expect(chosen).toBe(DEMO_HOSTS.filter(({ group }) => group === 'web').length);
  await expect.poll(async () => (await bob.ask('jobs/last')).state).toBe('done');
  const { groups } = await bob.ask('jobs/last/changes');
  expect(groups[0].resources[0]).toMatchObject({ status: 'pending', events: [{ status: 'noop' }] });

  const over = once(demo, 'exit');
  demo.kill('SIGINT');
  expect(await over).toEqual([0, null]);
  expect(existsSync(ca)).toBe(false);
});
