/** Each byte of what a server has stored is damaged, a real `kick serve` starts with it, and must tell of each job what is true. */
import { randomUUID } from 'node:crypto';
import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Client } from '../../../src/cli/demo/api-client.ts';
import { type Random, randomFrom } from '../../../src/cli/demo/run-shape.ts';
import { sleep } from '../../../src/util/clock.ts';
import { BrokenPromise } from '../check.ts';
import { checkRest, watchGrowth } from '../leaks.ts';
import type { BytesOptions } from './agent-bytes.ts';
import { INDEX, LOCK, openServerPlace, type ServerPlace, TRUTH } from './server-model.ts';
import { type DamagedWaiting, damageWaiting, waitingObjections } from './waiting-jobs.ts';
import { changed, damage, damageSingles, type Spot, spots } from './ways.ts';

/** Jobs that one server starts with; of each one file is damaged in one byte. */
const AT_ONCE = 250;

/** Of a command whose job ends as `TRUTH` says. */
const EXIT = 3;

/** Without them a job can be told all the same. */
const NEVER = /^lease\./;

interface Damaged {
  id: string;
  file: string;
  what: string;
}

/** So many bytes. Throws `BrokenPromise`. */
export async function tortureServerBytes(
  base: string,
  { seed, bytes, only, survived }: BytesOptions,
): Promise<void> {
  if (only !== undefined) return;
  const random = randomFrom(seed);
  const place = await openServerPlace(base);
  const note = (file: string) => (survived.bytes[file] = (survived.bytes[file] ?? 0) + 1);
  const growth = watchGrowth('server');
  try {
    const order = spots(lengthsOf(place), random);
    const single = spots(singleLengths(place), random);
    const marker = spots({ marker: statSync(place.copyWaiting().path).size }, random);
    for (let done = 0; done < bytes; ) {
      place.renew();
      const jobs = damageJobs(place, { order, random, count: Math.min(AT_ONCE, bytes - done) });
      const files = damageSingles(place, single, random);
      const waiting = damageWaiting(place, marker, random);
      growth('kick serve', await started(place, { jobs, waiting, files }));
      survived.starts += 1;
      for (const { file } of jobs) if (file !== '') note(`job: ${file}`);
      for (const { isWhole } of waiting) if (!isWhole) note('marker of a job that waits');
      for (const file of files) note(shortName(file));
      done += jobs.length + waiting.length + files.length;
    }
  } finally {
    await place.end();
  }
}

function lengthsOf(place: ServerPlace): Record<string, number> {
  const { id, lines } = place.copyJob();
  const size = (name: string) => Math.max(1, statSync(join(place.folder, 'jobs', id, name)).size);
  return { [INDEX]: lines.length, ...Object.fromEntries(place.jobFiles.map((name) => [name, size(name)])) };
}

const singleLengths = ({ folder, singles }: ServerPlace) =>
  Object.fromEntries(singles.map((name) => [name, Math.max(1, statSync(join(folder, name)).size)]));

/** That of the folder where a file is called by a digest. */
const shortName = (file: string) => basename(/[0-9a-f]{64}$/.test(file) ? dirname(file) : file);

/** The first is left whole. */
function damageJobs(
  place: ServerPlace,
  { order, random, count }: { order: Generator<Spot, never, void>; random: Random; count: number },
): Damaged[] {
  const { id, lines } = place.copyJob();
  writeFileSync(join(place.folder, INDEX), lines, { mode: 0o600 });
  const all: Damaged[] = [{ id, file: '', what: 'whole' }];
  while (all.length < count) {
    const spot = order.next().value;
    const copy = place.copyJob();
    const isIndex = spot.file === INDEX;
    const lines = Buffer.from(copy.lines);
    const text = isIndex ? (changed(lines, spot, random) ?? '') : lines;
    if (!isIndex) damage(join(place.folder, 'jobs', copy.id, spot.file), spot, random);
    appendFileSync(join(place.folder, INDEX), text);
    all.push({ id: copy.id, file: spot.file, what: `${spot.file}, byte ${spot.at}: ${spot.way}` });
  }
  return all;
}

/** Starts a server, asks it for each job, lets it run one, and kills it. Returns its MB at rest. */
async function started(
  place: ServerPlace,
  { jobs, waiting, files }: { jobs: Damaged[]; waiting: DamagedWaiting[]; files: string[] },
): Promise<number> {
  const server = await place.start();
  try {
    const client = await signedIn(place, files);
    const { jobs: list } = await client.ask('jobs?limit=1000');
    const listed = new Map<string, Line>(list.map((line: Line) => [line.id, line]));
    const wrong = jobs.flatMap((job) => lineObjections(job, listed.get(job.id)));
    for (let from = 0; from < jobs.length; from += 8) {
      const some = jobs.slice(from, from + 8);
      wrong.push(...(await Promise.all(some.map((job) => hostObjections(client, job)))).flat());
    }
    wrong.push(...(await Promise.all(waiting.map((one) => waitingObjections(client, one, TRUTH)))).flat());
    if (wrong.length > 0) throw new BrokenPromise(wrong.join('\n'));
    await checkSchedules(place, client);
    await checkNext(client);
    return checkRest('kick serve', { pid: server.pid, folder: place.folder });
  } finally {
    await server.kill('SIGKILL');
  }
}

/** A file of accounts that cannot be believed lets nobody in, until it is put right. */
async function signedIn(place: ServerPlace, files: readonly string[]): Promise<Client> {
  try {
    return await place.signIn();
  } catch (error) {
    const said = (error as Error).message;
    const isRefused = /^session: (401|503) /.test(said);
    const accounts = files.find((name) => basename(name) === 'accounts.json');
    if (!isRefused || accounts === undefined) throw new BrokenPromise(`sign in: ${said}`);
    place.mend(accounts);
    return place.signIn();
  }
}

interface Line {
  id: string;
  state: string;
  hosts?: number;
  counts?: Record<string, number>;
  exit?: number;
}

/** What is wrong with a job in the list of jobs. */
function lineObjections({ file, what }: Damaged, line: Line | undefined): string[] {
  if (line === undefined) return [`${what}: it is not listed`];
  const answer = `${what}: listed as ${JSON.stringify(line)}`;
  const isFalse = Object.entries(line.counts ?? {}).some(
    ([outcome, count]) => count > Object.values(TRUTH).filter((one) => one === outcome).length,
  );
  if (isFalse) return [answer];
  const mustBeWhole = file === '' || file === INDEX || NEVER.test(file);
  if (!mustBeWhole) return [];
  // What is made again from the job's folder has no exit code.
  const { state, hosts, exit = EXIT } = line;
  return state === 'done' && hosts === 3 && exit === EXIT ? [] : [answer];
}

/** What is wrong with the hosts of a job. */
async function hostObjections(client: Client, { id, file, what }: Damaged): Promise<string[]> {
  const mustBeWhole = file === '' || file === INDEX || NEVER.test(file);
  try {
    const { hosts } = (await client.ask(`jobs/${id}/hosts?limit=9999`)) as {
      hosts: { certname: string; outcome?: string }[];
    };
    const isFalse = hosts.some(
      ({ certname, outcome }) => (outcome !== undefined || mustBeWhole) && TRUTH[certname] !== outcome,
    );
    return isFalse ? [`${what}: ${JSON.stringify(hosts)}`] : [];
  } catch (error) {
    const said = (error as Error).message;
    return mustBeWhole || / 500 /.test(said) ? [`${what}: ${said}`] : [];
  }
}

async function checkSchedules(place: ServerPlace, client: Client): Promise<void> {
  const name = place.singles.find((one) => basename(one) === 'schedules.json');
  try {
    await client.ask('schedules');
  } catch (error) {
    if (!/ 503 /.test((error as Error).message)) throw new BrokenPromise((error as Error).message);
    if (name !== undefined) place.mend(name);
  }
}

async function checkNext(client: Client): Promise<void> {
  const choice = { hosts: Object.keys(TRUTH) };
  const { job } = await client.ask('jobs', { choice, lock: LOCK }, { 'Idempotency-Key': randomUUID() });
  while ((await client.ask(`jobs/${job}`)).state === 'running') await sleep(20);
  const wrong = await hostObjections(client, { id: job, file: '', what: 'the next job' });
  if (wrong.length > 0) throw new BrokenPromise(wrong.join('\n'));
}
