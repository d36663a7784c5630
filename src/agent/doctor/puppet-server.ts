/** Whether Puppet Server answers this host, as Puppet itself would ask it. */
import { request } from 'node:https';
import { connect } from 'node:net';
import { messageOf } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { tlsMaterial } from '../../pki/tls-material.ts';
import type { DoctorFacts } from '../../protocol/doctor.ts';
import type { PuppetSettings } from '../../puppet/settings.ts';
import { clip } from '../../util/text.ts';

/** Milliseconds that a server is given. */
const ANSWER_MS = 5000;

/** Servers that are asked of a longer list. */
const MAX_SERVERS = 10;

interface Server {
  name: string;
  port: number;
}

/**
 * `server_list` where there is one (`a,b:8141`), for Puppet then looks at no `server`. Nobody where neither is set, as by
 * default for a user of OpenVox 9 other than root.
 */
export function serversOf({
  server,
  serverport,
  server_list,
}: Pick<PuppetSettings, 'server' | 'serverport' | 'server_list'>): Server[] {
  const listed = server_list
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map((one) => {
      const [, name = one, port] = /^(.*?)(?::(\d{1,5}))?$/.exec(one) ?? [];
      return { name, port: port === undefined ? serverport : Number(port) };
    });
  if (listed.length > 0) return listed.slice(0, MAX_SERVERS);
  return server === '' ? [] : [{ name: server, port: serverport }];
}

/** Asks them all. Without a certificate of ours only whether they take a connection. */
export function askServers(
  servers: readonly Server[],
  identity: Identity | undefined,
  timeoutMs = ANSWER_MS,
): Promise<NonNullable<DoctorFacts['servers']>> {
  return Promise.all(
    servers.map(async (server) => {
      const ask = identity === undefined ? connectProblem : answerProblem;
      const error = await ask(server, timeoutMs, identity as Identity);
      return { ...server, ...(error !== undefined && { error: clip(error, 300) }) };
    }),
  );
}

/** Why nobody listens there; undefined when somebody does. */
function connectProblem({ name: host, port }: Server, timeoutMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (why?: string) => {
      socket.destroy();
      resolve(why);
    };
    socket.setTimeout(timeoutMs, () => end(silence(timeoutMs)));
    socket.once('connect', () => end());
    socket.once('error', (error) => end(messageOf(error)));
  });
}

/** Puppet Server tells its status to whoever asks (auth.conf, "puppetlabs status service - simple"). */
function answerProblem(
  { name: host, port }: Server,
  timeoutMs: number,
  identity: Identity,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const question = request(
      {
        ...{ host, port, servername: host, path: '/status/v1/simple', agent: false },
        ...tlsMaterial(identity),
        signal: AbortSignal.timeout(timeoutMs),
      },
      ({ statusCode = 0 }) => {
        resolve(statusCode >= 500 ? `it answers ${statusCode}` : undefined);
        question.destroy();
      },
    );
    question.on('error', (error) =>
      resolve(error.name === 'AbortError' ? silence(timeoutMs) : messageOf(error)),
    );
    question.end();
  });
}

const silence = (timeoutMs: number) => `no answer in ${timeoutMs / 1000} s`;
