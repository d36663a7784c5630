/** A server whose disk is full: jobs run, and it is said that they are not remembered. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canMount, fill } from '../support/disks.ts';
import { startKick } from '../support/kick.ts';
import { realSite } from '../support/real-site.ts';
import { writePeople } from './people.ts';
import { jobDone, signIn, startServer } from './web-site.ts';

test.skipIf(!canMount)(
  'jobs run on a full disk, and the answer says that they are not remembered',
  async () => {
    const site = await realSite(1, () => 'echo begin >>"$JOURNAL"; held; echo end >>"$JOURNAL"; exit 2');
    site.controllerYaml({ puppetdb: false });
    const state = site.env['KICK_STATE_DIR'] ?? '';
    mkdirSync(state, { mode: 0o700 });
    writePeople(site, { alice: { role: 'operator' } });
    // The accounts go onto the small disk, which only the server sees.
    const script = [
      'cp -a "$KICK_STATE_DIR" "$KICK_STATE_DIR.was"',
      'mount -t tmpfs -o size=4m,mode=700 tmpfs "$KICK_STATE_DIR"',
      'cp -a "$KICK_STATE_DIR.was/." "$KICK_STATE_DIR"',
      'exec "$@"',
    ].join(' && ');
    const starter = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, 'sh'];
    const start = (...words: string[]) => startKick(words, { env: site.env, starter });
    const server = await startServer({ env: site.env, start });
    const disk = join('/proc', String(server.child.pid), 'root', state);
    const alice = await signIn(server, 'alice');

    fill(join(disk, 'ballast'));
    const headers = { ...alice, 'Idempotency-Key': 'full' };
    const ask = () => server.ask('jobs', { body: { choice: { hosts: ['web1'] } }, headers });
    const started = await ask();
    expect(started.status).toBe(202);
    const { job, plan } = started.json;
    const said = expect.stringMatching(/is not recorded; its hosts run anyway: .*ENOSPC/);
    expect(plan.warnings).toEqual([said]);
    expect((await ask()).json.job).toBe(job);
    await expect.poll(() => site.journal('web1.example.com')).toEqual(['begin']);
    const shown = await server.ask(`jobs/${job}`, { headers: alice });
    expect(shown.json).toMatchObject({ status: 404, code: 'not-found', detail: said });
    site.release();
    await expect.poll(() => site.journal('web1.example.com')).toEqual(['begin', 'end']);
    // Whoever signs in meanwhile is let in, until the server ends.
    expect((await server.ask('session', { headers: await signIn(server, 'alice') })).status).toBe(200);

    rmSync(join(disk, 'ballast'));
    const next = (await server.ask('jobs', { body: { choice: { hosts: ['web1'] } }, headers: alice })).json;
    expect(next.plan.warnings).toEqual([]);
    expect((await jobDone(server, next.job, alice)).counts).toEqual({ changed: 1 });
  },
);
