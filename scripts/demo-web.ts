/** `npm run demo:web`: the page with a fleet of simulated hosts to try it on, until Ctrl-C. */
import { parseArgs } from 'node:util';
import { type DemoSite, startDemoSite } from '../tools/demo/demo-site.ts';
import { DEMO_HOSTS } from '../tools/demo/hosts.ts';
import { PROGRAM } from '../tools/program.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '8443' } } });
const over = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
});
const site = await startDemoSite({ port: Number(values.port) });
try {
  await begin(site);
  console.log(`${DEMO_HOSTS.length} simulated hosts, and the page:

  ${site.url}

  alice   may everything
  bob     may run on @web
  carol   may look
  The password of all three: ${site.password}

The certificate is from a CA of the demo's own (${site.ca}), so a browser warns of it.
The command line sees the same jobs:

  node ${PROGRAM} jobs ${site.kickArgs.join(' ')}

Ctrl-C ends everything and removes it.`);
  await over;
} finally {
  await site.stop();
}

/** Something to look at: a schedule, and a job that has begun. */
async function begin({ signIn }: DemoSite): Promise<void> {
  const alice = await signIn('alice');
  await alice.ask('schedules', {
    ...{ name: 'nightly-drift', cron: '0 3 * * *', zone: 'Europe/Berlin', choice: { all: true } },
    ...{ action: { noop: true }, reason: 'What would change by itself?' },
  });
  await alice.ask('jobs', { choice: { all: true }, action: { noop: true }, reason: 'A first look' });
}
