/** The options of `npm run fleet`. */
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KickError, messageOf } from '../../src/errors.ts';
import { parseFault } from './faults.ts';
import { CONTROLLER_KEYS, DEFAULTS, type FleetOptions, MAX_HOSTS } from './plan.ts';
import { parseOutcomes, parseTimes } from './shape.ts';

/** Undefined: help is asked for. Throws `KickError` `usage`. */
export function optionsOf(argv: string[]): FleetOptions | undefined {
  const { values } = parsed(argv);
  if (values.help === true) return undefined;
  const { keep } = values;
  const keyType = CONTROLLER_KEYS.find((one) => one === (values['controller-key'] ?? DEFAULTS.controllerKey));
  if (keyType === undefined) {
    throw new KickError(
      'usage',
      `--controller-key: "${values['controller-key']}" is not one of ${CONTROLLER_KEYS.join(', ')}`,
    );
  }
  if (keep !== undefined) mkdirSync(resolve(keep), { recursive: true, mode: 0o700 });
  return {
    hosts: numberOf('--hosts', values.hosts, { from: 1, to: MAX_HOSTS, unless: DEFAULTS.hosts }),
    port: numberOf('--port', values.port, { from: 1, to: 65_535, unless: DEFAULTS.port }),
    processes: numberOf('--processes', values.processes, { from: 1, to: 64, unless: DEFAULTS.processes }),
    shape: {
      times: parseTimes(values.time ?? '1s'),
      outcomes: parseOutcomes(values.outcomes ?? 'unchanged'),
      logLines: numberOf('--log-lines', values['log-lines'], { from: 0, to: 1_000_000, unless: 0 }),
      seed: numberOf('--seed', values.seed, { from: 0, to: 2 ** 31, unless: 1 }),
    },
    faults: (values.fault ?? []).map(parseFault),
    controllerKey: keyType,
    nats: values.nats === true,
    ...(keep !== undefined && { keep: resolve(keep) }),
  };
}

function parsed(args: string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args,
      options: {
        hosts: text,
        time: text,
        outcomes: text,
        'log-lines': text,
        port: text,
        processes: text,
        seed: text,
        keep: text,
        'controller-key': text,
        fault: { type: 'string', multiple: true },
        nats: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new KickError('usage', messageOf(error), { hint: 'npm run fleet -- --help' });
  }
}

function numberOf(
  name: string,
  text: string | undefined,
  { from, to, unless }: { from: number; to: number; unless: number },
): number {
  if (text === undefined) return unless;
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= from && value <= to) return value;
  throw new KickError('usage', `${name}: "${text}" is not a number from ${from} to ${to}`);
}
