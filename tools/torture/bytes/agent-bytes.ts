/** Each byte of what an agent has stored is damaged, a real agent starts with it, and must tell of each request what is true. */
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { EVENT_FILE } from '../../../src/agent/runs/event-file.ts';
import { RUN_FILES } from '../../../src/agent/runs/run-files.ts';
import { type Random, randomFrom } from '../../../src/cli/demo/run-shape.ts';
import type { FinishedEvent } from '../../../src/protocol/event.ts';
import type { Outcome } from '../../../src/protocol/outcome.ts';
import { SendError } from '../../../src/transport/transport.ts';
import { type Copy, copyRequest, DAMAGED_RECORD, type Decides } from '../../stored-requests.ts';
import { BrokenPromise } from '../check.ts';
import { checkRest, watchGrowth } from '../leaks.ts';
import { COMMAND, type Flavour, PUPPET } from './agent-flavours.ts';
import { type AgentPlace, openAgentPlace } from './agent-model.ts';
import { damage, damageSingles, type Spot, spots } from './ways.ts';

/** What another exit status may mean. */
const BY_EXIT: readonly Outcome[] = ['changed', 'unchanged', 'failed', 'interrupted'];

/** One in so many is asked for again, of the next agent. */
const AGAIN = 4;

export interface BytesSurvived {
  /** Bytes damaged, by file. */
  bytes: Record<string, number>;
  starts: number;
}

export interface BytesOptions {
  seed: number;
  bytes: number;
  /** Names of the files that are damaged, or of what is read each time; defaults to all. */
  only?: readonly string[] | undefined;
  /** Counted up. */
  survived: BytesSurvived;
}

interface Damaged extends Copy {
  kind: string;
  file: string;
  decides: Decides;
  what: string;
  isGone: boolean;
}

export const tortureAgentBytes = tortureBytesOf(COMMAND);
export const torturePuppetBytes = tortureBytesOf(PUPPET);

/** So many bytes. What it returns throws `BrokenPromise`. */
function tortureBytesOf(flavour: Flavour): (base: string, options: BytesOptions) => Promise<void> {
  return async (base, options) => {
    const { only } = options;
    const files = flavour.files.filter(([, , file]) => only?.includes(file) ?? true);
    if (files.length === 0) return;
    const place = await openAgentPlace(base, flavour);
    try {
      await torture(place, { ...flavour, files }, options);
    } finally {
      await place.sender.close();
    }
  };
}

async function torture(
  place: AgentPlace,
  flavour: Flavour,
  { seed, bytes, survived }: BytesOptions,
): Promise<void> {
  const random = randomFrom(seed);
  const order = spots(lengthsOf(place, flavour), random);
  const single = spots(singleLengths(place), random);
  const note = (file: string) => (survived.bytes[file] = (survived.bytes[file] ?? 0) + 1);
  const growth = watchGrowth('agent');
  for (let done = 0; done < bytes; ) {
    place.renew();
    const all = damageRequests(place, flavour, {
      order,
      random,
      count: Math.min(flavour.atOnce, bytes - done),
    });
    const files = damageSingles(place, single, random);
    growth('the agent', await started(place, flavour, all));
    // The next one finds what this one has made of it.
    const again = all.filter((_, index) => index % AGAIN === 0);
    growth('the agent', await started(place, flavour, again));
    survived.starts += 2;
    for (const { kind, file } of all) if (file !== '') note(`${kind}: ${file}`);
    for (const file of files) note(shortName(file));
    done += all.length + files.length;
  }
}

/** Without the names of requests. */
const shortName = (file: string) =>
  /\/quarantine\//.test(file) ? 'set aside' : basename(file).replace(/^[0-9a-f-]{36}\..*\./, 'request.');

function keyOf(kind: string, where: string, file: string): string {
  return `${kind}/${where}/${file}`;
}

function lengthsOf(place: AgentPlace, { truth, files }: Flavour): Record<string, number> {
  const lengths: Record<string, number> = {};
  for (const kind of Object.keys(truth)) {
    const copy = copyRequest(place.model, kind, place.folder);
    for (const [of, where, file] of files)
      if (of === kind)
        lengths[keyOf(of, where, file)] = Math.max(1, statSync(pathIn(copy, where, file)).size);
  }
  return lengths;
}

const singleLengths = ({ folder, singles }: AgentPlace) =>
  Object.fromEntries(singles.map((name) => [name, Math.max(1, statSync(join(folder, name)).size)]));

const pathIn = (copy: Copy, where: string, file: string) =>
  join(where === 'run' ? copy.run : copy.request, file);

/** Nobody can tell that one of another request, or of another run of Puppet, is in its place. */
const namesNobody = (where: string, file: string) =>
  file === RUN_FILES.log || (where === 'request' && file === EVENT_FILE);

/** The first of each kind is left whole. */
function damageRequests(
  { model, folder }: AgentPlace,
  { truth, files }: Flavour,
  { order, random, count }: { order: Generator<Spot, never, void>; random: Random; count: number },
): Damaged[] {
  const all: Damaged[] = Object.keys(truth).map((kind) => ({
    ...{ kind, file: '', decides: 'never', what: 'whole', isGone: false },
    ...copyRequest(model, kind, folder),
  }));
  while (all.length < count) {
    const spot = order.next().value;
    const found = files.find(([kind, where, file]) => keyOf(kind, where, file) === spot.file);
    if (found === undefined) throw new Error(`there is no file ${spot.file}`);
    const [kind, where, file, decides] = found;
    if (spot.way === 'another file' && namesNobody(where, file)) continue;
    const copy = copyRequest(model, kind, folder);
    const what = `${spot.file}, byte ${spot.at}: ${spot.way}`;
    const isGone = spot.way === 'vanished';
    if (damage(pathIn(copy, where, file), spot, random))
      all.push({ ...copy, kind, file, decides, what, isGone });
  }
  return all;
}

/** Starts an agent, asks it for each request, kicks it, and kills it. Returns its MB at rest. */
async function started(place: AgentPlace, flavour: Flavour, all: readonly Damaged[]): Promise<number> {
  const agent = await place.start();
  try {
    const wrong: string[] = [];
    for (let from = 0; from < all.length; from += 8) {
      const some = all.slice(from, from + 8);
      const told = await Promise.all(some.map(({ job }) => toldOf(place, job)));
      wrong.push(...some.flatMap((one, index) => objections(one, told[index], flavour.truth)));
    }
    const setAside = await toldOf(place, place.setAside);
    if (typeof setAside !== 'object' || !DAMAGED_RECORD.test(setAside.message ?? ''))
      wrong.push(`what was set aside: ${JSON.stringify(setAside)}`);
    const gone = await toldOf(place, place.gone);
    if (gone !== 'gone') wrong.push(`what was pruned: ${JSON.stringify(gone)}`);
    if (wrong.length > 0) throw new BrokenPromise(wrong.join('\n'));
    const { job, events } = await place.kick();
    const end = await lastOf(events);
    if (end?.outcome !== 'changed')
      throw new BrokenPromise(`the next run, job ${job}: ${JSON.stringify(end)}`);
    return checkRest('the agent', { pid: agent.pid, folder: place.folder });
  } finally {
    await agent.kill('SIGKILL');
  }
}

async function toldOf({ sender, target }: AgentPlace, job: string): Promise<FinishedEvent | string> {
  try {
    const { signal } = new AbortController();
    const end = await lastOf(await sender.resume(target, { job, after: 0, signal }));
    return end ?? 'nothing';
  } catch (error) {
    if (error instanceof SendError) return error.refusal?.code ?? error.message;
    throw error;
  }
}

async function lastOf(events: AsyncIterable<{ type: string }>): Promise<FinishedEvent | undefined> {
  for await (const event of events) if (event.type === 'finished') return event as FinishedEvent;
  return undefined;
}

/** What is wrong with how a damaged request is answered; none if nothing is. */
function objections(
  { kind, file, decides, what, isGone, runId }: Damaged,
  told: FinishedEvent | string | undefined,
  truth: Flavour['truth'],
): string[] {
  if (typeof told !== 'object') return [`${what}: ${told}`];
  const { outcome, message = '', run } = told;
  const answer = `${what}: ${outcome} (${message})`;
  if (kind !== 'waiting' && run !== undefined && isOther(run, runId)) return [`${answer}, run again`];
  if (outcome === truth[kind]) return [];
  // As if the agent had been killed before it could write it.
  if (file === 'intention.json' && isGone && outcome === 'interrupted') return [];
  if (decides === 'never' || decides === 'missing') return [answer];
  if (file === 'exit' && BY_EXIT.includes(outcome)) return [];
  return outcome === 'failed' && DAMAGED_RECORD.test(message) ? [] : [answer];
}

/** Whether they differ by more than one character. */
const isOther = (a: string, b: string) => [...a].filter((char, at) => char !== b[at]).length > 1;
