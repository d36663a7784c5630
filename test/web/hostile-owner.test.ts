/** The user of kick serve makes root's kick neither change, create nor read what is not theirs, and holds nothing up. */
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { ended, startKick } from '../support/kick.ts';
import { isRoot } from '../support/other-user.ts';
import { SERVER_USER, type SharedSite, STARTER, sharedSite } from '../support/shared-site.ts';
import { tempFolder } from '../support/temp.ts';

const PRECIOUS = 'root wrote this\n';

let site: SharedSite;
let job: string;
/** Root's own, in which nothing may change. */
let precious: string;

/** A command of the other user's. */
function other(script: string, ...args: string[]): number | null {
  const [program = '', ...words] = [...STARTER, 'sh', '-c', script, 'sh', ...args];
  return spawnSync(program, words, { cwd: '/', stdio: 'inherit' }).status;
}

beforeAll(async () => {
  if (!isRoot) return;
  site = await sharedSite(1, 'held; exit 2');
  site.release();
});

beforeEach(async () => {
  if (!isRoot) return;
  precious = tempFolder();
  writeFileSync(join(precious, 'file'), PRECIOUS, { mode: 0o600 });
  expect(await site.root('web1', '--lock', 'nightly')).toMatchObject({ code: 0 });
  job =
    readdirSync(join(site.stateDir, 'jobs'))
      .filter((name) => name.includes('-'))
      .sort()
      .at(-1) ?? '';
});

const inJob = (name: string) => join(site.stateDir, 'jobs', job, name);

/** Everything of root's that reads or writes there; the exit codes are any, but it ends. */
async function everything(): Promise<string> {
  const lines = [
    ['jobs', 'stop', job],
    ['jobs', 'show', job],
    ['jobs', 'resume', job],
    ['rerun', job],
    ['web1', '--lock', 'nightly'],
    ['jobs'],
    ['user', 'list'],
  ];
  const all = await Promise.all(lines.map((words) => site.root(...words)));
  for (const { code, err } of all) expect(code, err).not.toBe(70);
  return all.map(({ out, err }) => out + err).join('');
}

function expectUntouched(): void {
  expect(readdirSync(precious)).toEqual(['file']);
  expect(readFileSync(join(precious, 'file'), 'utf8')).toBe(PRECIOUS);
}

test.skipIf(!isRoot).each(['stop.json', 'events.jsonl', 'job.json', 'lease.1.json', 'lease.2.json'])(
  'a hostile user puts links and pipes in the place of %s',
  async (name) => {
    for (const script of ['ln -sf "$2" "$1"', 'mkfifo "$1"']) {
      expect(other(`rm -rf "$1"; ${script}`, inJob(name), join(precious, 'file'))).toBe(0);
      expect(await everything()).not.toContain('root wrote this');
      expectUntouched();
    }
  },
);

test.skipIf(!isRoot)(
  'a hostile user makes the folder of a job, or of a lock, a link to a folder of root’s',
  async () => {
    const jobs = join(site.stateDir, 'jobs');
    for (const name of ['requests', job]) {
      expect(other('rm -rf "$1"; ln -s "$2" "$1"', join(jobs, name), precious)).toBe(0);
    }
    for (const name of ['nightly.lock', 'nightly.holder', 'nightly.waiting.lock']) {
      expect(other('rm -rf "$1"; ln -s "$2" "$1"', join(site.stateDir, 'locks', name), precious)).toBe(0);
    }
    expect(
      other('ln -sf "$2" "$1"', join(site.stateDir, 'web', 'accounts.json'), join(precious, 'file')),
    ).toBe(0);
    expect(await everything()).not.toContain('root wrote this');
    expectUntouched();
    expect(other('rm -rf "$1"/*', join(site.stateDir, 'locks'))).toBe(0);
    expect(
      other('rm -f "$1" "$2"', join(site.stateDir, 'web', 'accounts.json'), join(jobs, 'requests')),
    ).toBe(0);
  },
);

test.skipIf(!isRoot)(
  'a hostile user links hard to a file of root’s, where the kernel lets them',
  async () => {
    const shared = join(site.stateDir, 'hard');
    mkdirSync(shared, { mode: 0o700 });
    writeFileSync(join(shared, 'file'), PRECIOUS, { mode: 0o600 });
    rmSync(inJob('events.jsonl'));
    linkSync(join(shared, 'file'), inJob('events.jsonl'));
    await everything();
    expect(readFileSync(join(shared, 'file'), 'utf8')).toBe(PRECIOUS);
    rmSync(shared, { recursive: true });
  },
);

test.skipIf(!isRoot)(
  'cannot replace the folders themselves, nor look into root’s process, which has the key',
  async () => {
    expect(other('mv "$1/jobs" "$1/gone" 2>/dev/null', site.stateDir)).not.toBe(0);
    expect(other('touch "$1/new" 2>/dev/null', site.stateDir)).not.toBe(0);
    site.hold();
    const child = startKick(['web1'], { env: site.env });
    const over = ended(child);
    const proc = `/proc/${child.pid}`;
    const status = () => readFileSync(`${proc}/status`, 'utf8');
    await expect.poll(status).toContain(`Uid:\t${Array(4).fill(SERVER_USER).join('\t')}\n`);
    expect(status()).toMatch(new RegExp(`^Groups:\\t${SERVER_USER} ?$`, 'm'));
    expect(other('[ -r "$1/environ" ] && cat "$1/environ"', proc)).not.toBe(0);
    expect(other('[ -r "$1/mem" ]', proc)).not.toBe(0);
    site.release();
    expect(await over).toMatchObject({ code: 0 });
  },
);
