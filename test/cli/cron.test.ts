/** kick as cron and deploy hooks call it. */
import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { KICK } from '../../tools/program.ts';
import { ended } from '../support/kick.ts';
import { realSite } from '../support/real-site.ts';

const HELD = 'echo begin >>"$JOURNAL"; held; exit 2';

test('cron hears nothing when all is well, else what went wrong, what was accepted and what to type', async () => {
  const { kick, inventory } = await realSite(
    3,
    (_name, index) => `echo broken >&2; exit ${index === 0 ? 1 : 0}`,
  );
  const down = { targets: [{ name: 'down.example.com', uri: '127.0.0.1:1' }] };
  inventory({ ...down, groups: [{ name: 'maintenance', targets: ['web1.example.com'] }] });
  const nightly = ['--all', '--quiet', '--lock', 'nightly'];
  expect(await kick(...nightly, '--accept', 'unreachable')).toEqual({ out: '', err: '', code: 0 });
  expect(await kick(...nightly, '--success', '60')).toEqual({ out: '', err: '', code: 0 });
  const mail = await kick(...nightly);
  expect(mail).toMatchObject({ err: '', code: 3 });
  expect(mail.out).toMatch(
    /^kick nightly: 1 of 3 hosts did not do as asked \(exit 3, job \w{8}\)\n\nunreachable +1 {2}down\.example\.com\n/,
  );
  expect(mail.out).toContain('Maintenance: 1 (web1.example.com) left out\n');
  expect(mail.out).toMatch(
    /Look: {8}kick jobs show \w{8} --host down.example.com\nAgain: {7}kick rerun \w{8}\n/,
  );
  const whole = await kick(...nightly, '--include-maintenance', '--accept', 'unreachable');
  expect(whole.code).toBe(1);
  expect(whole.out).toContain('Accepted:    1 unreachable\n');
  expect(whole.out).toMatch(/failed +1 {2}web1.example.com\n +broken\n/);
});

test('a lock: the second is turned away at once, one may wait, and the third is told who covers it', async () => {
  const { kick, start, journal, release } = await realSite(1, () => HELD);
  const first = ended(start('web1', '--lock', 'deploy', '--quiet'));
  await expect.poll(() => journal('web1.example.com')).toEqual(['begin']);
  const second = await kick('web1', '--lock', 'deploy');
  expect(second).toMatchObject({
    code: 75,
    out: '',
    err: expect.stringMatching(/lock "deploy": it is held by pid \d+/),
  });
  const waiter = start('web1', '--lock', 'deploy', '--lock-wait', '1h', '--quiet');
  let told = '';
  waiter.stderr?.on('data', (chunk: Buffer) => (told += chunk.toString()));
  const waited = ended(waiter);
  await expect.poll(() => told).toContain('waiting for the lock "deploy"');
  const third = await kick('web1', '--lock', 'deploy', '--lock-wait', '1h');
  expect(third.code).toBe(75);
  expect(third.err).toContain(`it is held by pid ${waiter.pid}`);
  // An emergency does not wait: its request joins the run that comes next.
  const emergency = start('web1', '--lock', 'deploy', '--emergency', '--reason', 'CVE');
  let past = '';
  emergency.stderr?.on('data', (chunk: Buffer) => (past += chunk.toString()));
  const rescued = ended(emergency);
  await expect.poll(() => past).toMatch(/ignoring the lock "deploy".*web1.example.com {2}waiting/s);
  release();
  expect((await rescued).code).toBe(0);
  expect((await first).code).toBe(0);
  expect((await waited).code).toBe(0);
});

test('an emergency needs a reason; a rollout needs what its options need', async () => {
  const { kick } = await realSite(1, () => 'exit 0');
  expect((await kick('web1', '--emergency')).err).toContain('it needs a reason');
  expect((await kick('web1', '--pause', '1m')).err).toContain('there are no batches');
  expect((await kick('web1', '--batch', '1', '--confirm')).err).toContain('no terminal');
  expect((await kick('web1', '--batch', '0')).err).toContain('--batch');
  expect((await kick('web1', '--accept', 'fine')).err).toContain('is not an outcome');
  const gone = await kick(
    'down.invalid',
    '--emergency',
    '--reason',
    'CVE',
    '--deadline',
    '1ms',
    '--format',
    'json',
  );
  expect(JSON.parse(gone.out)).toMatchObject({ hosts: [{ outcome: 'unreachable' }], by: { reason: 'CVE' } });
});

test('--dry-run shows requests and batches, and sends nothing', async () => {
  const { kick, names, journal, inventory } = await realSite(4, () => 'echo begin >>"$JOURNAL"; exit 2');
  inventory({ groups: [{ name: 'db', concurrency: 1, targets: ['web1.example.com'] }] });
  const words = ['web[1-4]', '--noop', '--tags', 'ntp', '--canary', '1', '--batch', '50%', '--dry-run'];
  const { out, code } = await kick(...words);
  expect(code).toBe(0);
  expect(out).toContain('request  {"op":"run","noop":true,"tags":["ntp"]}');
  expect(out).toMatch(
    /canary +1 {2}web1.example.com\n +batch 2 +2 {2}web\[2-3\].example.com\n +batch 3 +1 {2}web4.example.com\n/,
  );
  expect(out).toContain('at most 1 at once in the group "db"');
  const { batches } = JSON.parse((await kick(...words, '--format', 'json')).out) as {
    batches: { hosts: unknown[] }[];
  };
  expect(batches.map(({ hosts }) => hosts.length)).toEqual([1, 2, 1]);
  for (const name of names) expect(journal(name)).toEqual([]);
});

test('above confirm_above a terminal is asked: no sends nothing, --yes and a pipe do not ask', async () => {
  const { kick, env, journal, controllerYaml } = await realSite(2, () => 'echo begin >>"$JOURNAL"; exit 2');
  controllerYaml({ confirm_above: 1 });
  const onTerminal = (answer: string, ...words: string[]) => {
    const command = [...KICK, ...words].map((word) => `'${word}'`).join(' ');
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: { ...process.env, ...env } });
    child.stdin.write(answer);
    const done = ended(child);
    return done;
  };
  const no = await onTerminal('n\n', 'web[1-2]');
  expect(no.out).toContain('Run Puppet on 2 hosts (web[1-2].example.com)? [y/N]');
  expect(no.out).toContain('Nothing was sent.');
  expect(no.code).toBe(2);
  expect(journal('web1.example.com')).toEqual([]);
  expect((await onTerminal('y\n', 'web[1-2]', '--noop', '--dry-run')).out).not.toContain('[y/N]');
  expect((await onTerminal('y\n', 'web[1-2]')).code).toBe(0);
  expect((await onTerminal('', 'web[1-2]', '--yes')).code).toBe(0);
  expect((await kick('web[1-2]')).code).toBe(0);
  const again = await onTerminal('n\n', 'rerun', 'last', '--outcome', 'changed');
  expect(again.out).toContain('Run Puppet on 2 hosts (web[1-2].example.com)? [y/N]');
  expect(again.code).toBe(2);
  expect(journal('web1.example.com')).toEqual(['begin', 'begin', 'begin']);
  expect((await onTerminal('', 'rerun', 'last', '--outcome', 'changed', '--yes')).code).toBe(0);
});
