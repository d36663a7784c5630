/** `npm run fleet`: a fleet on loopback that the real `kick` can be pointed to, until Ctrl-C. */
import { resolve } from 'node:path';
import { ENDINGS } from '../../src/cli/demo/run-shape.ts';
import { KickError } from '../../src/errors.ts';
import { FAULTS } from './faults.ts';
import { optionsOf } from './options.ts';
import { CONTROLLER_KEYS, DEFAULTS, MAX_HOSTS } from './plan.ts';
import { startFleet } from './start-fleet.ts';

const HELP = `Usage: npm run fleet -- [options]

Many hosts on loopback addresses (127.1.0.0 and up), each with a certificate of its own: the agent's real listener,
admission, queue and events; only the runs are simulated. It says how to point kick at it, and ends with Ctrl-C.

  --hosts N              how many (default ${DEFAULTS.hosts}, at most ${MAX_HOSTS})
  --time TIME            how long a run takes: 1s, a range 500ms-3s, or ~2s: exponential with that mean (default 1s)
  --outcomes LIST        how runs end, with weights: unchanged=90,changed=8,failed=2 (default unchanged)
                         there are ${ENDINGS.join(', ')}
  --log-lines N          lines that a run prints (default 0)
  --fault FAULT=SHARE    what is wrong with so many hosts, 3 or 2%; repeat it for more. Each is a group in inventory.yaml
${Object.entries(FAULTS)
  .map(([name, means]) => `                           ${name.padEnd(15)} ${means}\n`)
  .join('')}  --controller-key TYPE  ${CONTROLLER_KEYS.join(', ')} (default p256)
  --port N               the one port of all addresses (default ${DEFAULTS.port})
  --processes N          how many processes the hosts are spread over (default ${DEFAULTS.processes})
  --seed N               the same seed, the same fleet (default 1)
  --nats                 hosts also listen at a broker of their own (nats-server must be installed): kick --via nats
  --keep FOLDER          keep certificates there for the next time; everything else is removed at the end
  -h, --help

Examples:
  npm run fleet -- --hosts 1000
  npm run fleet -- --hosts 10000 --keep ~/.cache/kick-fleet
  npm run fleet -- --time ~20s --outcomes unchanged=90,changed=8,failed=2 --fault refuse=2% --fault hang-stream=3
`;

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  if (options === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  const isTty = process.stderr.isTTY === true;
  const started = performance.now();
  const fleet = await startFleet({
    ...options,
    onProgress: (ready) => isTty && process.stderr.write(`\r${ready} of ${options.hosts} hosts `),
  });
  try {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    const { rssMb } = await fleet.usage();
    const bin = resolve(import.meta.dirname, '..', '..', 'dist', 'bin.js');
    if (isTty) process.stderr.write('\r');
    console.log(`${options.hosts} hosts listen, after ${seconds} s, with ${Math.round(rssMb)} MB in all

  node ${bin} ${fleet.kickArgs().join(' ')} --all

'npm run build' makes that program; 'kick nodes @GROUP' lists the hosts with a fault. Ctrl-C ends the fleet.`);
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
    });
    return 0;
  } finally {
    await fleet.stop();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof KickError)) throw error;
  console.error(`fleet: ${error.message}`);
  if (error.hint !== undefined) console.error(`hint: ${error.hint}`);
  process.exitCode = 2;
}
