/** Of what an agent has stored: runs of a fixed command, and runs of a stand-in for Puppet with its log, report and locks. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../../../src/protocol/outcome.ts';
import type { Action } from '../../../src/protocol/request.ts';
import type { IncomingEvent } from '../../../src/transport/transport.ts';
import { sleep } from '../../../src/util/clock.ts';
import type { AgentProcess } from '../../agent-process.ts';
import { REQUEST_FILES, type RequestFile } from '../../stored-requests.ts';

/** Asks for a run, and returns its job and its events. */
export type Kick = (action?: Action) => Promise<{ job: string; events: AsyncIterable<IncomingEvent> }>;

/** An agent and its runs, as far as whoever makes a model needs them. */
export interface Maker {
  readonly base: string;
  readonly kick: Kick;
  start(): Promise<AgentProcess>;
  /** Waits for an event. */
  until(events: AsyncIterable<IncomingEvent>, type: IncomingEvent['type']): Promise<void>;
  /** Whatever runs now waits. */
  hold(): void;
  /** Until it has ended. */
  letEnd(): Promise<void>;
  /** Takes what is stored of requests and runs away: the next agent knows nothing of them, and the model has them. */
  setApart(): void;
}

/** What makes the requests of a model: one of each kind, all of them with another job. */
export interface Flavour {
  /** Requests that one agent starts with; of each one file is damaged in one byte. */
  atOnce: number;
  /** What each kind comes to if nothing is damaged. */
  truth: Readonly<Record<string, Outcome>>;
  files: readonly RequestFile<string>[];
  /** Writes what is run below a folder, and returns what agent.yaml says of it. */
  configure(base: string): object;
  /** Returns the job of each kind. */
  make(maker: Maker): Promise<Record<string, string>>;
}

/** Every file of a run that was being ended when its agent was killed. */
const STOPPED: readonly RequestFile<string>[] = [
  ['stopped', 'run', 'intention.json', 'always'],
  ['stopped', 'run', 'exit', 'never'],
  ['stopped', 'run', 'started', 'never'],
  ['stopped', 'run', 'record.json', 'never'],
];

/** Waits while there is a file `hold`, also if it is to end. */
const HOLDS = (base: string) => `trap 'echo >"${base}/caught"' TERM
while [ -e '${base}/hold' ]; do sleep 0.01; done
`;

export const COMMAND: Flavour = {
  atOnce: 250,
  truth: {
    ...{ settled: 'changed', cancelled: 'cancelled', waiting: 'changed', ended: 'changed' },
    stopped: 'cancelled',
  },
  files: [...REQUEST_FILES, ...STOPPED],
  configure(base) {
    const script = join(base, 'noted');
    const text = `#!/bin/sh\n${HOLDS(base)}[ ! -e '${base}/caught' ] || exit 143\nexit 2\n`;
    writeFileSync(script, text, { mode: 0o755 });
    return { runner: 'command', command: [script] };
  },
  async make(maker) {
    const { kick, until } = maker;
    const stopped = await makeStopped(maker);
    const agent = await maker.start();
    const settled = await kick();
    await until(settled.events, 'finished');
    maker.hold();
    const ended = await kick();
    await until(ended.events, 'started');
    const cancelled = await kick({ op: 'run', runTimeout: 999 });
    await until(cancelled.events, 'waiting');
    await kick({ op: 'cancel', job: cancelled.job });
    const waiting = await kick();
    await until(waiting.events, 'waiting');
    await agent.kill('SIGKILL');
    await maker.letEnd();
    return {
      stopped,
      settled: settled.job,
      ended: ended.job,
      cancelled: cancelled.job,
      waiting: waiting.job,
    };
  },
};

/** A run that gets TERM, and ends once its agent has been killed. */
async function makeStopped(maker: Maker): Promise<string> {
  const agent = await maker.start();
  maker.hold();
  const { job, events } = await maker.kick();
  await maker.until(events, 'started');
  await maker.kick({ op: 'cancel', job });
  const caught = join(maker.base, 'caught');
  while (!existsSync(caught)) await sleep(10);
  await agent.kill('SIGKILL');
  await maker.letEnd();
  rmSync(caught);
  maker.setApart();
  return job;
}

/** How a run of Puppet ends once nothing holds it: what it logs, prints and leaves. */
const ENDS = {
  changed: `cat >"$dir/last_run_report.yaml" <<YAML
--- !ruby/object:Puppet::Transaction::Report
host: web1.example.com
time: '2026-11-23T14:33:16.643333854+00:00'
configuration_version: 1795444398
report_format: 12
puppet_version: 7.23.0
status: changed
transaction_completed: true
noop: false
noop_pending: false
environment: production
metrics:
  resources: !ruby/object:Puppet::Util::Metric
    name: resources
    label: Resources
    values:
    - - total
      - Total
      - 12
corrective_change: false
job_id: $job
cached_catalog_status: not_used
YAML
say notice 'Applied catalog in 0.01 seconds'
exit 2
`,
  disabled: `say notice "Skipping run of Puppet configuration client; administratively disabled (Reason: 'a new disk');\\\\nUse 'puppet agent --enable' to re-enable."
exit 1
`,
};

const puppetIn = (dir: string) => `#!/bin/sh
dir='${dir}'
case $1 in
  --version) echo 7.23.0; exit ;;
  config)
    cat <<JSON
{"certname":"web1.example.com","config":"$dir/puppet.conf","hostcert":"$dir/c","hostprivkey":"$dir/k","localcacert":"$dir/ca","hostcrl":"$dir/crl",
"agent_catalog_run_lockfile":"$dir/run.lock","agent_disabled_lockfile":"$dir/disabled.lock","lastrunreport":"$dir/last_run_report.yaml",
"confdir":"$dir","classfile":"$dir/classes.txt","client_datadir":"$dir","signeddir":"$dir/signed","logdest":null,"runtimeout":3600,
"runinterval":1800,"server":"puppet","server_list":"","serverport":8140}
JSON
    exit ;;
esac
while [ $# -gt 0 ]; do
  case $1 in
    --job-id) job=$2 ;;
    --logdest) log=\${2%%,*} ;;
  esac
  shift
done
say() { printf '{"level":"%s","message":"%s","source":"Puppet"}\\n' "$1" "$2" >>"$log"; }
say info "Using environment 'production'"
${HOLDS(dir)}[ ! -e "$dir/caught" ] || { say notice 'Caught TERM; exiting'; exit 1; }
. "$dir/end"
`;

/** Every file of a run of Puppet, but for those that the runs of a command have as well. */
const PUPPET_FILES: readonly RequestFile<string>[] = [
  ['settled', 'run', 'report.yaml', 'never'],
  ['settled', 'run', 'record.json', 'never'],
  ['reported', 'run', 'report.yaml', 'always'],
  ['reported', 'run', 'report.sum', 'always'],
  ['reported', 'run', 'log.jsonl', 'never'],
  ['reported', 'run', 'output', 'never'],
  ['reported', 'run', 'exit', 'always'],
  ['reported', 'run', 'record.json', 'never'],
  ['disabled', 'run', 'disabled.json', 'never'],
  ['disabled', 'run', 'log.jsonl', 'never'],
  ['disabled', 'run', 'report.yaml', 'never'],
  ['disabled', 'run', 'report.sum', 'never'],
  ...STOPPED,
  ['stopped', 'run', 'log.jsonl', 'never'],
  ['stopped', 'run', 'report.yaml', 'always'],
  ['stopped', 'run', 'report.sum', 'always'],
];

export const PUPPET: Flavour = {
  // Nearly all have runs to follow.
  atOnce: 100,
  truth: { settled: 'changed', reported: 'changed', disabled: 'disabled', stopped: 'cancelled' },
  files: PUPPET_FILES,
  configure(base) {
    mkdirSync(base, { recursive: true });
    writeFileSync(join(base, 'puppet'), puppetIn(base), { mode: 0o755 });
    writeFileSync(join(base, 'puppet.conf'), '');
    writeFileSync(join(base, 'end'), ENDS.changed);
    return { runner: 'puppet-agent', puppet: join(base, 'puppet'), environment_files: [] };
  },
  async make(maker) {
    const { kick, until } = maker;
    const reported = await makeEnded(maker);
    const stopped = await makeStopped(maker);
    writeFileSync(join(maker.base, 'end'), ENDS.disabled);
    const disabled = await makeEnded(maker, async () => {
      const text = JSON.stringify({ disabled_message: 'a new disk' });
      writeFileSync(join(maker.base, 'disabled.lock'), text);
    });
    rmSync(join(maker.base, 'disabled.lock'));
    writeFileSync(join(maker.base, 'end'), ENDS.changed);
    const agent = await maker.start();
    const settled = await kick();
    await until(settled.events, 'finished');
    await agent.kill('SIGKILL');
    return { stopped, reported, disabled, settled: settled.job };
  },
};

/** A run that ends while no agent is there. */
async function makeEnded(maker: Maker, meanwhile = async () => {}): Promise<string> {
  const agent = await maker.start();
  maker.hold();
  const { job, events } = await maker.kick();
  await maker.until(events, 'started');
  await agent.kill('SIGKILL');
  await meanwhile();
  await maker.letEnd();
  maker.setApart();
  return job;
}
