/** Webhooks that are sent again, by their sender or by somebody who has seen them: nothing is started twice. */
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { realSite, type Site } from '../support/real-site.ts';
import { writePeople } from './people.ts';
import { jobDone, signIn, startServer, type WebServer } from './web-site.ts';

const SECRET = 'a secret of some length';

let site: Site;
let server: WebServer;
let root: Record<string, string>;

beforeAll(async () => {
  site = await realSite(1, () => 'exit 2');
  writePeople(site, { root: { role: 'admin' } });
  const secret = join(site.folder, 'secret');
  writeFileSync(secret, SECRET, { mode: 0o600 });
  const hook = { secret_file: secret, hosts: 'web1', branches: { '*': '*' } };
  const hooks = ['github', 'gitlab', 'kick'].map((kind) => ({ name: kind, kind, ...hook }));
  site.controllerYaml({ puppetdb: false, web: { hooks } });
  server = await startServer(site);
  root = await signIn(server, 'root');
});

const sign = (text: string) => `sha256=${createHmac('sha256', SECRET).update(text).digest('hex')}`;

const PUSH = JSON.stringify({ ref: 'refs/heads/main', after: 'a'.repeat(40) });
const NOW = Math.floor(Date.now() / 1000);

/** A delivery of each kind with the id `id`, where somebody who does not know the secret may choose one. */
const DELIVERIES: Record<string, (id: string) => Record<string, string>> = {
  github: (id) => ({ 'X-Hub-Signature-256': sign(PUSH), 'X-GitHub-Delivery': id }),
  gitlab: () => ({ 'X-Gitlab-Token': SECRET, 'X-Gitlab-Event-UUID': 'one' }),
  kick: () => ({ 'X-Kick-Timestamp': `${NOW}`, 'X-Kick-Signature': sign(`${NOW}.${PUSH}`) }),
};

const send = (kind: string, headers: Record<string, string>, raw = PUSH) => {
  const sent = { 'Content-Type': 'application/json', ...headers };
  return server.ask(`/hooks/${kind}`, { method: 'POST', raw, headers: sent });
};

const jobs = async () => (await server.ask('jobs', { headers: root })).json.jobs.length;

test.each(Object.entries(DELIVERIES))(
  'what %s sent before is answered with its job',
  async (kind, headers) => {
    const both = await Promise.all([send(kind, headers('one')), send(kind, headers('two'))]);
    const { job } = both[0].json;
    expect(both.map(({ status, json }) => [status, json.job])).toEqual([
      [202, job],
      [202, job],
    ]);
    await jobDone(server, job, root);
    const before = await jobs();
    expect((await send(kind, headers('three'))).json).toEqual({ job });
    expect(await jobs()).toBe(before);
  },
);

test('another push of GitLab is another, with the same id or without any', async () => {
  const before = await jobs();
  const token = { 'X-Gitlab-Token': SECRET };
  const other = JSON.stringify({ ref: 'refs/heads/main', after: 'b'.repeat(40) });
  for (const headers of [{ ...token, 'X-Gitlab-Event-UUID': 'one' }, token, token]) {
    const { json } = await send('gitlab', headers, other);
    await jobDone(server, json.job, root);
  }
  expect(await jobs()).toBe(before + 3);
});

test('the next server knows what was sent to the one before', async () => {
  const all = () =>
    Promise.all(Object.entries(DELIVERIES).map(([kind, headers]) => send(kind, headers('more'))));
  const before = (await all()).map(({ json }) => json.job);
  const gone = once(server.child, 'exit');
  server.child.kill('SIGKILL');
  await gone;
  server = await startServer(site);
  const known = await jobs();
  expect((await all()).map(({ status, json }) => [status, json.job])).toEqual(
    before.map((job) => [202, job]),
  );
  expect(await jobs()).toBe(known);
});
