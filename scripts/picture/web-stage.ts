/** A demo site that has a past: jobs of several people, schedules, a token, a host that is disabled. */
import { join } from 'node:path';
import type { Client } from '../../src/cli/demo/api-client.ts';
import type { DemoSite } from '../../src/cli/demo/demo-site.ts';
import { ROOT } from '../../tools/program.ts';

export interface WebStage {
  site: DemoSite;
  /** A job that is over, in which some hosts have failed. */
  done: string;
  /** A look that is over. */
  looked: string;
  /** One that runs, for a while. */
  live: string;
}

const BATCHED = { canary: 2, batches: ['50%'], maxFailures: '20%' };

export async function webStage(): Promise<WebStage> {
  // As it is built: beside src/ there is no page.
  const built = join(ROOT, 'dist', 'cli', 'demo', 'demo-site.js');
  const { startDemoSite }: typeof import('../../src/cli/demo/demo-site.ts') = await import(built);
  const site = await startDemoSite({ port: 0, meanMs: 1000, path: process.env['PATH'] ?? '' });
  try {
    const [alice, bob] = [await site.signIn('alice'), await site.signIn('bob')];
    await schedules(alice);
    await alice.ask('tokens', { name: 'deploy pipeline', role: 'operator', days: 90 });
    await alice.ask('fleet/disable', {
      ...{ choice: { hosts: ['db05.example.com'] }, reason: 'Restoring a backup', for: 7200 },
    });
    const all = { all: true };
    await over(alice, { choice: all, action: { noop: true }, reason: 'What has drifted?' });
    await over(bob, { choice: { hosts: ['@web'] }, rollout: BATCHED, reason: 'CHG-2041 new TLS settings' });
    await over(alice, { choice: { hosts: ['@db', '@cache'] } });
    const looked = await over(alice, { choice: all, action: { noop: true }, reason: 'Before CHG-2057' });
    const done = await over(alice, { choice: all, reason: 'CHG-2057 OpenSSL 3.5.8' });
    const live = await startJob(alice, { choice: all, concurrency: 1, reason: 'CHG-2060 sudoers' });
    return { site, done, looked, live };
  } catch (error) {
    await site.stop();
    throw error;
  }
}

async function schedules(alice: Client): Promise<void> {
  const common = { zone: 'Europe/Berlin', choice: { all: true } };
  const all = [
    { ...common, name: 'nightly-drift', cron: '0 3 * * *', action: { noop: true }, reason: 'Drift report' },
    {
      ...{ ...common, name: 'weekly-web', cron: '30 5 * * 2', choice: { hosts: ['@web'] }, rollout: BATCHED },
      ...{ ifStillRunning: 'wait', missed: 'once', reason: 'Patch day' },
    },
    { ...common, name: 'build-cache', cron: '*/20 * * * *', choice: { hosts: ['@build'] }, paused: true },
  ];
  for (const one of all) await alice.ask('schedules', one);
  await alice.ask('schedules/weekly-web/run', {});
}

const startJob = async (client: Client, wish: object): Promise<string> =>
  (await client.ask('jobs', wish)).job;

/** Starts a job and waits for its end. */
async function over(client: Client, wish: object): Promise<string> {
  const job = await startJob(client, wish);
  for (;;) {
    const { state } = await client.ask(`jobs/${job}`);
    if (state !== 'running') return job;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}
