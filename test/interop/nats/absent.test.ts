/** Hosts that are absent: who waits for them hears of it when they connect, and asks them then. */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Hellos, sayHello } from '../../../src/transport/nats/hellos.ts';
import { startAgentHere } from '../../support/agent-here.ts';
import { type NatsServer, startNats } from '../../support/nats-server.ts';
import { type Parties, realSite } from '../../support/real-site.ts';
import { writePeople } from '../../web/people.ts';
import { signIn, startServer } from '../../web/web-site.ts';
import { agentIdentity, connectTo, controller, PARTIES, soon } from './way.ts';

test('an agent says that it is here when it connects, and again after each outage of the broker', async () => {
  const server = await startNats(PARTIES);
  const { link } = connectTo(server.address, controller);
  await soon(link);
  let heard = 0;
  const end = new Hellos(link).on(agentIdentity.certname, () => {
    heard += 1;
  });
  const agent = connectTo(server.address, agentIdentity);
  sayHello(agent.link, agentIdentity.certname);
  await expect.poll(() => heard).toBe(1);
  await server.kill('SIGKILL');
  await server.start();
  // The controller may be back later than the agent: then the broker tells it nothing, and its next try finds the agent.
  await soon(link);
  await soon(agent.link);
  end();
});

const LATE = 'late.example.com';

/** A site with a host that is there and one that is not yet. */
async function siteWithLate() {
  let parties: Parties | undefined;
  let server: NatsServer | undefined;
  const nats = async (all: Parties) => {
    parties = all;
    server = await startNats({ ...all, agents: [...all.agents, LATE] });
    return server;
  };
  const site = await realSite(1, () => 'echo begin >> $JOURNAL', { nats });
  site.inventory({ targets: [{ name: LATE, via: 'nats' }] });
  const come = async () => {
    const own = join(site.folder, LATE);
    mkdirSync(own);
    const pkiDir = join(site.folder, 'pki');
    parties?.ca.write(pkiDir, parties.ca.issue(LATE, { role: 'agent' }));
    const program = join(own, 'run');
    writeFileSync(program, `#!/bin/sh\necho begin >> '${join(own, 'journal')}'\n`, { mode: 0o755 });
    const config = {
      ...{ runner: 'command', command: [program], listen: false },
      nats: { servers: [server?.address] },
    };
    writeFileSync(join(own, 'agent.yaml'), JSON.stringify(config));
    const folders = { stateDir: join(own, 'state'), runDir: join(own, 'rundir'), pkiDir };
    await startAgentHere({ configDir: own, certname: LATE, ...folders });
  };
  return { site, come };
}

test('a host that comes later is run once, within the deadline of the job', async () => {
  const { site, come } = await siteWithLate();
  const kicked = site.kick('--all', '--deadline', '10m', '--format', 'jsonl');
  await expect.poll(() => site.journal('web1.example.com')).toEqual(['begin']);
  const [job = ''] = /[0-9a-f]{8}/.exec((await site.kick('jobs')).out) ?? [];
  await expect
    .poll(async () => (await site.kick('jobs', 'show', job)).out)
    .toMatch(
      /1 of 2 are over, 0 were under way\n {2}1 cannot be reached and are tried again: late\.example\.com/,
    );
  await come();
  const { code, out } = await kicked;
  expect(out).toMatch(/kick agent is not connected to the broker; again in/);
  expect(code).toBe(0);
  expect(site.journal(LATE)).toEqual(['begin']);
});

test('a job of kick serve waits for a host, and goes on to wait when the server was killed', async () => {
  const { site, come } = await siteWithLate();
  writePeople(site, { alice: { role: 'operator' } });
  const first = await startServer(site);
  const body = { choice: { all: true }, rollout: { deadline: 36_000 } };
  const { status, json } = await first.ask('jobs', { body, headers: await signIn(first, 'alice') });
  expect(status).toBe(202);
  await expect.poll(() => site.journal('web1.example.com')).toEqual(['begin']);
  const gone = once(first.child, 'exit');
  first.child.kill('SIGKILL');
  await gone;
  const server = await startServer(site);
  const alice = await signIn(server, 'alice');
  const job = async () => (await server.ask(`jobs/${json.job}`, { headers: alice })).json;
  await expect.poll(async () => (await job()).state).toBe('running');
  await come();
  await expect.poll(async () => (await job()).state).toBe('done');
  const { hosts } = (await server.ask(`jobs/${json.job}/hosts`, { headers: alice })).json;
  expect(hosts.map(({ outcome }: { outcome: string }) => outcome)).toEqual(['unchanged', 'unchanged']);
  for (const name of [LATE, 'web1.example.com']) expect(site.journal(name)).toEqual(['begin']);
});
