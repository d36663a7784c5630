#!/usr/bin/env node
/** The program's entry point. Loads as little as each command line needs. */
import { version } from './cli/version.ts';

const [first, ...rest] = process.argv.slice(2);
// By default Node starts its debugger on SIGUSR1; like Puppet's daemon, kick agent runs now (cli/agent/agent.ts).
if (first === 'agent') process.on('SIGUSR1', () => {});
if (rest.length === 0 && (first === '--version' || first === '-V')) {
  // As for any other output (cli/terminal.ts).
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') process.exitCode = 74;
  });
  process.stdout.write(`${version()}\n`);
} else if (!(first === 'agent' && (await isPlainAgent(rest)))) {
  const { main } = await import('./cli/program.ts');
  await main(process.argv.slice(2), process.env);
}

async function isPlainAgent(words: readonly string[]): Promise<boolean> {
  const { runPlainAgent } = await import('./cli/agent/agent-command.ts');
  return runPlainAgent(words, process.env);
}
