/**
 * DESIGN 15: what an agent of a later version may say to this controller. Its messages are made up: kinds of events, outcomes,
 * codes, words and fields that nobody knows today.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseAnswer } from '../../src/protocol/discovery.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { type HostileAgent, json, serveHostile, stream } from '../support/hostile-agents.ts';
import { kickHere } from '../support/kick-here.ts';
import { tempFolder } from '../support/temp.ts';
import { CONTROLLER } from './versions.ts';

/** A controller that knows one host, and what it answers. */
async function siteOf(answer: HostileAgent['answer'], certname = 'web1.example.com') {
  const folder = tempFolder();
  const ca = mintCa();
  const port = await serveHostile(ca, [{ certname, answer }]);
  const [etc, pki] = [join(folder, 'etc'), join(folder, 'pki')];
  mkdirSync(etc);
  ca.write(pki, ca.issue(CONTROLLER));
  writeFileSync(
    join(etc, 'inventory.yaml'),
    JSON.stringify({ targets: [{ name: certname, uri: `127.0.0.1:${port}` }] }),
  );
  const env = {
    ...{ KICK_CONFIG_DIR: etc, KICK_STATE_DIR: join(folder, 'state'), KICK_PKI_DIR: pki },
    KICK_CERTNAME: CONTROLLER,
  };
  return (...words: string[]) => kickHere([...words, '--all'], { env });
}

/** Its one host of `--format json`. */
async function hostOf(kick: Awaited<ReturnType<typeof siteOf>>, ...words: string[]) {
  const { out, code } = await kick(...words, '--format', 'json');
  return { ...JSON.parse(out).hosts[0], exitCode: code };
}

const RUN = '01900000-0000-7000-8000-000000000003';
const event = (seq: number, fields: object) => ({ seq, at: Date.now(), ...fields });
const ends = (outcome: string, more: object = {}) =>
  stream([
    event(1, { type: 'accepted', version: '9.0.0', protocol: 3 }),
    event(2, { type: 'telemetry', load: [1, 2, 3] }),
    event(3, { type: 'started', run: RUN, pid: 1, sandbox: 'none' }),
    event(4, { type: 'log', lines: [{ level: 'trace', message: 'kept', span: 7 }] }),
    event(5, {
      type: 'resources',
      resources: [
        { resource: 'File[a]', status: 'quarantined', events: [] },
        { resource: 'File[b]', status: 'changed', corrective: 'perhaps', events: [{ status: 'queued' }] },
      ],
    }),
    event(6, { type: 'finished', outcome, endedAt: Date.now(), run: RUN, ...more }),
  ]);

test('kinds of events, words and fields of a newer agent cost nothing that this version knows', async () => {
  const kick = await siteOf(() =>
    ends('changed', { facts: { drift: 'ignored', environment: 'production' } }),
  );
  expect(await hostOf(kick, 'run')).toMatchObject({
    exitCode: 0,
    outcome: 'changed',
    resources: [{ resource: 'File[b]', status: 'changed', events: [] }],
    run: { facts: { environment: 'production' } },
  });
  expect((await kick('run', '--format', 'jsonl')).out).toContain('"message":"kept"');
});

test('an outcome of a newer agent is no success, and the host is not asked again', async () => {
  let asked = 0;
  const kick = await siteOf(() => {
    asked += 1;
    return ends('partly-changed', { message: 'two of three' });
  });
  const message =
    'it ended as "partly-changed" (two of three), an outcome that this version of kick does not know: upgrade it here';
  expect(await hostOf(kick, 'run')).toMatchObject({ exitCode: 3, outcome: 'lost', message });
  expect(asked).toBe(1);
  expect(await kick('run')).toMatchObject({ code: 3, out: expect.stringContaining('partly-changed') });
});

test('a code of a newer agent is a refusal, shown as it is', async () => {
  const kick = await siteOf(() => json('429 Too Many Requests', { code: 'quota', perHour: 5 }));
  expect(await hostOf(kick, 'run')).toMatchObject({
    exitCode: 3,
    outcome: 'refused',
    refusal: { code: 'quota' },
    message: 'the agent refuses for a reason that this version of kick does not know',
  });
  expect((await kick('run')).out).toContain('quota: ');
  expect((await kick('disable', '--reason', 'x', '--yes')).out).toContain('refused: quota: ');
  expect((await kick('ping')).out).toContain('quota');
});

test('after an error of a newer agent the host may have begun: it is asked again until it is lost', async () => {
  let asked = 0;
  const kick = await siteOf(() => {
    asked += 1;
    return json('507 Insufficient Storage', { code: 'overfull' });
  });
  expect(await hostOf(kick, 'run', '--lost-after', '5s')).toMatchObject({ outcome: 'lost' });
  expect(asked).toBeGreaterThan(1);
});

test.each([
  [{ unknown: ['action.noop'] }, '--noop'],
  [{ unknown: ['queue.wait'] }, 'queue.wait'],
  [{ unknown: ['v'] }, 'v'],
  [{}, '--noop or --skip-tags'],
])('what an agent does not support is named: %j', async (refusal, parts) => {
  const body = { code: 'unsupported', version: '0.1.0', ...refusal };
  const kick = await siteOf(() => json('422 Unprocessable Entity', body));
  const message = `the agent is kick 0.1.0 and does not support ${parts}: upgrade it, or leave ${parts} out`;
  expect(await hostOf(kick, 'run', '--noop', '--skip-tags', 'a')).toMatchObject({
    ...{ certname: 'web1.example.com', outcome: 'refused', message, refusal: body },
  });
  const { out } = await kick('run', '--noop', '--skip-tags', 'a');
  expect(out.replaceAll(/\s+/g, ' ')).toContain(`web1.example.com refused`);
  expect(out.replaceAll(/\s+/g, ' ')).toContain(`unsupported: ${message}`);
});

test('a command that an agent does not support is named', async () => {
  const kick = await siteOf(() =>
    json('422 Unprocessable Entity', { code: 'unsupported', version: '0.1.0' }),
  );
  expect((await kick('cancel', '--yes')).out).toContain(
    'the agent is kick 0.1.0 and does not support cancel: upgrade it, or leave cancel out',
  );
});

test('a word for what became of a command is not taken for done', async () => {
  const kick = await siteOf(() => json('200 OK', { result: 'queued', message: 'in an hour' }));
  expect(await kick('disable', '--reason', 'x', '--yes')).toMatchObject({
    code: 4,
    out: expect.stringContaining('unclear    in an hour'),
  });
});

test('a status of a newer agent is shown as far as it is known', async () => {
  const kick = await siteOf(() =>
    json('200 OK', {
      ...{ certname: 'web1.example.com', version: '9.0.0', runner: 'puppet-next', time: Date.now() },
      ...{ uptime: 5, waiting: 0, cluster: { leader: 'a' } },
      lastRun: { status: 'corrected', at: Date.now() },
      pull: { intervalMs: 1, nextAt: Date.now(), catalog: 'signed' },
      disabled: { reason: 'x'.repeat(600), ticket: 7 },
    }),
  );
  const { out, code } = await kick('status', '--format', 'json');
  expect(code).toBe(0);
  const [status] = JSON.parse(out);
  expect(status).toMatchObject({ version: '9.0.0', runner: 'puppet-next', state: 'disabled' });
  expect(status).not.toHaveProperty('lastRun');
  expect((await kick('ping')).out).toContain('kick 9.0.0');
});

test('a word of a newer agent in an answer to a question is unclear', () => {
  const answer = { v: 1, question: RUN, iss: 'web1.example.com', is: 'later', why: 'at noon', load: 1 };
  expect(parseAnswer(Buffer.from(JSON.stringify(answer)))).toMatchObject({ is: 'unclear', why: 'at noon' });
});
