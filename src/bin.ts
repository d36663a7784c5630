#!/usr/bin/env -S node --max-semi-space-size=4
/**
 * The program's entry: what needs nothing is answered with nothing but Node. The flag of the first
 * line keeps the young generation small, which with thousands of hosts is a quarter of the memory.
 */
import { version } from './cli/version.ts';

const [first, ...rest] = process.argv.slice(2);
if (rest.length === 0 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${version()}\n`);
} else {
  const { main } = await import('./cli/program.ts');
  await main(process.argv.slice(2), process.env);
}
