/** What the demo's agents run: Puppet in folders of its own, or a sample command if there is no Puppet; and how many each run served. */
import type { ChildProcess } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { layoutOf } from '../../agent/layout.ts';
import { sleep } from '../../util/clock.ts';
import { flockHolders } from '../../util/proc.ts';

/** Seconds that a demo run takes, so that there is something to wait for. */
const LASTS_S = 3;

/** A part of agent.yaml. */
export type DemoRunner = Record<string, unknown>;

/** `puppet apply`, with every folder that Puppet writes to below `dir`: the host's own state is not touched. */
export async function puppetFixture(dir: string, puppet: string): Promise<DemoRunner> {
  const conf = join(dir, 'conf');
  await mkdir(conf, { recursive: true });
  const places = ['vardir', 'statedir', 'publicdir', 'ssldir', 'rundir', 'logdir', 'codedir'];
  const settings = places.map((name) => `${name} = ${join(dir, 'puppet', name)}\n`).join('');
  await writeFile(join(conf, 'puppet.conf'), `[main]\n${settings}logdest = ${join(dir, 'puppet.log')}\n`);
  const wrapper = join(dir, 'puppet-here');
  await writeFile(
    wrapper,
    `#!/bin/sh
sub=$1
shift
case $sub in -*) exec '${puppet}' "$sub" "$@" ;; esac
exec '${puppet}' "$sub" --confdir '${conf}' --vardir '${join(dir, 'puppet', 'vardir')}' "$@"
`,
    { mode: 0o755 },
  );
  const manifest = join(dir, 'site.pp');
  await writeFile(
    manifest,
    `file { '${join(dir, 'motd')}':
  content => "Puppet ran here, and kick saw it\\n",
}
exec { '/bin/sleep ${LASTS_S}':
  unless => '/bin/sleep ${LASTS_S}',
}
`,
  );
  return { runner: 'puppet-apply', puppet: wrapper, apply: { manifest }, environment_files: [] };
}

/** A program with Puppet's exit codes: 2 when it changed something, 0 when there was nothing to do. */
export async function sampleFixture(dir: string): Promise<DemoRunner> {
  const program = join(dir, 'sample');
  await writeFile(
    program,
    `#!/bin/sh
echo "looking at ${join(dir, 'motd')}"
sleep ${LASTS_S}
[ -e '${join(dir, 'motd')}' ] && exit 0
echo "a sample ran here, and kick saw it" >'${join(dir, 'motd')}'
echo "made ${join(dir, 'motd')}"
exit 2
`,
    { mode: 0o755 },
  );
  return { runner: 'command', command: [program] };
}

/** How many requests each host's run served, from its `started` event. */
export async function servedBy(child: ChildProcess): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  if (child.stdout === null) return found;
  for await (const line of createInterface({ input: child.stdout })) {
    const { certname, event } = JSON.parse(line) as {
      certname?: string;
      event?: { type: string; serves?: number };
    };
    if (event?.type === 'started' && certname !== undefined) found.set(certname, event.serves ?? 1);
  }
  return found;
}

/** Waits for an agent's run, which outlives it. */
export async function runIsOver(runDir: string): Promise<void> {
  const { runLock } = layoutOf('/', runDir);
  while (flockHolders(runLock).length > 0) await sleep(100);
}
