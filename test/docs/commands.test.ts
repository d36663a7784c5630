/** Every command line of README.md and docs/ is run, against the hosts that they speak of. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { documents, readDocument } from '../../scripts/docs.ts';
import { type CommandLine, commandLines, examples, inlineCommands } from './code-blocks.ts';
import { type DocumentedSite, documentedSite } from './site.ts';

/** What cannot run here; a test of its own does, or nothing can. */
const ELSEWHERE: readonly { pattern: RegExp; why: string }[] = [
  { pattern: /--query/, why: 'needs PuppetDB: test/puppet/puppetdb.test.ts' },
  { pattern: /^doctor --local/, why: 'looks at this machine: test/agent/doctor.test.ts' },
  { pattern: /^demo --web/, why: 'goes on until it is ended: test/web/demo.test.ts' },
  { pattern: /^(agent|serve|user)\b/, why: 'serves until it is ended, or asks for a password: test/web' },
  { pattern: /^pki serve/, why: 'serves until it is ended: test/enrolment' },
  { pattern: /^nats (config --check|ping)/, why: 'needs a broker: test/interop/nats' },
  { pattern: /--discover|^discover/, why: 'needs a broker: test/interop/nats/discover-command.test.ts' },
  { pattern: /\$name/, why: "needs the site's own names" },
];

/** What may be said of jobs and hosts whose state a line cannot foresee. */
const STATES = /is over|no host was|it runs|nobody is left|not every node may know it/;

test('every command line of the documents does what it says, with no error of usage', async () => {
  const site = await documentedSite();
  writeFileSync(join(site.folder, 'nodes.txt'), '# of the dmz\nweb01,web02\nweb03\n');
  const seen = new Set<string>();
  for (const path of documents()) {
    for (const line of linesToRun(path)) {
      const text = line.words.join(' ');
      if (seen.has(text) || ELSEWHERE.some(({ pattern }) => pattern.test(text))) continue;
      seen.add(text);
      const ran = await runLine(site, line);
      const isWell = [0, 1, 3, 4].includes(ran.code) || (ran.code === 2 && STATES.test(ran.err));
      expect(isWell, `${path}:${line.line}: kick ${text}\nexit ${ran.code}\n${ran.err}`).toBe(true);
    }
  }
  expect(seen.size).toBeGreaterThan(60);
});

/** The tables for those who come from elsewhere are promises as well. */
function linesToRun(path: string): CommandLine[] {
  const text = readDocument(path);
  return [...commandLines(text), ...(path.startsWith('docs/from-') ? inlineCommands(text) : [])];
}

test('what the examples print is what is printed', async () => {
  const site = await documentedSite();
  for (const path of documents()) {
    for (const { output, ...line } of examples(readDocument(path))) {
      const { out } = await runLine(site, line);
      expect(out, `${path}:${line.line}`).toBe(output);
    }
  }
});

async function runLine(
  site: DocumentedSite,
  { words, stdin }: CommandLine,
): ReturnType<DocumentedSite['kick']> {
  const [first, second] = words;
  // There is a job to speak of, with a host that failed.
  if (first === 'jobs' || first === 'rerun') await site.kick(['web07', 'web08']);
  const pki = first === 'pki' ? ['--pki-dir', join(site.folder, 'own-ca')] : [];
  const last = words.includes('e41c07aa') ? shortIdIn((await site.kick(['jobs', '-n', '1'])).out) : '';
  const here = words.map((word, index) => {
    if (word === 'e41c07aa') return last;
    if (word === 'nodes.txt' || words[index - 1] === '--output') return join(site.folder, word);
    if (word === '-' && stdin !== undefined) return join(site.folder, stdin);
    return words[index - 1] === '--pause' ? '1ms' : word;
  });
  const rest = second === undefined ? [] : pki;
  return site.kick([...here, ...rest]);
}

function shortIdIn(list: string): string {
  const [id = ''] = /\b[0-9a-f]{8}\b/.exec(list) ?? [];
  return id;
}
