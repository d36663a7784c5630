#!/usr/bin/env node
/** The program's entry: what needs little is answered with little. */
import { version } from './cli/version.ts';

const [first, ...rest] = process.argv.slice(2);
// To Node it means "start the debugger", to whoever knows Puppet's daemon "run now" (cli/agent.ts).
if (first === 'agent') process.on('SIGUSR1', () => {});
if (rest.length === 0 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${version()}\n`);
} else if (!(first === 'agent' && (await isPlainAgent(rest)))) {
  const { main } = await import('./cli/program.ts');
  await main(process.argv.slice(2), process.env);
}

async function isPlainAgent(words: readonly string[]): Promise<boolean> {
  const { runPlainAgent } = await import('./cli/agent/agent-command.ts');
  return runPlainAgent(words, process.env);
}
