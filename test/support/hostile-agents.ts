/** Agents with certificates of our CA that say all they can say with hostile text in every field. */
import { createSecureContext, createServer, type SecureContext, type TLSSocket } from 'node:tls';
import { EventSchema } from '../../src/protocol/event.ts';
import { AGENT_OUTCOMES } from '../../src/protocol/outcome.ts';
import { CommandReplySchema, StatusSchema } from '../../src/protocol/status.ts';
import { tlsOptions } from '../../src/transport/tls/options.ts';
import type { IssueOptions, MintedCa } from '../../tools/mint/mint-ca.ts';
import { serveUntilFinished } from '../transport/support.ts';
import { HOSTILE } from './hostile-text.ts';
import { type Filling, fill } from './schema-values.ts';

export interface HostileAgent {
  certname: string;
  certificate?: IssueOptions;
  /** The whole answer to a question: `GET /v1/status`. */
  answer(question: string): Buffer;
}

/** A text of ours in bytes of a header, as far as HTTP lets it through: C1, and what else has one byte. */
const inHeader = (text: string) =>
  Buffer.from([...text].filter((char) => /[\x20-\x7e\x80-\xff]/.test(char)).join(''), 'latin1');

/** A whole answer over HTTP. */
export const json = (status: string, value: unknown, type = 'application/json') => {
  const body = Buffer.from(JSON.stringify(value));
  const head = `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
};

const record = (value: unknown) => value as Record<string, unknown>;

/** Everything that there is, or with only one of what may be missing. */
function statusOf(filling: Filling, only?: string): Buffer {
  const whole = record(fill(StatusSchema, filling));
  const { running, disabled, obstacle, lastRun, pull, pullOff, doctor, classes, ...rest } = whole;
  const one = { running, disabled, obstacle, lastRun, pull, pullOff, doctor, classes };
  const some = only === undefined ? one : { [only]: record(one)[only] };
  return json('200 OK', { ...rest, ...some, time: Date.now() });
}

const OPTIONAL = ['running', 'disabled', 'obstacle', 'lastRun', 'pull', 'pullOff', 'doctor'];

/** Every kind of event, and a last one with this outcome. */
function streamOf(filling: Filling, outcome: string): Buffer {
  const events = EventSchema.options.map((schema, index) => ({
    ...record(fill(schema, filling)),
    ...{ seq: index + 1, at: Date.now() },
  }));
  const last = events.at(-1);
  Object.assign(last ?? {}, { outcome, startedAt: Date.now(), endedAt: Date.now() });
  return stream(events);
}

/** The same of events, a line each. */
export function stream(events: readonly object[]): Buffer {
  const body = Buffer.from(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const head = `HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

/** An agent that says the text of `filling` wherever it may. */
export function talking(
  certname: string,
  filling: Filling,
  { outcome = 'failed', only }: { outcome?: string; only?: string } = {},
): HostileAgent {
  return {
    certname,
    answer(question) {
      if (question.startsWith('POST /v1/commands')) return json('200 OK', fill(CommandReplySchema, filling));
      return question.includes('/v1/status') ? statusOf(filling, only) : streamOf(filling, outcome);
    },
  };
}

const filling = (choice: number): Filling => ({ text: HOSTILE[choice % HOSTILE.length] ?? '', choice });

/** Each says something else, or the same with other characters. */
export function hostileAgents(): HostileAgent[] {
  const named = (kind: string, index: number) => `${kind}${index}.example.com`;
  return [
    ...HOSTILE.map((_, at) => talking(named('all', at), filling(at))),
    ...OPTIONAL.map((only, at) => talking(named(only.toLowerCase(), at), filling(at), { only })),
    ...AGENT_OUTCOMES.map((outcome, at) => talking(`${outcome}.example.com`, filling(at), { outcome })),
    ...(['unsupported', 'expired', 'controller-not-allowed'] as const).map((code, at) => ({
      certname: `${code}.example.com`,
      answer: () => json('403 Forbidden', { code, version: filling(at).text, time: 1 }),
    })),
    ...oddAgents(),
  ];
}

/** Not in what they say, but in how: types, reasons, names in certificates. */
function oddAgents(): HostileAgent[] {
  const all = HOSTILE.join('');
  const latin = inHeader(all).toString('latin1');
  const wellMeaning = talking('x', filling(0)).answer;
  const withCertificate = (certname: string, certificate: IssueOptions): HostileAgent => ({
    certname,
    certificate,
    answer: wellMeaning,
  });
  return [
    { certname: 'type.example.com', answer: () => json('200 OK', {}, `text/${latin}`) },
    { certname: 'reason.example.com', answer: () => json(`500 ${latin}`, { code: all, [all]: all }) },
    ...HOSTILE.map((text, at) => withCertificate(`cn${at}.example.com`, { commonNames: [text] })),
    withCertificate('cns.example.com', { commonNames: ['cns.example.com', all] }),
    withCertificate('san.example.com', { alternativeNames: [Buffer.from(all).toString('latin1')] }),
  ];
}

/** Serves them all, each by its name; resolves to their port. */
export function serveHostile(ca: MintedCa, agents: readonly HostileAgent[]): Promise<number> {
  const contexts = new Map<string, SecureContext>();
  const byName = new Map(agents.map((agent) => [agent.certname, agent]));
  const contextOf = (name: string) => {
    const agent = byName.get(name);
    const context =
      contexts.get(name) ?? createSecureContext(tlsOptions(ca.agent(name, agent?.certificate ?? {})));
    contexts.set(name, context);
    return context;
  };
  const server = createServer(
    {
      ...tlsOptions(ca.agent()),
      requestCert: true,
      SNICallback: (name, done) => done(null, contextOf(name)),
    },
    (socket) => {
      const agent = byName.get(String(socket.servername));
      if (agent === undefined) socket.destroy();
      else converse(socket, agent);
    },
  );
  return serveUntilFinished(server);
}

/** One question on a connection: its head, and its body once that was asked for. */
function converse(socket: TLSSocket, agent: HostileAgent): void {
  let heard = Buffer.alloc(0);
  let isAsked = false;
  socket.on('error', () => {});
  socket.on('data', (data) => {
    heard = Buffer.concat([heard, data]);
    const end = heard.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = heard.subarray(0, end).toString('latin1');
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
    if (length > 0 && !isAsked) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    isAsked = true;
    if (heard.length >= end + 4 + length) socket.end(agent.answer(head.split('\r\n')[0] ?? ''));
  });
}
