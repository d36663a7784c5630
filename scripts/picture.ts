/**
 * The picture of a terminal in README.md, docs/terminal.svg, from a real run: `npm run picture` starts agents on
 * loopback that run `puppet apply`, kicks them in a terminal and draws what is seen there. It needs Puppet and script(1).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPuppet } from '../src/puppet/binary.ts';
import { throwawayFolder } from '../tools/throwaway-folder.ts';
import { puppetSite, type SiteHost } from './picture/puppet-site.ts';
import { inShort, record } from './picture/record.ts';
import { svgOf } from './picture/svg.ts';

const COLUMNS = 100;
const ROWS = 35;

/** Milliseconds that the run takes in the picture at most, and how many frames it has. */
const PLAY_MS = 12_000;
const FRAMES = 40;

/** What a run does there, and how long it takes (seconds). */
const config = (seconds: number, more = '') => `
exec { 'package cache': command => '/bin/false', unless => '/bin/sleep ${seconds}' }
file { 'nginx.conf': path => "\${dir}/nginx.conf", content => "worker_processes 4;\\n" }
~> exec { 'reload nginx': command => '/bin/true', refreshonly => true }
${more}`;

const BROKEN = `exec { 'nginx -t': command => '/bin/false' }`;

const HOSTS: readonly SiteHost[] = [
  ...[1, 3, 2, 4].map((seconds, index) => ({
    name: `web${index + 1}.example.com`,
    manifest: config(seconds),
  })),
  { name: 'web5.example.com', manifest: config(2, BROKEN) },
  {
    name: 'web6.example.com',
    manifest: `exec { 'package cache': command => '/bin/false', unless => '/bin/sleep 3' }`,
  },
  { name: 'db1.example.com', manifest: config(5) },
  { name: 'db2.example.com' },
];

const { path: folder, remove } = throwawayFolder({ prefix: 'site-' });
const site = await puppetSite(HOSTS, {
  folder,
  puppet: findPuppet({ path: process.env['PATH'] ?? '' }),
});
try {
  const command = process.argv[2] ?? 'kick --all --concurrency 4';
  const size = { columns: COLUMNS, rows: ROWS };
  // The first runs of agents that have just started take longer than those that follow.
  await record({ command: 'kick --all --noop', ...size, env: site.env, everyMs: 1000 });
  const recorded = await record({ command, ...size, env: site.env, everyMs: 100 });
  const frames = inShort(recorded, { frames: FRAMES, playMs: PLAY_MS });
  const title = `a terminal in which "${command}" runs Puppet on eight hosts and reports how each run ended`;
  const rows = Math.max(...frames.map((frame) => frame.rows.length));
  const svg = svgOf(frames, { columns: COLUMNS, rows, title, holdMs: 8000 });
  writeFileSync(join(import.meta.dirname, '..', 'docs', 'terminal.svg'), svg);
} finally {
  await site.stop();
  remove();
}
