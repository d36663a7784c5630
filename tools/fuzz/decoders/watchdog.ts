/** Says which input never ends: the thread that tries it cannot. */
import { Worker } from 'node:worker_threads';

/** Milliseconds for one input, whatever else the machine does. */
const PATIENT_MS = 60_000;

const TEXT_BYTES = 512;

/** What the other thread does: as long as the text changes, all is well. */
const WATCH = `
const { workerData: { shared, ms } } = require('node:worker_threads');
const textOf = () => Buffer.from(new Uint8Array(shared)).toString().replace(/\\0.*/s, '');
let last = textOf();
setInterval(() => {
  const now = textOf();
  if (now === last && now !== '') {
    require('node:fs').writeSync(2, 'found: it has no end\\n  again: npm run fuzz -- ' + now + '\\n');
    process.kill(process.pid, 'SIGKILL');
  }
  last = now;
}, ms);
`;

export interface Watchdog {
  /** What is tried now. */
  note(what: string): void;
  end(): void;
}

export function watchForHangs(ms = PATIENT_MS): Watchdog {
  const shared = new SharedArrayBuffer(TEXT_BYTES);
  const bytes = new Uint8Array(shared);
  const worker = new Worker(WATCH, { eval: true, workerData: { shared, ms } });
  worker.unref();
  return {
    note(what) {
      Buffer.from(bytes.buffer as unknown as ArrayBuffer)
        .fill(0)
        .write(what);
    },
    end: () => void worker.terminate(),
  };
}
