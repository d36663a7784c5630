/** kick status, disable and enable against real agents. */
import { expect, test } from 'vitest';
import { realSite, type Site } from '../support/real-site.ts';

const WAITS = 'echo begin >>"$JOURNAL"; held; exit 2';
/** Nothing listens there. */
const DEAD = { targets: [{ name: 'dead.example.com', uri: '127.0.0.1:1' }] };

async function running(site: Site, name: string): Promise<void> {
  void site.kick('run', name, '--detach');
  await expect.poll(() => site.journal(name)).toContain('begin');
}

test('kick status tells a run by its job and who asked, an idle host, and a dead one with its row and exit 3', async () => {
  const site = await realSite(2, () => WAITS);
  site.inventory(DEAD);
  await running(site, 'web1.example.com');
  const { out, code } = await site.kick('status', '@all');
  expect(code).toBe(3);
  expect(out).toMatch(
    /^web1\.example\.com +running its command for \S+ \(pid \d+, job [0-9a-f]{8}, by \S+@\S+\)$/m,
  );
  expect(out).toMatch(/^web2\.example\.com +idle$/m);
  expect(out).toMatch(/^dead\.example\.com +no answer: .*refused/m);
  expect(out).toContain('3 hosts: 1 applying, 1 idle, 1 no answer');
  const count = await site.kick('count', '@all', '--format', 'json');
  expect(JSON.parse(count.out)).toMatchObject({
    hosts: 3,
    applying: 1,
    idle: 1,
    'no answer': 1,
    disabled: 0,
  });
  expect(count.code).toBe(3);
  const summary = await site.kick('summary', 'web1', 'web2');
  expect(summary).toMatchObject({
    code: 0,
    out: expect.stringContaining('2 of 2 hosts answered; there is no report of a run\n'),
  });
  const cancelled = await site.kick('cancel', 'web1', 'web2');
  expect(cancelled).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^web1\S+ +done +the run is being ended/m),
  });
  expect(cancelled.out).toMatch(/^web2\S+ +already +no run is in progress$/m);
});

test('kick disable and enable: reason, end and owner are kept; hosts that are disabled run nothing', async () => {
  const site = await realSite(2, () => 'echo ran >>"$JOURNAL"; exit 0');
  const done = await site.kick('disable', 'web1', '--reason', 'new disk', '--for', '2h');
  expect(done).toMatchObject({
    code: 0,
    out: expect.stringMatching(/done +disabled: new disk \(by \S+, until /),
  });
  const [status] = JSON.parse((await site.kick('status', 'web1', '--format', 'json')).out);
  expect(status).toMatchObject({
    state: 'disabled',
    disabled: { reason: 'new disk', by: expect.any(String) },
  });
  expect((await site.kick('status', 'web1')).out).toMatch(/disabled: 'new disk' by \S+@\S+ until /);
  const run = await site.kick('run', 'web1', 'web2');
  expect(run.code).toBe(4);
  expect(run.out).toMatch(/web1\S+ +disabled .*new disk \(by /);
  expect(site.journal('web1.example.com')).toEqual([]);
  const again = await site.kick('disable', 'web1', '--reason', 'other');
  expect(again).toMatchObject({
    code: 0,
    out: expect.stringMatching(/already +it was disabled already: new disk/),
  });
  expect((await site.kick('status', 'web1', '--overdue')).err).toContain('Nothing is overdue.');
  expect((await site.kick('enable', 'web1')).code).toBe(0);
  expect((await site.kick('run', 'web1')).code).toBe(0);
  expect((await site.kick('status', 'web1')).out).toMatch(/^web1\S+ +idle; last run unchanged .*(now|ago)$/m);
  expect((await site.kick('nodes', '@all', '--last', 'unchanged')).out).toBe('web[1-2].example.com\n');
});

test('bad input: durations name the place, an empty reason and a missing one are usage', async () => {
  const site = await realSite(1, () => 'exit 0');
  const syntax = await site.kick('disable', 'web1', '--reason', 'x', '--for', '2h3x');
  expect(syntax).toMatchObject({ code: 2, err: expect.stringContaining('column 3') });
  expect(await site.kick('disable', 'web1')).toMatchObject({
    code: 2,
    err: expect.stringContaining('--reason'),
  });
  expect(await site.kick('disable', 'web1', '--reason', ' ')).toMatchObject({ code: 2 });
  expect((await site.kick('status', 'web1')).out).toContain('idle');
});
