/** A server that says that it serves can be told to end from then on. */
import { expect, test } from 'vitest';
import { caSite, SERVER } from '../support/enrolment.ts';
import { ended, startKick } from '../support/kick.ts';
import { realSite } from '../support/real-site.ts';

/** Sends itself SIGTERM as soon as the line is written. */
const ENDED_AT_ONCE = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const { writeSync } = fs;
  fs.writeSync = (...words) => {
    const written = writeSync(...words);
    if (String(words[1]).includes('"msg":"serving')) process.kill(process.pid, 'SIGTERM');
    return written;
  };
  syncBuiltinESMExports();`;

test.each<[string, () => Promise<{ words?: string[]; env?: NodeJS.ProcessEnv }>]>([
  ['serve', () => realSite(1, () => 'exit 0')],
  [
    'pki serve',
    async () => {
      const { dir } = await caSite();
      return { words: ['--certname', SERVER, '--pki-dir', dir, '--config-dir', dir] };
    },
  ],
])('kick %s ends well by a SIGTERM that comes at that moment', async (command, place) => {
  const { words = [], env } = await place();
  const all = [...command.split(' '), '--port', '0', '--bind', '127.0.0.1', ...words];
  const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(ENDED_AT_ONCE)}`;
  const { out, code } = await ended(startKick(all, { env: { ...env, NODE_OPTIONS } }));
  expect(out).toContain('"msg":"stopping');
  expect(code).toBe(0);
});
