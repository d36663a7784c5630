#!/usr/bin/env node
/** The program's entry point. Loads as little as each command line needs. */
import { version } from './cli/version.ts';

const words = process.argv.slice(2);
const [first, ...rest] = words;
const isVersion = (word: string) => word === '--version' || word === '-V';
// By default Node starts its debugger on SIGUSR1; like Puppet's daemon, kick agent runs now (cli/agent/agent.ts).
if (first === 'agent') process.on('SIGUSR1', () => {});
if (words.some(isVersion) && words.every((word) => isVersion(word) || word === '--verbose')) {
  // As for any other output (cli/terminal.ts).
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') process.exitCode = 74;
  });
  process.stdout.write(`${words.includes('--verbose') ? await details() : version()}\n`);
} else if (!(first === 'agent' && (await isPlainAgent(rest)))) {
  const { main } = await import('./cli/program.ts');
  await main(words, process.env);
}

async function isPlainAgent(options: readonly string[]): Promise<boolean> {
  const { runPlainAgent } = await import('./cli/agent/agent-command.ts');
  return runPlainAgent(options, process.env);
}

async function details(): Promise<string> {
  const { versionDetails } = await import('./cli/version-details.ts');
  return versionDetails();
}
