#!/usr/bin/env node
/** The program's entry: what needs nothing is answered with nothing but Node. */
import { version } from './cli/version.ts';

const [first, ...rest] = process.argv.slice(2);
if (rest.length === 0 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${version()}\n`);
} else {
  const { main } = await import('./cli/program.ts');
  await main(process.argv.slice(2), process.env);
}
