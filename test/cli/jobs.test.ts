/** Jobs as an operator meets them: real agents, real kicks, killed with real signals. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ended } from '../support/kick.ts';
import { realSite } from '../support/real-site.ts';

const NOTED = 'echo begin >>"$JOURNAL"; sleep 0.2; echo end >>"$JOURNAL"; exit 2';
const HELD = 'echo begin >>"$JOURNAL"; held; echo end >>"$JOURNAL"; exit 2';

test('jobs are listed and shown, and a rerun asks those again that did not do as asked', async () => {
  const { kick, inventory } = await realSite(
    3,
    (_name, index) => `echo "line of ${index}"; exit ${index === 1 ? 1 : 2}`,
  );
  inventory({ targets: [{ name: 'down.example.com', uri: '127.0.0.1:1' }] });
  const first = await kick('--all', '--reason', 'a reason', '--format', 'json');
  expect(first.code).toBe(1);
  const { job } = JSON.parse(first.out) as { job: string };

  const list = await kick('jobs');
  expect(list.out).toMatch(
    new RegExp(`^  ${job.slice(-8)}  .*      4  1 failed, 1 unreachable|2 changed`, 'm'),
  );
  expect(list.out).toContain('a reason');
  expect(JSON.parse((await kick('jobs', '--format', 'json')).out)).toMatchObject([
    { job, hosts: 4, state: 'done', exit: 1, counts: { changed: 2, failed: 1, unreachable: 1 } },
  ]);
  expect((await kick('jobs', '--outcome', 'busy')).out).toBe('no jobs\n');
  expect((await kick('jobs', '--since', '1h', '--outcome', 'failed')).out).toContain(job.slice(-8));

  const shown = await kick('jobs', 'show', 'last');
  expect(shown.out).toContain('  why    a reason');
  expect(shown.out).toMatch(/web2.example.com {2}failed/);
  const host = await kick('jobs', 'show', job.slice(-8), '--host', 'web2');
  expect(host.out).toContain('output: line of 1');
  expect(host.out).not.toContain('line of 2');
  const whole = JSON.parse((await kick('jobs', 'show', 'last', '--format', 'json')).out);
  expect(whole).toMatchObject({ job, by: { reason: 'a reason' }, exit: 1 });
  expect((await kick('jobs', 'show', 'last', '--host', 'web9')).code).toBe(2);

  const dry = await kick('rerun', 'last', '--outcome', 'failed', '--dry-run');
  expect(dry.out).toMatch(/Would ask 1 host.*\n.*\n.*a reason\n.*web2\.example\.com/);
  const again = await kick('rerun', 'last', '--format', 'json');
  const { hosts } = JSON.parse(again.out) as { hosts: { certname: string }[] };
  expect(hosts.map(({ certname }) => certname)).toEqual(['web2.example.com', 'down.example.com']);
  const none = await kick('rerun', job.slice(-8), '--outcome', 'busy');
  expect(none.err).toContain('Nothing to run again');
  expect(none.code).toBe(2);
  expect((await kick('rerun', 'last', '--outcome', 'nonsense')).code).toBe(2);
  expect((await kick('jobs', 'show', '00000000')).err).toContain('there is no such job');
});

test('a controller killed with SIGKILL: the job is resumed, and no host runs twice', async () => {
  // Two hosts run through; the other two are held, so that no job is over before its controller is killed.
  const site = await realSite(4, (_name, index) => (index < 2 ? NOTED : HELD));
  const { kick, start, names, journal, folder, release, hold } = site;
  const begins = (name = '') => journal(name).filter((line) => line === 'begin').length;
  const moments: ((round: number) => boolean)[] = [
    (round) => jobEvents(folder, round).includes('"host-dispatched"'),
    (round) => jobEvents(folder, round).includes('"started"'),
    (round) => jobEvents(folder, round).includes('"host-done"'),
    (round) => begins(names[2]) > round,
  ];
  for (const [round, hasCome] of moments.entries()) {
    hold();
    const child = start('web[1-4]', '--concurrency', '2');
    await expect.poll(() => hasCome(round)).toBe(true);
    child.kill('SIGKILL');
    await ended(child);
    release();
    const list = JSON.parse((await kick('jobs', '--format', 'json')).out) as { state: string }[];
    expect(list.at(-1)?.state).toBe('died');
    const watched = await kick('jobs', 'watch', 'last');
    expect(watched).toMatchObject({ code: 2, err: expect.stringContaining('kick jobs resume') });
    const resumed = await kick('jobs', 'resume', 'last', '--format', 'json');
    expect(resumed.code, resumed.err).toBe(0);
    const { hosts } = JSON.parse(resumed.out) as { hosts: { outcome: string }[] };
    expect(hosts.map(({ outcome }) => outcome)).toEqual(['changed', 'changed', 'changed', 'changed']);
    expect(names.map(begins)).toEqual(names.map(() => round + 1));
  }
  expect((await kick('jobs', 'resume', 'last')).err).toContain('it is over for every host');
  expect((await kick('jobs', 'stop', 'last')).err).toMatch(/it is over\nhint: kick jobs show/);
});

/** The types of the events of the nth job. */
function jobEvents(folder: string, index: number): string {
  const dir = join(folder, 'controller', 'jobs');
  try {
    const id =
      readdirSync(dir)
        .filter((name) => name !== 'index.jsonl' && !name.startsWith('.')) // nor a job that is being made
        .sort()[index] ?? '';
    return readFileSync(join(dir, id, 'events.jsonl'), 'utf8');
  } catch {
    return '';
  }
}

test('a job is watched and stopped from another terminal; then it goes on', async () => {
  const { kick, start, release, journal } = await realSite(3, () => HELD);
  const job = ended(start('web[1-3]', '--concurrency', '1'));
  await expect.poll(() => journal('web1.example.com')).toEqual(['begin']);
  const watching = ended(start('jobs', 'watch', 'last', '--format', 'jsonl'));
  expect((await kick('jobs', 'resume', 'last')).err).toMatch(/it runs \(pid \d+\)/);
  const stopped = await kick('jobs', 'stop', 'last');
  expect(stopped.out).toMatch(/starts no more hosts; those that run go on/);
  release();
  const { out, err, code } = await job;
  expect(err).toMatch(/no more hosts are started: \S+@\S+ stopped the job \(kick jobs stop\)/);
  expect(out).toContain('1 changed, 2 not-started');
  expect(code).toBe(4);
  const watched = await watching;
  expect(watched.code).toBe(4);
  const types = watched.out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);
  expect(types[0]).toBe('job-started');
  expect(types.at(-1)).toBe('job-done');
  expect(types).toContain('stopping');
  const resumed = await kick('jobs', 'resume', 'last', '--format', 'json');
  expect(resumed.code).toBe(0);
  expect(JSON.parse(resumed.out)).toMatchObject({
    hosts: [{ outcome: 'changed' }, { outcome: 'changed' }, { outcome: 'changed' }],
  });
  expect(journal('web1.example.com')).toEqual(['begin', 'end']);
});

test('kick jobs stop --cancel ends the runs, also of a job whose controller is dead', async () => {
  const { kick, start, journal } = await realSite(2, () => HELD);
  const job = ended(start('web[1-2]', '--format', 'json'));
  for (const name of ['web1.example.com', 'web2.example.com'])
    await expect.poll(() => journal(name)).toEqual(['begin']);
  expect((await kick('jobs', 'stop', 'last', '--cancel')).out).toContain('runs in progress are ended');
  expect(JSON.parse((await job).out)).toMatchObject({
    hosts: [{ outcome: 'cancelled' }, { outcome: 'cancelled' }],
  });

  const dead = start('web[1-2]');
  const gone = ended(dead);
  await expect.poll(() => journal('web2.example.com').length).toBe(2);
  await expect.poll(() => journal('web1.example.com').length).toBe(2);
  dead.kill('SIGKILL');
  await gone;
  const stopped = await kick('jobs', 'stop', 'last', '--cancel');
  expect(stopped.out).toContain('no controller drives it; 2 hosts to cancel');
  const resumed = JSON.parse((await kick('jobs', 'resume', 'last', '--format', 'json')).out);
  expect(resumed).toMatchObject({ hosts: [{ outcome: 'cancelled' }, { outcome: 'cancelled' }] });
});

test('a job whose record is damaged is listed as that: it was said to be resumable', async () => {
  const { kick, env } = await realSite(1, () => NOTED);
  await kick('web1', '--quiet');
  const jobs = join(env['KICK_STATE_DIR'] ?? '', 'jobs');
  writeFileSync(join(jobs, 'index.jsonl'), 'junk');
  for (const id of readdirSync(jobs).filter((name) => name !== 'index.jsonl'))
    writeFileSync(join(jobs, id, 'job.json'), 'junk');
  expect((await kick('jobs')).out).toContain('its record cannot be read');
  expect(JSON.parse((await kick('jobs', '--format', 'json')).out)).toMatchObject([{ state: 'damaged' }]);
});

test('a store that cannot be used is said, and the hosts run all the same', async () => {
  const { kick, folder } = await realSite(1, () => 'exit 2');
  mkdirSync(join(folder, 'controller'), { recursive: true });
  writeFileSync(join(folder, 'controller', 'jobs'), 'not a folder');
  const { out, err, code } = await kick('web1');
  expect(out).toContain('1 changed');
  expect(err).toMatch(/warning: job \w+ is not recorded; its hosts run anyway: /);
  expect(code).toBe(0);
});

test('a job that was over when its controller was killed is listed by what its folder tells', async () => {
  const { kick, folder } = await realSite(1, () => 'exit 2');
  await kick('web1');
  const index = join(folder, 'controller', 'jobs', 'index.jsonl');
  const [first] = readFileSync(index, 'utf8').split('\n');
  writeFileSync(index, `${first}\n`); // the line of its end was not written any more
  expect((await kick('jobs')).out).toMatch(/ 1 {2}1 changed$/m);
  expect(JSON.parse((await kick('jobs', '--format', 'json')).out)).toMatchObject([
    { state: 'done', counts: { changed: 1 } },
  ]);
});

test('kick jobs where the store is no folder is exit 2, and says what it should be', async () => {
  const { kick, folder } = await realSite(0, () => '');
  mkdirSync(join(folder, 'controller'), { recursive: true });
  writeFileSync(join(folder, 'controller', 'jobs'), '');
  expect(await kick('jobs')).toMatchObject({ code: 2, err: expect.stringContaining('it must be a folder') });
});

test('kick jobs resume of a --detach job looks for the end, and so it is known to watch and rerun', async () => {
  const { kick, start, inventory, release, journal } = await realSite(2, () => HELD);
  inventory({ targets: [{ name: 'down.example.com', uri: '127.0.0.1:1' }] });
  const outcomes = (out: string) =>
    (JSON.parse(out) as { hosts: { outcome: string }[] }).hosts.map(({ outcome }) => outcome);
  const detached = await kick('web[1-2]', 'down', '--detach', '--format', 'json');
  expect(outcomes(detached.out)).toEqual(['unfinished', 'unfinished', 'unreachable']);
  expect(detached.code).toBe(3);

  const watched = await kick('jobs', 'watch', 'last');
  expect(watched).toMatchObject({ code: 3, out: expect.stringContaining('kick jobs resume') });
  const again = await kick('rerun', 'last', '--dry-run');
  expect(again.err).toContain('the end of 2 hosts is not known (--detach): kick jobs resume');
  expect(again.out).toContain('Would ask 1 host');

  const resuming = start('jobs', 'resume', 'last', '--format', 'jsonl');
  const resumed = ended(resuming);
  await new Promise<void>((resolve) => {
    let seen = '';
    resuming.stdout?.on('data', (chunk: Buffer) => {
      seen += chunk.toString();
      if (seen.match(/"type":"started"/g)?.length === 2) resolve();
    });
  });
  release();
  expect((await resumed).code).toBe(3); // one of them is still unreachable
  const shown = await kick('jobs', 'show', 'last', '--format', 'json');
  expect(outcomes(shown.out)).toEqual(['changed', 'changed', 'unreachable']);
  expect(await kick('jobs', 'watch', 'last', '--quiet')).toMatchObject({ code: 3 });
  expect((await kick('jobs', 'resume', 'last')).err).toContain('it is over for every host');
  expect((await kick('rerun', 'last', '--dry-run')).err).not.toContain('--detach');
  for (const name of ['web1.example.com', 'web2.example.com'])
    expect(journal(name)).toEqual(['begin', 'end']);
});

test('a --detach job that went well is exit 0, resumed or not; rerun asks nobody of whom the end is not known', async () => {
  const { kick, release } = await realSite(1, () => HELD);
  release();
  expect((await kick('web1', '--detach')).code).toBe(0);
  expect((await kick('jobs', 'watch', 'last')).code).toBe(0);
  expect(await kick('rerun', 'last')).toMatchObject({
    code: 2,
    err: expect.stringContaining('the end of 1 host is not known (--detach)'),
  });
  const resumed = await kick('jobs', 'resume', 'last');
  expect(resumed).toMatchObject({ code: 0, out: expect.stringContaining('1 changed') });
  expect((await kick('rerun', 'last')).err).toContain('Nothing to run again');
});

test.each(['--canary 1', '--max-failures 0', '--expect-version x'])(
  '--detach with %s is a usage error: nobody looks how the runs end',
  async (words) => {
    const { kick } = await realSite(0, () => '');
    expect(await kick('web1', '--detach', ...words.split(' '))).toMatchObject({
      code: 2,
      err: expect.stringContaining('with --detach nobody looks'),
    });
  },
);
