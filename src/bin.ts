#!/usr/bin/env node
/** The program's entry: what needs nothing is answered with nothing but Node. */
import { setFlagsFromString } from 'node:v8';
import { version } from './cli/version.ts';

const [first, ...rest] = process.argv.slice(2);
if (rest.length === 0 && (first === '--version' || first === '-V')) {
  process.stdout.write(`${version()}\n`);
} else {
  // An idle listener on every node: V8 keeps no code twice and lets its young generation stay small.
  // It costs speed where JavaScript computes, which an agent does not, and saves 10 MB.
  if (first === 'agent') setFlagsFromString('--lite-mode --semi-space-growth-factor=1');
  const { main } = await import('./cli/program.ts');
  await main(process.argv.slice(2), process.env);
}
