/**
 * The whole gate, `npm test`: a line a step, and it stops at the first that fails.
 *
 *     npm test                        everything
 *     npm test -- --only unit         some of the steps (repeat it for more)
 *     npm test -- --skip puppet       all but some
 *     npm run test:puppet             what takes long against real Puppet: only where named
 *     npm run test:puppet8            the tests against real Puppet, on newer ones: only where named
 *     npm run test:packages           the packages, in machines that boot: only where named
 *
 * The tests against real Puppet need Debian's packages: where we are root there, they are installed;
 * elsewhere the command is printed and the step skipped, which is a failure with CI=true. Those on newer Puppets
 * and of the packages mount folders, for which a container may lack the right: they are skipped visibly there.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildWhereStale } from '../tools/program.ts';
import { nodeFolder } from './nodes.ts';
import { STEPS, type Step } from './steps.ts';

const ROOT = join(import.meta.dirname, '..');
const isCi = process.env['CI'] === 'true';

/** How a step says that this machine cannot do it, and why in the last line of its output. */
const CANNOT = 77;

/** How many steps run at once, of those that can. */
const AT_ONCE = 2;

/** What runs now. */
const running = new Set<ChildProcess>();

/** A step has failed, or somebody has pressed Ctrl-C: what runs ends, cleaned up, and then we do. */
let isOver = false;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true, default: [] },
      skip: { type: 'string', multiple: true, default: [] },
    },
  });
  const unknown = [...values.only, ...values.skip].filter(
    (name) => !STEPS.some((step) => step.name === name),
  );
  if (unknown.length > 0) {
    console.error(
      `gate: no step "${unknown.join('", "')}"; there are ${STEPS.map(({ name }) => name).join(', ')}`,
    );
    return 2;
  }
  const steps = STEPS.filter(({ name, apart }) =>
    values.only.length === 0 ? apart === undefined : values.only.includes(name),
  ).filter(({ name }) => !values.skip.includes(name));
  endOnSignals();
  const started = performance.now();
  const verdicts = await doSteps(steps);
  if (isOver) return 1;
  const skipped = verdicts.filter((verdict) => verdict === 'skipped').length;
  const note = skipped > 0 ? `, ${skipped} skipped` : '';
  console.log(`gate passed in ${secondsSince(started)}${note}`);
  return 0;
}

type Verdict = 'ok' | 'failed' | 'skipped';

/** One after the other; then those that run beside others. Ends at the first that fails. */
async function doSteps(steps: readonly Step[]): Promise<Verdict[]> {
  const verdicts = await doLine(steps.filter(({ beside = false }) => !beside));
  const rest = steps.filter(({ beside = false }) => beside);
  if (isOver || rest.length === 0) return verdicts;
  buildWhereStale(); // not by two of them at once
  // Each line takes the next that nobody has begun.
  const next = rest.values();
  const lines = await Promise.all(Array.from({ length: AT_ONCE }, () => doLine(next)));
  return [...verdicts, ...lines.flat()];
}

async function doLine(steps: Iterable<Step>): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const step of steps) {
    if (isOver) break;
    const verdict = await doStep(step);
    verdicts.push(verdict);
    if (verdict === 'failed') stop('SIGTERM');
  }
  return verdicts;
}

/** Ends what runs; without a signal it has got one already. */
function stop(signal?: NodeJS.Signals): void {
  isOver = true;
  if (signal !== undefined) for (const child of running) child.kill(signal);
}

function endOnSignals(): void {
  process.on('SIGINT', () => stop()); // the terminal's Ctrl-C has reached the children
  process.on('SIGTERM', () => stop('SIGTERM'));
}

async function doStep(step: Step): Promise<Verdict> {
  const lack = await whatIsMissing(step);
  if (lack !== undefined) return skip(step, lack);
  const started = performance.now();
  const env = step.node === undefined ? process.env : await withNode(step.node);
  const { code, output } = await run(step.command, env);
  if (code === CANNOT) return skip(step, output.trimEnd().split('\n').at(-1) ?? '');
  const time = secondsSince(started);
  if (code === 0) {
    report(step, 'ok', time);
    return 'ok';
  }
  if (isOver) {
    report(step, 'stopped', time);
    return 'failed';
  }
  report(step, 'FAILED', time);
  console.log(output);
  return 'failed';
}

/**
 * Continuous integration answers for the gate: there, what cannot be done is a failure. What needs more
 * rights than a container may have stands apart, and what asks others may get no answer.
 */
function skip(step: Step, why: string): 'failed' | 'skipped' {
  const isFailure = isCi && step.apart !== 'rights' && step.asksOthers !== true;
  report(step, isFailure ? 'FAILED' : 'SKIPPED', why);
  return isFailure ? 'failed' : 'skipped';
}

function report({ what }: Step, verdict: string, note: string): void {
  console.log(`${what.padEnd(28)} ${verdict.padEnd(7)} ${note}`);
}

function secondsSince(started: number): string {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

/** What a step needs and cannot have here; undefined: all is there. */
async function whatIsMissing(step: Step): Promise<string | undefined> {
  const missing = await missingAfterInstall(step);
  if (missing.length > 0) return `needs ${missing.join(', ')}: ${installCommand(missing)}`;
  try {
    for (const version of step.nodes ?? []) await nodeFolder(version);
    return undefined;
  } catch (error) {
    return `needs Node ${step.nodes?.join(', ')}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function withNode(version: string): Promise<NodeJS.ProcessEnv> {
  return { ...process.env, PATH: `${await nodeFolder(version)}${delimiter}${process.env['PATH'] ?? ''}` };
}

// ---------------------------------------------------------------- Debian's packages

let installing: Promise<unknown> = Promise.resolve();

/** The packages of a step that are not there, after we have tried to install them: one step's at a time. */
async function missingAfterInstall(step: Step): Promise<string[]> {
  if (missingPackages(step).length === 0) return [];
  const missing = installing.then(() => install(step));
  installing = missing;
  return missing;
}

async function install(step: Step): Promise<string[]> {
  const missing = missingPackages(step);
  if (missing.length === 0 || !isRootOnDebian()) return missing;
  console.log(`${step.what}: installing ${missing.join(', ')} (${installCommand(missing)})`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { code, output } = await run(['sh', '-c', installCommand(missing)], env);
  if (code !== 0) console.log(output);
  return missingPackages(step);
}

function missingPackages({ needs = {} }: Step): string[] {
  return Object.entries(needs)
    .filter(([what]) => !(what.startsWith('/') ? existsSync(what) : isInPath(what)))
    .map(([, name]) => name);
}

function installCommand(packages: readonly string[]): string {
  return `apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}`;
}

function isInPath(command: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function isRootOnDebian(): boolean {
  if (process.getuid?.() !== 0 || !isInPath('apt-get')) return false;
  try {
    return /^ID(_LIKE)?="?.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

// ---------------------------------------------------------------- processes

function run(
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const path = `${join(ROOT, 'node_modules', '.bin')}${delimiter}${env['PATH'] ?? ''}`;
    const child = spawn(program, args, {
      cwd: ROOT,
      env: { ...env, PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const end = (code: number, text: string) => {
      running.delete(child);
      resolve({ code, output: text });
    };
    child.once('error', (error) => end(127, `${program}: ${error.message}`));
    child.once('close', (code) => end(code ?? 1, output));
  });
}

process.exitCode = await main();
