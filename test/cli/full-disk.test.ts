/** A controller's disk that is really full, before a job or in the middle of it: its hosts run, and what became of them is told. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { canMount, disksOn, fill } from '../support/disks.ts';
import { ended, startKick } from '../support/kick.ts';
import { realSite } from '../support/real-site.ts';

test.skipIf(!canMount)('a full disk costs a job its record, said once, and no outcome', async () => {
  const says = 'for i in $(seq 200); do echo "a line that finds no room, number $i"; done';
  const site = await realSite(
    2,
    (_name, index) => `echo begin >>"$JOURNAL"; held; ${says}; exit ${index * 2}`,
  );
  const state = join(site.folder, 'controller');
  const holder = await disksOn([state]);
  const starter = ['nsenter', '--mount', '--target', String(holder)];
  const metrics = join(state, 'kick.prom');
  site.controllerYaml({ metrics_file: metrics });
  const how = { env: site.env, starter };
  const kick = (...some: string[]) => ended(startKick(some, how));
  const words = [...site.names, '--format', 'json', '--lock', 'nightly'];
  const outcomes = (out: string) => JSON.parse(out).hosts.map(({ outcome }: { outcome: string }) => outcome);

  const first = kick(...words);
  for (const name of site.names) await expect.poll(() => site.journal(name)).toEqual(['begin']);
  const full = join('/proc', String(holder), 'root', state, 'fill');
  fill(full);
  site.release();
  const middle = await first;
  expect(
    middle.err.match(/is no longer recorded; its hosts run anyway: ENOSPC.*make room there/g),
  ).toHaveLength(1);
  expect(outcomes(middle.out)).toEqual(['unchanged', 'changed']);
  expect(middle.code).toBe(0);

  const before = await kick(...words);
  expect(before.err).toMatch(/is not recorded; its hosts run anyway: ENOSPC/);
  expect(before.err).toMatch(/cannot write the metrics of this job/);
  expect(outcomes(before.out)).toEqual(['unchanged', 'changed']);
  expect(before.code).toBe(0);

  rmSync(full);
  expect((await kick('jobs', 'show', 'last')).out).toContain('0 of 2 are over, 2 were under way');
  expect(await kick('jobs', 'resume', 'last')).toMatchObject({ code: 0 });
  const shown = await kick('jobs', 'show', 'last', '--format', 'json');
  expect(outcomes(shown.out)).toEqual(['unchanged', 'changed']);
  for (const name of site.names) expect(site.journal(name)).toEqual(['begin', 'begin']);
});
