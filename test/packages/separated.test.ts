/** An agent in two processes (DESIGN 14) under systemd, with the sandbox of its units, from the package. */
import { cpSync, readFileSync } from 'node:fs';
import { expect, inject, test } from 'vitest';
import { readDocument } from '../../scripts/docs.ts';
import { version } from '../../src/cli/version.ts';
import { codeBlocks } from '../docs/code-blocks.ts';
import { ended } from '../support/kick.ts';
import { bootMachine, type RootName } from './machine.ts';
import { mainPid, NODE, packageSite, RUN } from './site.ts';

const { debs } = inject('packages');

/** The commands of docs/security.md that hold this. */
function documented(text: string): string {
  const block = codeBlocks(readDocument('docs/security.md')).find((one) => one.text.includes(text));
  return block?.text ?? 'false';
}

test.each<RootName>(['debian12', 'debian13'])(
  '%s: one process becomes two in the middle of a run, and back again',
  async (root) => {
    const machine = await bootMachine(root);
    const site = packageSite(machine);
    machine.write('/etc/kick/agent.yaml', JSON.stringify({ runner: 'command', command: RUN }));
    // Puppet's folder has the same layout, and is where the unit looks.
    cpSync(machine.path('/etc/kick/pki'), machine.path('/etc/puppetlabs/puppet/ssl'), { recursive: true });
    machine.must('dpkg', '--force-confold', '-i', machine.bring(debs[version()]?.agent ?? ''));
    // As Puppet leaves them: only the key is nobody else's to read.
    machine.must('chmod', '-R', 'a+rX', '/etc/puppetlabs');
    machine.must('chmod', '700', '/etc/puppetlabs/puppet/ssl/private_keys');
    const shell = (script: string) => machine.must('/bin/sh', '-ec', script);
    const first = ended(site.startKick(NODE));
    await expect.poll(site.isRunning).toBe(true);
    shell(documented('enable --now kick-helper.socket'));
    expect(machine.run('systemctl', 'is-active', 'kick-agent').out.trim()).toBe('inactive');
    await expect.poll(async () => (await site.kick('ping', NODE)).out).toContain(version());
    expect(site.isRunning()).toBe(true);
    site.endRun();
    expect(await first).toMatchObject({ code: 0, out: expect.stringContaining('changed') });

    const listener = mainPid(machine, 'kick-listener');
    const status = readFileSync(machine.path(`/proc/${listener}/status`), 'utf8');
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    expect(status).not.toMatch(/^Uid:\t0/m);
    // The user of no other process can speak to the helper.
    expect(
      machine.run('su', '-s', '/bin/sh', 'nobody', '-c', 'test -w /run/kick-helper/socket').code,
    ).not.toBe(0);

    const second = ended(site.startKick(NODE));
    await expect.poll(site.isRunning).toBe(true);
    for (const unit of ['kick-listener', 'kick-helper']) {
      const pid = mainPid(machine, unit);
      machine.must('systemctl', 'kill', '--kill-who=main', '--signal=KILL', unit);
      await expect.poll(() => mainPid(machine, unit)).not.toMatch(new RegExp(`^(0|${pid})$`));
    }
    expect(site.isRunning()).toBe(true);
    site.endRun();
    expect(await second).toMatchObject({ code: 0, out: expect.stringContaining('changed') });
    machine.must('systemctl', 'stop', 'kick-helper.service');
    expect((await site.kick('ping', NODE)).out).toContain(version());

    machine.must('dpkg', '--remove', 'kick-agent');
    machine.must('dpkg', '--force-confold', '-i', machine.bring(debs[version()]?.agent ?? ''));
    expect(machine.run('systemctl', 'is-active', 'kick-agent').out.trim()).toBe('inactive');
    await expect.poll(async () => (await site.kick('ping', NODE)).out).toContain(version());

    shell(documented('enable --now kick-agent.service'));
    await expect.poll(async () => (await site.kick('ping', NODE)).out).toContain(version());
  },
);
