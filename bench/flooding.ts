/** What every way in is measured by: a flood, and fifteen questions of somebody who may ask, one after another. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { sleep } from '../src/util/clock.ts';
import { listenOn } from '../tools/loopback.ts';
import type { Row } from './measure.ts';
import { forgetPeak, memoryOf, peakOf } from './processes.ts';

const QUESTIONS = 15;
/** Milliseconds between them: five seconds of the flood. */
const BETWEEN_MS = 300;
/** After which nobody waits any longer, milliseconds. */
export const PATIENCE_MS = 10_000;

/** Connections of flood.mjs. */
export interface Flood {
  what: string;
  /** That stay. */
  count?: number;
  /** New ones a second, instead. */
  perSecond?: number;
  addresses: number;
  /** Before TLS: the first bytes of a ClientHello; after it: nothing, `text` and a byte a second, or `text`, and reads no answer. */
  says?: 'hello' | 'handshake' | 'drips' | 'unread';
  /** Said after TLS; NUMBER in it is that of the connection, six digits. */
  text?: string;
  /** A file with key and certificate. */
  pem?: string;
  /** `::1`: from so many addresses of one /64. */
  host?: string;
}

export interface Flooded {
  /** `kick serve` */
  what: string;
  /** Read again at the end: who sleeps in between is another process then. */
  readonly pid: number;
  port: number;
  /** Resolves if the answer is right. */
  ask(number: number): Promise<unknown>;
  /** MB over idle. */
  most: number;
  /** Resolves when the flood may begin. */
  calm?(): Promise<void>;
}

/** Where no process can have addresses of a whole IPv6 network: `ip -6 route add local fd6b:69:63:6b::/64 dev lo; sysctl net.ipv6.ip_nonlocal_bind=1`. */
export async function hasNetwork(): Promise<boolean> {
  const server = createServer();
  try {
    await listenOn(server, 'fd6b:69:63:6b::1');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

/** The row of a flood by connections. */
export async function underFlood({ what, ...settings }: Flood, flooded: Flooded): Promise<Row> {
  const script = join(import.meta.dirname, 'flood.mjs');
  const argument = JSON.stringify({ ...settings, port: flooded.port });
  return during(what, flooded, () => {
    const flooder = spawn(process.execPath, [script, argument], { stdio: ['ignore', 'pipe', 'inherit'] });
    return { begun: once(flooder.stdout, 'data'), end: () => void flooder.kill('SIGKILL') };
  });
}

export interface Flooding {
  /** Resolves once it is at its height. */
  begun: Promise<unknown>;
  end(): void;
}

/** The row of any flood. */
export async function during(what: string, flooded: Flooded, start: () => Flooding): Promise<Row> {
  const { what: who, ask, most } = flooded;
  await ask(0);
  const idle = memoryOf(flooded.pid).rss;
  forgetPeak(flooded.pid);
  await flooded.calm?.();
  const { begun, end } = start();
  try {
    await begun;
    let [served, worst] = [0, 0];
    for (let number = 1; number <= QUESTIONS; number++) {
      await sleep(BETWEEN_MS);
      const from = performance.now();
      const isServed = await ask(number).then(
        () => true,
        () => false,
      );
      if (isServed) served += 1;
      worst = Math.max(worst, performance.now() - from);
    }
    const more = peakOf(flooded.pid) - idle;
    return {
      what: `${who} under ${what}`,
      value: `${served} of ${QUESTIONS} served`,
      beside: `the slowest in ${worst.toFixed(0)} ms; ${more.toFixed(1)} MB more than idle`,
      promised: `15, within 1 s; ${most} MB`,
      figures: { served, worst, more },
    };
  } finally {
    end();
  }
}
