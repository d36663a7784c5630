/** DESIGN 12: what a running server lacks, found out by trying. Whoever it disturbs is a name that nobody has. */
import { createSecureContext } from 'node:tls';
import { type NatsConnection, PermissionViolationError, type ServerInfo } from '@nats-io/nats-core';
import type { Identity } from '../../pki/identity.ts';
import { compareVersions } from '../../util/versions.ts';
import { tlsOptions } from '../tls/options.ts';
import { attemptReason } from './attempt-reason.ts';
import { MAX_DATA_BYTES } from './frame.ts';
import { openConnection } from './open-connection.ts';
import { agentPermissions, controllerPermissions, type Permissions } from './permissions.ts';
import {
  controllerToken,
  dialSubject,
  dialsOf,
  downSubject,
  downsOf,
  helloSubject,
  upsOf,
} from './subjects.ts';

export type BrokerRole = 'agent' | 'controller';

export interface ProbeOptions {
  /** `host:port` */
  server: string;
  tls: boolean;
  identity: Identity;
  /** Whose subjects our certname must be allowed. */
  role: BrokerRole;
  /** Milliseconds for the connection. */
  timeoutMs: number;
}

export interface Finding {
  check: 'connection' | 'version' | 'tls' | 'max_payload' | 'own-subjects' | 'foreign-subjects';
  ok: boolean;
  /** A sentence. */
  detail: string;
  /** What to do. */
  hint?: string;
}

/** The oldest that knows all that `natsServerConfig` writes. */
const OLDEST = '2.9.0';

/** A message of a stream, with what the client adds. */
const LEAST_PAYLOAD = MAX_DATA_BYTES + 4096;

const REWRITE = 'write its configuration with kick nats config, then: nats-server --signal reload';

/** Never throws because of the server. Throws like `tlsMaterial`. */
export async function probeServer(options: ProbeOptions): Promise<Finding[]> {
  const { server, tls, identity, timeoutMs } = options;
  let connection: NatsConnection;
  try {
    connection = await openConnection(server, {
      secureContext: tls ? createSecureContext(tlsOptions(identity)) : undefined,
      name: `kick ${identity.certname}: kick nats config --check`,
      timeoutMs,
    });
  } catch (error) {
    return [{ check: 'connection', ok: false, ...connectionProblem(attemptReason(error), identity) }];
  }
  try {
    const { info } = connection;
    const found = info === undefined ? [] : ofServer(info, tls);
    return [
      { check: 'connection', ok: true, detail: `takes the certificate of ${identity.certname}` },
      ...found,
      ...(await ofSubjects(connection, options)),
    ];
  } catch (error) {
    return [{ check: 'connection', ok: false, detail: attemptReason(error) }];
  } finally {
    await connection.close();
  }
}

function connectionProblem(reason: string, { certname }: Identity): Pick<Finding, 'detail' | 'hint'> {
  if (reason.includes('Authorization Violation')) {
    return { detail: `it knows no user "${certname}" (Authorization Violation)`, hint: REWRITE };
  }
  const hint = HINTS.find(([pattern]) => pattern.test(reason))?.[1];
  return { detail: reason, ...(hint !== undefined && { hint }) };
}

const HINTS: readonly (readonly [RegExp, string])[] = [
  [/no TLS/, REWRITE],
  [/nothing listens/, 'is nats-server running? its log says why not: journalctl -u nats-server'],
  [/does not answer/, 'a firewall? the port is that of "listen" in the configuration of nats-server'],
  [/does not resolve/, 'correct nats.servers'],
];

function ofServer(info: ServerInfo, tls: boolean): Finding[] {
  const { version, max_payload, tls_required, tls_verify } = info;
  const isOld = (compareVersions(version, OLDEST) ?? 0) < 0;
  const isSmall = max_payload < LEAST_PAYLOAD;
  return [
    {
      ...{ check: 'version', ok: !isOld, detail: `nats-server ${version}` },
      ...(isOld && { hint: `upgrade it: ${OLDEST} is the oldest that kick is tried with` }),
    },
    tlsFinding({ tls, isRequired: tls_required === true, isVerified: tls_verify === true }),
    {
      ...{ check: 'max_payload', ok: !isSmall, detail: `takes messages of ${max_payload} bytes` },
      ...(isSmall && { hint: `max_payload must be at least ${LEAST_PAYLOAD}` }),
    },
  ];
}

function tlsFinding(server: { tls: boolean; isRequired: boolean; isVerified: boolean }): Finding {
  const { tls, isRequired, isVerified } = server;
  const check = 'tls';
  if (!tls) return { check, ok: true, detail: 'without TLS, on this machine only (tls: false)' };
  if (!isRequired) return { check, ok: false, detail: 'serves clients without TLS, too', hint: REWRITE };
  if (!isVerified) return { check, ok: false, detail: 'asks clients for no certificate', hint: REWRITE };
  return { check, ok: true, detail: 'requires TLS and a certificate of the CA' };
}

// ---------------------------------------------------------------- subjects

/** A certname that nobody can have: RFC 6761 6.4. */
const NOBODY = 'kick-check.invalid';
const FOREIGN = { controller: controllerToken(NOBODY), session: 'check', number: '0', certname: NOBODY };

/** What may be done only by others. */
const FOREIGN_SUBJECTS: readonly { act: keyof Permissions; subject: string; what: string }[] = [
  { act: 'subscribe', subject: '>', what: 'listen to everything' },
  { act: 'subscribe', subject: dialsOf(NOBODY), what: 'take the calls for another host' },
  { act: 'subscribe', subject: upsOf(NOBODY), what: 'listen to what is sent to another host' },
  { act: 'subscribe', subject: downsOf(FOREIGN), what: 'listen to what is sent to another controller' },
  { act: 'publish', subject: dialSubject(FOREIGN), what: 'call a host in the name of another controller' },
  { act: 'publish', subject: downSubject(FOREIGN), what: 'answer in the name of another host' },
  { act: 'publish', subject: helloSubject(NOBODY), what: 'say hello in the name of another host' },
];

async function ofSubjects(connection: NatsConnection, { identity, role }: ProbeOptions): Promise<Finding[]> {
  const { certname } = identity;
  const own = role === 'agent' ? agentPermissions(certname) : controllerPermissions(certname);
  const wanted = [
    ...own.subscribe.map((subject) => ({ act: 'subscribe' as const, subject })),
    ...own.publish.map((subject) => ({ act: 'publish' as const, subject: concrete(subject) })),
  ];
  const denied = await tryAll(connection, [...wanted, ...FOREIGN_SUBJECTS]);
  const lacking = wanted.filter((one) => denied.has(keyOf(one)));
  const open = FOREIGN_SUBJECTS.filter((one) => !denied.has(keyOf(one)));
  return [...ownFindings(lacking, role), ...foreignFindings(open)];
}

function ownFindings(lacking: readonly Trial[], role: BrokerRole): Finding[] {
  const check = 'own-subjects';
  if (lacking.length === 0) return [{ check, ok: true, detail: `allows what ${an(role)} must do` }];
  return lacking.map(({ act, subject }) => ({
    ...{ check, ok: false, hint: REWRITE },
    detail: `does not let ${an(role)} ${act} ${act === 'publish' ? 'on' : 'to'} ${subject}`,
  }));
}

const an = (role: BrokerRole) => (role === 'agent' ? 'this agent' : 'this controller');

function foreignFindings(open: typeof FOREIGN_SUBJECTS): Finding[] {
  const check = 'foreign-subjects';
  if (open.length === 0) return [{ check, ok: true, detail: 'allows nothing that is for others' }];
  if (open.length === FOREIGN_SUBJECTS.length) {
    const detail =
      'has no permissions: every host may listen to and disturb the others (it can read no log and forge no request)';
    return [{ check, ok: false, detail, hint: REWRITE }];
  }
  return open.map(({ what, subject }) => ({
    ...{ check, ok: false, hint: REWRITE },
    detail: `lets us ${what} (${subject})`,
  }));
}

interface Trial {
  act: keyof Permissions;
  subject: string;
}

const keyOf = ({ act, subject }: Trial) => `${act} ${subject}`;

/** A subject that a pattern allows, and on which nobody listens. */
const concrete = (pattern: string) => pattern.replaceAll('*', 'check').replace(/>$/, `check.0.${NOBODY}`);

/** Returns the keys of those that the server denies: it says so before it answers the flush. */
async function tryAll(connection: NatsConnection, trials: readonly Trial[]): Promise<Set<string>> {
  const denied = new Set<string>();
  const note = (error: unknown) => {
    if (!(error instanceof PermissionViolationError)) return;
    const act = error.operation === 'publish' ? 'publish' : 'subscribe';
    denied.add(keyOf({ act, subject: error.subject }));
  };
  void (async () => {
    for await (const status of connection.status()) if (status.type === 'error') note(status.error);
  })();
  for (const { act, subject } of trials) {
    if (act === 'publish') connection.publish(subject);
    else connection.subscribe(subject, { callback: (error) => note(error) });
  }
  await connection.flush();
  // Its errors are told in turns of their own.
  await new Promise((resolve) => setImmediate(resolve));
  return denied;
}
