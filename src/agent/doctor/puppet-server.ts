/** Checks whether Puppet Server answers this host, the way Puppet itself would ask. */
import { request } from 'node:https';
import { connect } from 'node:net';
import { messageOf } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { tlsMaterial } from '../../pki/tls-material.ts';
import type { DoctorFacts } from '../../protocol/doctor.ts';
import type { PuppetSettings } from '../../puppet/settings.ts';
import { clip } from '../../util/text.ts';

/** Milliseconds a server has to answer. */
const ANSWER_MS = 5000;

/** Maximum number of servers asked. */
const MAX_SERVERS = 10;

interface Server {
  name: string;
  port: number;
}

/**
 * The servers of `server_list` (`a,b:8141`) if it is set, since Puppet then ignores `server`. None if neither is set, which
 * is the default of OpenVox 9 for users other than root.
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

/** Asks all servers. Without a certificate, only checks that they accept a connection. */
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

/** Returns why no connection is possible; undefined if it is. */
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

/** Puppet Server's status is open to anyone (auth.conf, "puppetlabs status service - simple"). */
function answerProblem(
  { name: host, port }: Server,
  timeoutMs: number,
  identity: Identity,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const question = request(
      {
        host,
        port,
        servername: host,
        path: '/status/v1/simple',
        agent: false,
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
