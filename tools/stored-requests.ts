/** Requests as an agent stores them, copied as often as somebody wants to damage one: each under a key of its own. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REQUEST_RECORD, requestName } from '../src/agent/requests/request-record.ts';
import { RUN_FILES } from '../src/agent/runs/run-files.ts';
import { storedText } from '../src/util/stored-json.ts';
import { uuidv7 } from '../src/util/uuid.ts';

/**
 * `settled`: its run is over; `cancelled`: it was over before it had a run; `waiting`; `ended`: its run ended while no agent
 * was there.
 */
export type Kind = 'settled' | 'cancelled' | 'waiting' | 'ended';

/** `always`: without the file nothing is known; `missing`: only its absence says anything; `never`: the rest is enough. */
export type Decides = 'always' | 'missing' | 'never';

/** A file of a request of some kind, or of its run. */
export type RequestFile<K extends string> = readonly [K, 'request' | 'run', string, Decides];

/** Every file of a request and of its run. */
export const REQUEST_FILES: readonly RequestFile<Kind>[] = [
  ['settled', 'request', 'request.json', 'always'],
  ['settled', 'request', 'run.json', 'always'],
  ['settled', 'request', 'events.ndjson', 'never'],
  ['settled', 'run', 'events.ndjson', 'always'],
  ['settled', 'run', 'record.json', 'never'],
  ['cancelled', 'request', 'request.json', 'always'],
  ['cancelled', 'request', 'events.ndjson', 'always'],
  ['waiting', 'request', 'request.json', 'always'],
  ['waiting', 'request', 'events.ndjson', 'always'],
  ['waiting', 'request', 'waiting', 'missing'],
  ['ended', 'request', 'request.json', 'always'],
  ['ended', 'request', 'run.json', 'always'],
  ['ended', 'request', 'events.ndjson', 'never'],
  ['ended', 'run', 'record.json', 'never'],
  ['ended', 'run', 'events.ndjson', 'never'],
  ['ended', 'run', 'started', 'never'],
  ['ended', 'run', 'exit', 'always'],
  ['ended', 'run', 'output', 'never'],
];

/** A request that cannot be told any more. */
export const DAMAGED_RECORD = /^the record is damaged: /;

/** Folders `state` and `run` of an agent that is not running, with one request of each kind. */
export interface Model<K extends string = Kind> {
  folder: string;
  jobs: Record<K, string>;
}

export interface Copy {
  job: string;
  /** The folder of the request. */
  request: string;
  /** Of its run; empty if it has none. */
  run: string;
  runId: string;
}

/** Copies a request of the model, with its run. */
export function copyRequest<K extends string>(
  { folder, jobs }: Model<NoInfer<K>>,
  kind: K,
  into: string,
): Copy {
  const [name = ''] = readdirSync(join(folder, 'state', 'requests')).filter((one) =>
    one.startsWith(jobs[kind]),
  );
  const from = join(folder, 'state', 'requests', name);
  const job = uuidv7(Date.now());
  const files = filesIn(from);
  const { sum: _sum, ...record } = JSON.parse(files['request.json'] ?? '');
  const request = { ...record.request, job };
  const key = requestName(request);
  files['request.json'] = storedText({ ...record, name: key, request }, REQUEST_RECORD);
  const { run = '' } = JSON.parse(files['run.json'] ?? '{}');
  const runId = run === '' ? '' : uuidv7(Date.now());
  const renamed = (text: string) => (run === '' ? text : rename(rename(text, run, runId), name, key));
  const target = join(into, 'state', 'requests', key);
  write(target, files, renamed);
  if (run === '') return { job, request: target, run: '', runId };
  const runs = existsSync(join(folder, 'run/runs', run)) ? 'run/runs' : 'state/runs';
  write(join(into, runs, runId), filesIn(join(folder, runs, run)), renamed);
  return { job, request: target, run: join(into, runs, runId), runId };
}

const filesIn = (folder: string): Record<string, string> =>
  Object.fromEntries(readdirSync(folder).map((one) => [one, readFileSync(join(folder, one), 'utf8')]));

/** A stored file gets the checksum of its new text. */
function rename(text: string, from: string, to: string): string {
  const changed = text.replaceAll(from, to);
  if (changed === text || !changed.includes('"sum":')) return changed;
  const { sum: _sum, v: version, ...value } = JSON.parse(changed);
  return storedText(value, { version });
}

function write(folder: string, files: Record<string, string>, change: (text: string) => string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const report = files[RUN_FILES.report];
  if (report !== undefined && RUN_FILES.reportSum in files) {
    const sum = createHash('sha256').update(change(report)).digest('hex');
    files[RUN_FILES.reportSum] = `${sum}  -\n`;
  }
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(folder, name), name === 'request.json' ? text : change(text), { mode: 0o600 });
  }
}
