/** DESIGN 15: an agent of the last release with a controller of today, and the other way round, as real processes. */
import { expect, test } from 'vitest';
import { version } from '../../src/cli/version.ts';
import { AGENT, type Age, noted, OLD_VERSION, PAIRS, versionSite } from './versions.ts';

const VERSION: Record<Age, string> = { old: OLD_VERSION, new: version() };

/** The first host of `--format json`. */
const hostIn = (out: string) => JSON.parse(out).hosts[0];

test('the release and this checkout can be told apart', () => {
  expect(OLD_VERSION).toMatch(/^\d+\.\d+\.\d+$/);
  expect(OLD_VERSION).not.toBe(version());
});

test.each(PAIRS)('%s agent, %s controller: runs end as they ended', async (ofAgent, ofController) => {
  const ends = { ok: ['unchanged', 0], changes: ['changed', 0], fails: ['failed', 1] } as const;
  const kick = async (run: string, ...words: string[]) => {
    const site = versionSite(run);
    await site.agent(ofAgent);
    const { out, code } = await site.kick(ofController, AGENT, '--format', 'json', ...words);
    return { ...hostIn(out), code };
  };
  for (const [run, [outcome, code]] of Object.entries(ends))
    expect(await kick(run)).toMatchObject({ certname: AGENT, outcome, code });
  expect(await kick('until-taken', '--run-timeout', '1s')).toMatchObject({ outcome: 'timed-out', code: 1 });
});

test.each(PAIRS)(
  '%s agent, %s controller: what is not supported is refused, and named',
  async (ofAgent, ofController) => {
    const site = versionSite('ok');
    await site.agent(ofAgent);
    const { out, code } = await site.kick(ofController, AGENT, '--noop', '--format', 'json');
    const refused = hostIn(out);
    expect(refused).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'unsupported', version: VERSION[ofAgent] },
      message: expect.stringContaining(`kick ${VERSION[ofAgent]}`),
    });
    expect(code).toBe(3);
    // The release's own words are what they are.
    if (ofController === 'old') return;
    expect(refused.message).toContain('does not support --noop: upgrade it, or leave --noop out');
    const { out: text } = await site.kick(ofController, AGENT, '--noop');
    expect(text).toContain(AGENT);
    expect(text.replaceAll(/\s+/g, ' ')).toContain(`unsupported: ${refused.message}`);
  },
);

test.each(PAIRS)(
  '%s agent, %s controller: state, disable, enable, cancel, stop',
  async (ofAgent, ofController) => {
    const site = versionSite();
    await site.agent(ofAgent);
    const kick = (...words: string[]) => site.kick(ofController, ...words);
    expect((await kick('ping', AGENT)).out).toContain(`kick ${VERSION[ofAgent]}`);
    expect(await kick('disable', AGENT, '--reason', 'a reason')).toMatchObject({ code: 0 });
    expect((await kick('status', AGENT)).out).toContain('a reason');
    expect(await kick('enable', AGENT)).toMatchObject({ code: 0 });
    expect((await kick('doctor', AGENT)).out).toContain(`kick ${VERSION[ofAgent]} on 1`);

    const first = kick(AGENT, '--format', 'json');
    await expect.poll(() => noted(site)).toHaveLength(1);
    expect((await kick('status', AGENT)).out).toMatch(/running|applying/);
    expect(await kick('cancel', AGENT)).toMatchObject({ code: 0 });
    expect(hostIn((await first).out)).toMatchObject({ outcome: 'cancelled' });

    const second = kick(AGENT, '--format', 'json');
    await expect.poll(() => noted(site)).toHaveLength(2);
    expect(await kick('jobs', 'stop', 'last', '--cancel')).toMatchObject({ code: 0 });
    expect(hostIn((await second).out)).toMatchObject({ outcome: 'cancelled' });
  },
);

test.each(PAIRS)('a run outlives the %s agent that began it: the %s one adopts it', async (before, after) => {
  const site = versionSite();
  const agent = await site.agent(before);
  const done = site.kick('new', AGENT, '--format', 'json');
  await expect.poll(() => noted(site)).toHaveLength(1);
  const waits = site.kick('old', AGENT, '--format', 'json');
  await expect.poll(async () => (await site.kick('new', 'status', AGENT)).out).toContain('1 waiting');
  await agent.kill('SIGKILL');
  await site.agent(after);
  expect(noted(site)).toHaveLength(1);
  site.release();
  // The release cannot read the exit status of a run that today's agent began; of Puppet's runs the report tells.
  const outcome = after === 'old' ? 'interrupted' : 'changed';
  expect(hostIn((await done).out)).toMatchObject({ outcome });
  // What waited has its own run, which begins when the other is over.
  await expect.poll(() => noted(site)).toHaveLength(3);
  site.release();
  expect(hostIn((await waits).out)).toMatchObject({ outcome: 'changed' });
  expect(noted(site).map((line) => line.split(' ')[0])).toEqual(['begin', 'end', 'begin', 'end']);
});
