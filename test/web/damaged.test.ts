/** Files of the server that are damaged, or something else: it starts, says what is wrong, and loses nothing. */
import { cpSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { beforeAll, expect, test } from 'vitest';
import type { ScheduleWish } from '../../src/web/api/schedule.ts';
import { openAccounts } from '../../src/web/server/access/accounts.ts';
import { openKnownPlaces } from '../../src/web/server/access/known-places.ts';
import { openSessions } from '../../src/web/server/access/sessions.ts';
import { openTokens } from '../../src/web/server/access/tokens.ts';
import { openAudit } from '../../src/web/server/audit.ts';
import { openStoredSchedules } from '../../src/web/server/schedules/stored-schedule.ts';
import { damages } from '../support/damages.ts';
import { realSite } from '../support/real-site.ts';
import { tempFolder } from '../support/temp.ts';
import { writePeople } from './people.ts';
import { PASSWORD, signIn, startServer } from './web-site.ts';

const clock = { now: () => 1_800_000_000_000, monotonic: () => 0 };
const log = pino({ level: 'silent' });
const SCHEDULE: ScheduleWish = {
  ...{ name: 'often', cron: '0 3 * * *', zone: 'UTC', choice: { all: true }, action: {}, rollout: {} },
  ...{ ifStillRunning: 'skip', missed: 'skip', paused: false },
};
const TOKEN = { name: 'x', user: 'alice', role: 'admin', limits: {}, endsAt: clock.now() + 1000 } as const;
const LINE = { who: 'alice', via: 'session', address: '', what: 'POST /jobs', status: 202 };

/** What is done with each file. */
const USES: Record<string, (dir: string) => Promise<unknown>> = {
  'accounts.json': async (dir) => openAccounts(dir, clock).list(),
  'tokens.json': async (dir) => openTokens(dir, clock).create(TOKEN),
  'schedules.json': async (dir) => openStoredSchedules(dir, clock).change((all) => all),
  async 'sessions.json'(dir) {
    const sessions = await openSessions(dir, { clock, log });
    expect(await sessions.find(await sessions.begin('bob'), true)).toMatchObject({ user: 'bob' });
  },
  'places.json': async (dir) => openKnownPlaces(dir, { clock, log }).note('alice', '192.0.2.9'),
  'audit.jsonl': async (dir) => (await openAudit(dir, { clock, log })).add(LINE),
};

let whole: string;

beforeAll(async () => {
  whole = join(tempFolder(), 'web');
  mkdirSync(whole, { mode: 0o700 });
  await openAccounts(whole, clock).put({ name: 'alice', role: 'admin', limits: {}, password: PASSWORD });
  await (await openSessions(whole, { clock, log })).begin('alice');
  await openTokens(whole, clock).create(TOKEN);
  const schedule = { wish: SCHEDULE, owner: 'alice', limits: [], createdAt: 0, doneUntil: 0, history: [] };
  await openStoredSchedules(whole, clock).change(() => [schedule]);
  await openKnownPlaces(whole, { clock, log }).note('alice', '192.0.2.1');
  await (await openAudit(whole, { clock, log })).add(LINE);
});

/** What is there, as far as it can be read without waiting. */
function contentOf(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found?.isFile() || found.size > 1e6) return `${found?.mode} ${found?.size}`;
  return readFileSync(path, 'latin1');
}

test.each(Object.keys(USES))(
  '%s, damaged in every way: it is refused with a reason, and left as it is',
  async (file) => {
    for (const damage of damages(tempFolder(), { seed: 7 })) {
      const dir = join(tempFolder(), 'web');
      cpSync(whole, dir, { recursive: true });
      const path = join(dir, file);
      damage.apply(path);
      const before = contentOf(path);
      const error = await USES[file]?.(dir).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error === undefined) continue;
      expect([damage.what, error]).toMatchObject([
        damage.what,
        { code: expect.stringMatching(/^(state|untrusted)$/) },
      ]);
      expect([damage.what, contentOf(path)]).toEqual([damage.what, before]);
    }
  },
);

test('a live server: what is in the place of a file hangs nothing, strangers are not told which, and put right it goes on', async () => {
  const site = await realSite(0, () => '');
  site.controllerYaml({ puppetdb: false });
  site.inventory({ targets: [{ name: 'web1.example.com', uri: '127.0.0.1:9' }] });
  writePeople(site, { root: { role: 'admin' } });
  const web = join(site.env['KICK_STATE_DIR'] ?? '', 'web');
  let server = await startServer(site);
  const root = await signIn(server, 'root');
  const body = { ...SCHEDULE, choice: { hosts: ['web1'] } };
  expect((await server.ask('schedules', { body, headers: root })).status).toBe(200);
  const asks: Record<string, () => Promise<{ status: number; text: string }>> = {
    'accounts.json': () => server.ask('session', { body: { name: 'root', password: PASSWORD } }),
    'schedules.json': () => server.ask('schedules', { headers: root }),
    'audit.jsonl': () => server.ask('audit', { headers: root }),
  };
  for (const [file, ask] of Object.entries(asks)) {
    const path = join(web, file);
    for (const { what, apply } of damages(tempFolder(), { seed: 7 }).slice(-12)) {
      cpSync(path, `${path}.good`);
      apply(path);
      const { status, text } = await ask();
      expect([200, 401, 503], `${file}: ${what}: ${text}`).toContain(status);
      expect(text).not.toContain(web);
      rmSync(path, { recursive: true, force: true });
      renameSync(`${path}.good`, path);
      expect([file, what, (await ask()).status]).toEqual([file, what, 200]);
    }
  }
  server.child.kill('SIGKILL');
  rmSync(join(web, 'sessions.json'));
  symlinkSync('sessions.json', join(web, 'sessions.json'));
  server = await startServer(site);
  expect((await server.ask('session', { headers: root })).status).toBe(401);
  const again = await signIn(server, 'root');
  expect((await server.ask('schedules', { headers: again })).json.schedules).toHaveLength(1);
});
