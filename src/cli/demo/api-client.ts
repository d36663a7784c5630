/** A client of the API of a `kick serve` whose certificate is from a CA of ours. */
import { once } from 'node:events';
import { type Agent, request } from 'node:https';
import { text } from 'node:stream/consumers';

export interface ClientOptions {
  port: number;
  /** PEM. */
  ca: Buffer;
  /** The name in the server's certificate. */
  servername: string;
  /** Defaults to a connection for each request. */
  agent?: Agent;
}

export interface Account {
  name: string;
  password: string;
}

export interface Client {
  /** Of its session, for requests of one's own. */
  readonly cookie: string;
  /** Asks below /api/v1, with POST if there is a body. Throws when the answer is no success. */
  // biome-ignore lint/suspicious/noExplicitAny: scripts look into whatever came
  ask(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<any>;
}

export async function signedIn(options: ClientOptions, account: Account): Promise<Client> {
  const { cookie } = await send(options, { path: 'session', body: account });
  return {
    cookie,
    ask: async (path, body, headers) => (await send(options, { path, body, cookie, headers })).json,
  };
}

interface Question {
  path: string;
  body?: unknown;
  cookie?: string;
  headers?: Readonly<Record<string, string>> | undefined;
}

async function send(options: ClientOptions, { path, body, cookie, headers }: Question) {
  const asking = request({
    agent: false,
    ...options,
    host: '127.0.0.1',
    path: `/api/v1/${path}`,
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...(cookie !== undefined && { Cookie: cookie }),
      ...headers,
    },
  });
  asking.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = await once(asking, 'response');
  const said = await text(response);
  if (response.statusCode >= 300) throw new Error(`${path}: ${response.statusCode} ${said}`);
  const [set = ''] = response.headers['set-cookie'] ?? [];
  return { json: said === '' ? undefined : JSON.parse(said), cookie: set.split(';')[0] ?? '' };
}
