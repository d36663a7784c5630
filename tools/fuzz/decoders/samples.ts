/** Values of every kind that the program writes, with as many of their fields as there are. */
import type { JobEvent } from '../../../src/controller/jobs/job.ts';
import type { JobFile } from '../../../src/controller/jobs/job-file.ts';
import type { StoredEvent } from '../../../src/protocol/event.ts';
import type { By, Request, RunAction, RunRequest } from '../../../src/protocol/request.ts';
import type { AgentStatus } from '../../../src/protocol/status.ts';

export const AT = Date.parse('2026-11-28T04:00:00Z');
export const UUID = '01a21c24-688c-73c0-890f-b1bd2fa05c47';
export const RUN = '01a21c05-8c87-75cb-9b91-502504b73e18';
export const CONTROLLER = 'controller.example.com';
export const AGENT = 'agent.example.com';

export const BY: By = { user: 'deploy', uid: 1000, host: 'puppet.example.com', reason: 'release 7' };

export const ACTION: RunAction = {
  ...{ op: 'run', noop: true, tags: ['web', 'profile::base'], skipTags: ['slow'], environment: 'production' },
  ...{ useCachedCatalog: true, usecacheonfailure: true, ignoreschedules: true, debug: true, showDiff: true },
  runTimeout: 3600,
};

const ENVELOPE = {
  ...{ v: 1 as const, jti: RUN, job: UUID, attempt: 1, iss: CONTROLLER, aud: AGENT },
  ...{ iat: AT / 1000, exp: AT / 1000 + 300, by: BY },
} as const;

export const RUN_REQUEST: RunRequest = {
  ...ENVELOPE,
  action: ACTION,
  queue: { ifRunning: 'skip', wait: 60 },
};

export const REQUESTS: readonly Request[] = [
  RUN_REQUEST,
  { ...ENVELOPE, action: { op: 'run' } },
  { ...ENVELOPE, action: { op: 'cancel', job: UUID } },
  { ...ENVELOPE, action: { op: 'disable', reason: 'maintenance', until: AT / 1000 } },
  { ...ENVELOPE, action: { op: 'enable', force: true } },
];

const HOLDER = {
  ...{ pid: 4711, what: 'puppet agent, not by kick', isRun: false, command: 'puppet agent -t', user: 'root' },
  ...{
    began: AT,
    since: AT,
    by: 'deploy@puppet',
    job: UUID,
    progressAt: AT,
    stuck: 'silent',
    next: 'kill it',
  },
};

export const RESOURCE = {
  ...({
    resource: 'Service[httpd]',
    status: 'changed',
    corrective: true,
    file: '/etc/x.pp',
    line: 3,
  } as const),
  events: [
    { property: 'ensure', status: 'success', old: 'stopped', new: 'running', message: 'started' } as const,
    { status: 'failure', message: 'it failed' } as const,
  ],
};

export const FINISHED = {
  ...({
    type: 'finished',
    outcome: 'changed',
    run: RUN,
    startedAt: AT,
    endedAt: AT + 5000,
    exit: 2,
  } as const),
  ...{
    message: 'a sentence',
    holder: HOLDER,
    error: { message: 'why', source: 'Puppet', file: '/x.pp', line: 1 },
  },
  facts: {
    ...{
      configurationVersion: '1795444398',
      codeId: 'abc',
      environment: 'production',
      serverUsed: 'puppet:8140',
    },
    ...({ noop: false, noopPending: false, correctiveChange: true, drift: 'repaired' } as const),
    ...{ cachedCatalog: 'not_used', resources: { total: 12, changed: 1, out_of_sync: 1.5 } },
  },
};

export const EVENTS: readonly StoredEvent[] = [
  { seq: 1, at: AT, type: 'accepted', version: '0.1.0' },
  { seq: 2, at: AT, type: 'waiting', holder: HOLDER, until: AT + 1000 },
  { seq: 3, at: AT, type: 'started', run: RUN, pid: 4712, serves: 2 },
  {
    ...{ seq: 4, at: AT, type: 'log' },
    lines: [
      { level: 'notice', source: 'Puppet', message: 'Applied catalog', file: '/x.pp', line: 12 },
      { level: 'output', message: 'a line of the console' },
    ],
  },
  { seq: 5, at: AT, type: 'dropped', bytes: 100 },
  { seq: 6, at: AT, type: 'resources', resources: [RESOURCE], more: 3 },
  { seq: 7, at: AT, ...FINISHED },
];

export const STATUS: AgentStatus = {
  ...{
    certname: AGENT,
    version: '0.1.0',
    runner: 'puppet-agent',
    puppetVersion: '8.10.0',
    time: AT,
    uptime: 1000,
  },
  ...{ running: HOLDER, waiting: 2, disabled: { reason: 'why', by: 'root@puppet', since: AT, until: AT } },
  obstacle: 'a lock cannot be read',
  lastRun: {
    ...({ status: 'changed', at: AT, noop: true, correctiveChange: true, drift: 'partly' } as const),
    ...{ cachedCatalog: 'on_failure', environment: 'production', settingsEnvironment: 'test' },
    ...{ configurationVersion: '1', resources: { total: 5 }, times: { total: 1.25, config_retrieval: 0.5 } },
  },
  pull: { intervalMs: 1_800_000, nextAt: AT, catalog: 'pushed', noop: true },
  pullOff: 'Puppet is disabled',
  broker: { server: 'nats1.example.com:4222', reason: 'none', reconnects: 1, certificateEnds: 1 },
  doctor: {
    ...{
      certificateEnds: AT,
      crlEnds: AT,
      folders: [{ what: 'state', path: '/var/lib/kick', freeBytes: 1, isTmpfs: false }],
    },
    ...{
      damaged: [{ path: '/q', count: 1, latest: 'x' }],
      servers: [{ name: 'puppet', port: 8140, error: 'no' }],
    },
    ...{ staleLock: '/lock', schedulers: ['puppet.service'], puppetError: 'none', puppetComplaint: 'syntax' },
    untrusted: [{ what: 'x is writable', next: 'chmod', isLeftOut: true }],
  },
  classes: ['apache', 'profile::base'],
};

export const JOB_FILE_VALUE: JobFile = {
  job: {
    ...{ id: UUID, controller: CONTROLLER, by: BY, action: ACTION, queue: { wait: 5 }, concurrency: 25 },
    targets: [
      { certname: AGENT, host: '127.0.0.1', port: 8139 },
      { certname: 'db', host: 'db', port: 1, via: 'nats' },
    ],
    rollout: {
      ...{
        canary: 1,
        batches: [{ count: 10, unit: 'percent' }],
        pauseMs: 1,
        confirm: true,
        retry: 3,
        deadlineMs: 1,
      },
      ...{ maxFailures: { count: 1, unit: 'hosts' }, maxUnreachable: { count: 5, unit: 'percent' } },
      ...{ expectVersion: 'x', groups: [{ name: 'dmz', concurrency: 2, certnames: [AGENT] }] },
    },
    ...{ name: 'nightly', maintenance: ['old'] },
    discovery: { tookMs: 200, expected: { hosts: 3, answered: 2 }, silent: ['x'], ignored: 0 },
  },
  settings: {
    ...{ lostAfterMs: 1, connectTimeoutMs: 1, timeoutMs: 1, detach: true, accept: ['disabled'], success: 90 },
    ...{ partial: true, account: 'admin', version: '0.1.0' },
  },
  createdAt: AT,
};

export const PRINTED_SETTINGS = {
  ...{ certname: AGENT, confdir: '/c', config: '/c/puppet.conf', hostcert: '/h', hostprivkey: '/k' },
  ...{ localcacert: '/ca', hostcrl: '/crl', agent_catalog_run_lockfile: '/l', agent_disabled_lockfile: '/d' },
  ...{ lastrunreport: '/r', classfile: '/classes', client_datadir: '/data', node_name_value: AGENT },
  ...{ catalog_cache_terminus: 'json', signeddir: '/s', logdest: null, runtimeout: 3600, server: 'puppet' },
  ...{
    server_list: 'a,b:8141',
    serverport: 8140,
    runinterval: 1800,
    environment: 'test',
    tags: '',
    skip_tags: 'x',
  },
};

const host = { at: AT, certname: AGENT };

/** But for what is signed: store-controller.ts. */
export const JOB_EVENTS: readonly JobEvent[] = [
  { type: 'job-started', at: AT, job: JOB_FILE_VALUE.job as never },
  { type: 'batch', at: AT, number: 1, of: 2, hosts: 1, isCanary: true },
  { type: 'window', at: AT, size: 5, most: 25, why: 'slow' },
  { type: 'host-dispatched', ...host },
  { type: 'host-retry', ...host, message: 'again' },
  ...EVENTS.map((event) => ({ type: 'host-event', ...host, event }) as const),
  {
    ...{ type: 'host-done', at: AT },
    result: {
      ...{
        certname: AGENT,
        outcome: 'refused',
        message: 'x',
        refusal: { code: 'clock-skew', time: 1, version: '1' },
      },
      ...{ detached: true, failure: 'broken', finished: FINISHED, resources: [RESOURCE], moreResources: 2 },
      ...{ startedAt: AT, endedAt: AT, waitedMs: 1 },
    },
  },
  { type: 'pause', at: AT, until: AT },
  { type: 'stopping', at: AT, reason: 'max-failures', message: 'too many' },
  { type: 'job-done', at: AT, stopped: 'interrupted', results: [] },
];
