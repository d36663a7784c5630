/**
 * DESIGN 8, "What is kept": whatever becomes of a stored file, the agent starts and serves, what can be known stays true,
 * and what cannot has failed. Nothing that is over runs again. Each file is damaged in every way, each on a request of its own.
 */
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FinishedEvent } from '../../src/protocol/event.ts';
import type { Outcome } from '../../src/protocol/outcome.ts';
import { quarantined } from '../../src/util/quarantine.ts';
import {
  type Copy,
  copyRequest,
  DAMAGED_RECORD,
  type Decides,
  type Kind,
  type Model,
  REQUEST_FILES,
} from '../../tools/stored-requests.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';
import { type Damage, damages } from '../support/damages.ts';
import { elsewhere, emptyPlace, IN_MEMORY, listening, modelPlace, serves } from './damaged-place.ts';
import { command, resume, startAgent } from './harness.ts';

const SEED = Number(process.env['KICK_TEST_SEED'] ?? 1);

/** What the request of each kind comes to if nothing is damaged. */
const TRUTH: Record<Kind, Outcome> = {
  settled: 'changed',
  cancelled: 'cancelled',
  waiting: 'unchanged',
  ended: 'changed',
};

let model: Model;
let removeModel = () => {};
let counted = 0;

beforeAll(async () => {
  const folder = throwawayFolder(IN_MEMORY);
  removeModel = folder.remove;
  model = await modelPlace(folder.path);
});

afterAll(() => {
  removeModel();
  console.log(`${counted} stored files of an agent damaged, each in its own way (seed ${SEED})`);
});

interface Asked {
  kind: Kind;
  file: string;
  decides: Decides;
}

/** Whether they differ by more than a flipped bit. */
const isOther = (a: string, b: string) => [...a].filter((char, at) => char !== b[at]).length > 1;

/** What is wrong with how a damaged request is answered; none if nothing is. */
function objections(
  { damage, runId }: { damage: Damage; runId: string },
  { outcome, message = '', run }: FinishedEvent,
  { kind, file, decides }: Asked,
): string[] {
  const isDamaged = outcome === 'failed' && DAMAGED_RECORD.test(message);
  const answer = `${damage.what}: ${outcome} (${message})`;
  if (kind !== 'waiting' && run !== undefined && isOther(run, runId)) return [`${answer}, run again`];
  const isMissing = damage.what === 'missing';
  // As if the wrapper had been killed before it could write it.
  if (file === 'exit' && isMissing) return outcome === 'interrupted' ? [] : [answer];
  if (decides === 'always' ? damage.isTotal : decides === 'missing' && isMissing)
    return isDamaged ? [] : [answer];
  // Another digit is another exit status.
  const mayBe = decides === 'always' && (isDamaged || file === 'exit');
  return outcome === TRUTH[kind] || mayBe ? [] : [answer];
}

test.each(REQUEST_FILES)('a request that is %s: its %s folder, %s', async (kind, where, file, decides) => {
  const folder = emptyPlace(model);
  const all: (Copy & { damage: Damage })[] = [];
  const index = REQUEST_FILES.findIndex(([a, b, c]) => a === kind && b === where && c === file);
  // What a run prints is read to its end.
  const huge = file === 'output' ? { hugeBytes: 16 << 20 } : {};
  for (const damage of damages(elsewhere(), { seed: SEED + 100 * index, ...huge })) {
    const copy = copyRequest(model, kind, folder);
    damage.apply(join(where === 'run' ? copy.run : copy.request, file));
    all.push({ ...copy, damage });
    counted += 1;
  }
  const { log, said } = listening();
  const agent = await startAgent(folder, { runner: command('ok'), log });
  const aside = [...(await quarantined(join(folder, 'state'))), ...(await quarantined(join(folder, 'run')))];
  const wrong: string[] = [];
  for (const one of all) {
    const finished = await (await resume(agent, one.job)).finished;
    wrong.push(...objections(one, finished, { kind, file, decides }));
    if (!DAMAGED_RECORD.test(finished.message ?? '')) continue;
    const names = [basename(one.request), one.runId].filter((name) => name !== '');
    const isIn = (text: string) => names.some((name) => text.includes(name));
    if (!isIn(said())) wrong.push(`${one.damage.what}: the log does not name it`);
    // What a newer version has written is left alone.
    const isLeft = ['missing', 'a newer version'].includes(one.damage.what) || file === 'exit';
    if (one.damage.isTotal && !isLeft && !aside.some(isIn))
      wrong.push(`${one.damage.what}: it is not in the quarantine`);
  }
  expect(wrong).toEqual([]);
  await serves(agent);
});
