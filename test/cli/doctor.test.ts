/** kick doctor as an operator meets it: hosts that are well, disabled and dead, and this very node. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { realSite } from '../support/real-site.ts';
import { tempFolder } from '../support/temp.ts';

interface Patient {
  certname: string;
  vitals?: { clockAheadMs: number };
  findings: { level: string; what: string; next?: string }[];
}

const serious = ({ findings }: Patient) => findings.filter(({ level }) => level !== 'remark');

test('kick doctor: hosts that are well, one that is disabled, one that is dead with its row and exit 3', async () => {
  const site = await realSite(2, () => 'exit 0');
  const before = performance.now();
  const all = await site.kick('doctor', 'web1', 'web2', '--format', 'json');
  const took = performance.now() - before;
  const patients: Patient[] = JSON.parse(all.out);
  expect(patients.map(({ certname }) => certname)).toEqual(site.names);
  for (const patient of patients) {
    expect(serious(patient)).toEqual([]);
    expect(patient.vitals).toMatchObject({
      kick: expect.stringMatching(/^\d/),
      certificateMsLeft: expect.any(Number),
    });
    // The clock is the same; what it seems to be ahead is the time that the answer took.
    expect(Math.abs(patient.vitals?.clockAheadMs ?? Number.NaN)).toBeLessThanOrEqual(took);
  }
  expect(all.code).toBe(0);
  await site.kick('disable', 'web1', '--reason', 'new disk');
  const disabled = await site.kick('doctor', 'web1', 'web2');
  expect(disabled.code).toBe(4);
  expect(disabled.out).toMatch(
    /^warning {2}disabled: 'new disk' by \S+\n +on web1\.example\.com\n +do: kick enable/m,
  );
  expect(disabled.out).toMatch(
    /^kick \S+ on 2\nthe first certificate to expire is that of web\d.example.com, in \d+ days$/m,
  );
  expect(disabled.out).toContain('2 hosts: 1 well, 1 with warnings');
  site.inventory({ targets: [{ name: 'dead.example.com', uri: '127.0.0.1:1' }] });
  const dead = await site.kick('doctor', '@all');
  expect(dead.code).toBe(3);
  expect(dead.out).toMatch(/^problem {2}.*refused.*\n +on dead\.example\.com\n +do: start kick agent there/m);
});

test('kick doctor --local on a node that is not ready says what is missing and what to do', async () => {
  const site = await realSite(1, () => '', { controller: { purposes: ['clientAuth'] } });
  const [config, state] = [tempFolder(), tempFolder()];
  const place = [
    '--config-dir',
    config,
    '--state-dir',
    state,
    '--run-dir',
    state,
    '--certname',
    'new.example.com',
  ];
  writeFileSync(
    join(config, 'agent.yaml'),
    'runner: command\ncommand: [/bin/true]\npull: {runinterval: 5x}\n',
  );
  const bad = await site.kick('doctor', '--local', ...place);
  expect(bad.code).toBe(1);
  expect(bad.out).toMatch(/agent\.yaml:3: pull\.runinterval/);
  expect(bad.out).toMatch(
    /there is no such file\n +on new\.example\.com\n +do: this host needs a certificate first/,
  );
  writeFileSync(join(config, 'agent.yaml'), 'runner: command\ncommand: [/bin/true]\nport: 0\n');
  const good = await site.kick('doctor', '--local', ...place.slice(0, -1), 'web1.example.com');
  expect(good.out).toContain('1 host: 1 well');
  expect(good.code).toBe(0);
  // This controller's certificate is none for a server.
  const client = await site.kick('doctor', '--local', ...place.slice(0, -2));
  expect(client.out).toMatch(
    /^problem {2}controllers will refuse this host: the certificate there is of our CA but not for a server\n.*\n +do: renew it/m,
  );
  expect(client.code).toBe(1);
});

test('kick doctor --local names a port that somebody has, and takes no hosts', async () => {
  const site = await realSite(0, () => '');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as { port: number };
  const taken = await site.kick('doctor', '--local', '--port', String(port));
  expect(taken.code).toBe(1);
  expect(taken.out).toContain(`port ${port} cannot be listened on`);
  expect(await site.kick('doctor', '--local', 'web1')).toMatchObject({ code: 2 });
});

test('kick doctor --local: folders that cannot be used, nothing to run, nobody who may kick, disabled', async () => {
  const site = await realSite(1, () => '');
  const [config, state] = [tempFolder(), tempFolder()];
  const open = join(state, 'open');
  mkdirSync(open);
  chmodSync(open, 0o777);
  const place = [
    ...['--config-dir', config, '--state-dir', state, '--run-dir', open],
    ...['--certname', 'web1.example.com'],
  ];
  const yaml = (text: string) => writeFileSync(join(config, 'agent.yaml'), text);
  yaml('port: 0\nrunner: command\ntrust_pp_cli_auth: false\n');
  const bad = await site.kick('doctor', '--local', ...place);
  expect(bad.code).toBe(1);
  expect(bad.out).toMatch(
    /use the folder ".*open".* mode 0777\) can be written by others\n.*\n +do: chmod go-w /,
  );
  expect(bad.out).toMatch(/agent\.yaml does not say what to run\n.*\n +do: add command:/);
  expect(bad.out).toMatch(/nobody may kick this host.*\n.*\n +do: name the controller/);
  chmodSync(open, 0o700);
  yaml('port: 0\nrunner: command\ncommand: [/bin/true]\n');
  writeFileSync(join(state, 'agent_disabled.lock'), JSON.stringify({ disabled_message: 'new disk' }));
  const disabled = await site.kick('doctor', '--local', ...place);
  expect(disabled.code).toBe(4);
  expect(disabled.out).toMatch(/^warning {2}disabled: 'new disk'/m);
  rmSync(join(state, 'agent_disabled.lock'));
  mkdirSync(join(state, 'agent_disabled.lock'));
  const unclear = await site.kick('doctor', '--local', ...place);
  expect(unclear.code).toBe(1);
  expect(unclear.out).toMatch(
    /^problem {2}no run can begin: read Puppet's lock ".*": it is a directory\n.*\n +do: find out/m,
  );
});
