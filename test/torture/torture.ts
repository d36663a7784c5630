/**
 * kill -9 at random moments, against runs that note their begin and end. In each round a request is sent, then one or more of agent, wrapper and run are killed at a random
 * moment, and the agent is started again. Asserted: never two runs at once; every accepted request
 * gets exactly one outcome, always the same; none is answered by a run that began before it came.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomFrom } from '../../src/cli/demo/run-shape.ts';
import type { FinishedEvent } from '../../src/protocol/event.ts';
import { SendError } from '../../src/transport/transport.ts';
import { descendants, signalProcess } from '../../src/util/proc.ts';
import { type AgentPlace, agentPlace, anySignal, outcomeOf, type RealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

export interface TortureResult {
  accepted: number;
  kills: { agent: number; others: number };
  runs: number;
  outcomes: Record<string, number>;
}

interface Accepted {
  job: string;
  /** Milliseconds since 1970, our clock: before it was sent. */
  sentAt: number;
}

/** Throws when a promise is broken. */
export async function torture(rounds: number, seed: number): Promise<TortureResult> {
  const folder = tempFolder();
  const random = randomFrom(seed);
  const kills = { agent: 0, others: 0 };
  const accepted: Accepted[] = [];
  const program = join(import.meta.dirname, '..', 'fixtures', 'bin', 'noted');
  const journal = join(folder, 'journal');
  const place = await agentPlace(folder, [program, journal, join(folder, 'alone')]);
  let agent = await place.start();
  try {
    for (let round = 0; round < rounds; round++) {
      const sent = send(place, agent, accepted);
      await pause(random() * 120);
      const others = descendants(agent.process.pid ?? 0);
      if (random() < 0.4) {
        for (const one of others) {
          if (random() < 0.5 && signalProcess(one, 'SIGKILL')) kills.others += 1;
        }
      }
      if (random() < 0.6) {
        await agent.kill('SIGKILL');
        kills.agent += 1;
        agent = await place.start();
      }
      await sent;
    }
    const outcomes = await settle(place, agent, accepted);
    const runs = checkJournal(journal);
    return { accepted: accepted.length, kills, runs, outcomes };
  } finally {
    await agent.kill('SIGKILL');
  }
}

/** Sends one request; it counts from the moment its acceptance is known. */
async function send(place: AgentPlace, { target }: RealAgent, accepted: Accepted[]): Promise<void> {
  const { job, body } = await place.request();
  const sentAt = Date.now();
  try {
    const stream = await place.sender.submit(target, body, { signal: anySignal() });
    for await (const event of stream) {
      if (event.type !== 'accepted') continue;
      accepted.push({ job, sentAt });
      return;
    }
  } catch (error) {
    if (!(error instanceof SendError)) throw error;
  }
}

/** Every accepted request has one outcome, and tells the same when it is asked again. */
async function settle(
  place: AgentPlace,
  agent: RealAgent,
  accepted: readonly Accepted[],
): Promise<Record<string, number>> {
  const outcomes: Record<string, number> = {};
  for (const { job, sentAt } of accepted) {
    const finished = await outcomeOf(place, agent.target, job);
    const again = await outcomeOf(place, agent.target, job);
    if (JSON.stringify(again) !== JSON.stringify(finished)) throw new Error(`job ${job} has two outcomes`);
    checkAfter(finished, sentAt, job);
    outcomes[finished.outcome] = (outcomes[finished.outcome] ?? 0) + 1;
  }
  return outcomes;
}

/** File times may lie a tick of the kernel (at most 10 ms) behind the clock. */
const TICK_MS = 10;

function checkAfter({ startedAt }: FinishedEvent, sentAt: number, job: string): void {
  if (startedAt !== undefined && startedAt + TICK_MS < sentAt) {
    throw new Error(`job ${job} was answered by a run that began ${sentAt - startedAt} ms before it came`);
  }
}

/** The runs themselves saw whether they were alone. Gives how many there were. */
function checkJournal(path: string): number {
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const together = lines.filter((line) => line.startsWith('not alone'));
  if (together.length > 0) throw new Error(`two runs at once: ${together.join('; ')}`);
  return lines.filter((line) => line.startsWith('begin')).length;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
