/**
 * POST /hooks/NAME: a push to a branch runs Puppet in the environment of that branch. Who sends it proves that with a
 * secret, and not with a session. The job waits its turn: one runs, and one more waits, for each hook and environment.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Express } from 'express';
import * as v from 'valibot';
import type { HookConfig } from '../../../config/controller-config.ts';
import { KickError, messageOf } from '../../../errors.ts';
import { EnvironmentSchema } from '../../../protocol/names.ts';
import { text } from '../../../util/bounds.ts';
import { JsonError, parseJson } from '../../../util/json.ts';
import type { Log } from '../../../util/log.ts';
import { clip } from '../../../util/text.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { Caller } from '../access/caller.ts';
import { readSecret } from '../access/secret-file.ts';
import type { Note, ServerContext } from '../context.ts';
import { startJob } from '../handlers/orders.ts';
import { deliveryOf } from './deliveries.ts';
import { MAX_BODY } from './input.ts';
import { problemOf, sendProblem } from './problems.ts';
import { openBodies } from './unknown-bodies.ts';

/** Seconds for which our own signature is good. */
const FRESH_S = 300;
const LOCK_WAIT_S = 3600;

export function mountHooks(app: Express, context: ServerContext): void {
  const bodyOf = openBodies();
  for (const hook of context.config?.hooks ?? []) {
    app.post(`/hooks/${hook.name}`, async (request, response) => {
      try {
        const body = await bodyOf(request);
        const secret = usableSecretOf(hook, context.log);
        if (!isGenuine(hook.kind, { headers: request.headers, body, secret, now: context.clock.now() })) {
          throw new ApiProblem('not-signed-in', 'the signature is not that of the secret');
        }
        const event = request.headers['x-github-event'] ?? 'push';
        if (event === 'ping') return void response.json({ message: 'pong' });
        // A branch that is made or deleted, a release: they name a ref as well.
        if (hook.kind === 'github' && event !== 'push')
          return void response.status(202).json({ message: 'nothing is done for this event' });
        const address = request.socket.remoteAddress ?? '';
        const delivery = deliveryOf(hook.kind, { headers: request.headers, body });
        response.status(202).json(await run(context, hook, { body, address, delivery }));
      } catch (error) {
        sendProblem(response, problemOf(error, context.log));
      }
    });
  }
}

/** Who sends to a hook may be anybody: what is wrong with its secret is logged, and not shown. */
function usableSecretOf(hook: HookConfig, log: Log): string {
  try {
    return secretOf(hook);
  } catch (error) {
    log.error({ hook: hook.name, reason: messageOf(error) }, 'the secret of a hook cannot be used');
    throw new ApiProblem('unavailable', 'this hook cannot be used now', {
      hint: 'see the log of the server',
    });
  }
}

function secretOf({ name, secret_file: file }: HookConfig): string {
  const secret = readSecret(file, 'web.hooks.secret_file');
  // An empty key would sign for everybody.
  if (secret.length >= 16) return secret;
  throw new KickError('config', `read the secret of the hook "${name}": it is shorter than 16 characters`);
}

interface Sent {
  headers: IncomingHttpHeaders;
  body: Buffer;
  secret: string;
  /** Milliseconds since 1970. */
  now: number;
}

export function isGenuine(kind: HookConfig['kind'], { headers, body, secret, now }: Sent): boolean {
  if (kind === 'gitlab') return isSame(headers['x-gitlab-token'], secret);
  if (kind === 'github') return isSame(headers['x-hub-signature-256'], `sha256=${hmac(secret, body)}`);
  const at = headers['x-kick-timestamp'];
  if (typeof at !== 'string' || !/^\d{1,12}$/.test(at)) return false;
  const isFresh = Math.abs(now / 1000 - Number(at)) <= FRESH_S;
  const signed = Buffer.concat([Buffer.from(`${at}.`), body]);
  return isFresh && isSame(headers['x-kick-signature'], `sha256=${hmac(secret, signed)}`);
}

const hmac = (secret: string, body: Buffer) => createHmac('sha256', secret).update(body).digest('hex');

/** Takes as long for any. */
function isSame(given: unknown, expected: string): boolean {
  const digest = (one: string) => createHash('sha256').update(one).digest();
  return (
    timingSafeEqual(digest(typeof given === 'string' ? given : ''), digest(expected)) && given !== undefined
  );
}

const PushSchema = v.object({
  ref: v.optional(text(1024)),
  branch: v.optional(text(1024)),
  deleted: v.optional(v.boolean()),
  after: v.optional(text(128)),
});

/** The environment of a push; undefined for a branch that is not named, or is gone. Throws `ApiProblem`. */
export function environmentOf(
  { branches }: HookConfig,
  body: Buffer,
): { branch: string; environment?: string } {
  const { ref, branch: named, deleted, after = '' } = pushIn(body);
  const branch = named ?? ref?.replace(/^refs\/heads\//, '') ?? '';
  const isGone = deleted === true || /^0{40,}$/.test(after) || ref?.startsWith('refs/tags/') === true;
  const mapped = Object.hasOwn(branches, branch) ? branches[branch] : branches['*'];
  if (branch === '' || isGone || mapped === undefined) return { branch };
  // As r10k names environments.
  const environment = mapped === '*' ? branch.replaceAll(/\W/g, '_') : mapped;
  return v.is(EnvironmentSchema, environment) ? { branch, environment } : { branch };
}

function pushIn(body: Buffer): v.InferOutput<typeof PushSchema> {
  try {
    const parsed = v.safeParse(PushSchema, parseJson(body, { maxBytes: MAX_BODY, maxDepth: 32 }));
    if (parsed.success) return parsed.output;
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  throw new ApiProblem('bad-request', 'the body is not a push in JSON', {
    hint: 'content type: application/json',
  });
}

/** One for each hook and environment; names of locks are short. */
export function lockOf(hook: string, environment: string): string {
  const name = `hook-${hook}-${environment}`;
  if (name.length <= 64) return name;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 12);
  return `${name.slice(0, 51)}-${digest}`;
}

interface Delivered {
  body: Buffer;
  address: string;
  delivery: string | undefined;
}

/** The same delivery gets the answer that it got first. */
async function run(context: ServerContext, hook: HookConfig, { body, address, delivery }: Delivered) {
  const { branch, environment } = environmentOf(hook, body);
  if (environment === undefined) return { message: `nothing is done for the branch "${clip(branch, 100)}"` };
  const start = (begins?: Note['begins']) =>
    startFor(context, hook, { branch, environment, address, begins });
  if (delivery === undefined) return start();
  const asked = { caller: `hook-${hook.name}`, key: delivery, request: delivery };
  return context.deliveries.once(asked, start);
}

interface Pushed {
  branch: string;
  environment: string;
  address: string;
  begins: Note['begins'] | undefined;
}

async function startFor(
  context: ServerContext,
  { name, hosts, noop, canary, max_failures: maxFailures }: HookConfig,
  { branch, environment, address, begins }: Pushed,
) {
  const caller: Caller = {
    name: `hook-${name}`,
    role: 'operator',
    limits: [],
    via: 'hook',
    id: name,
    address,
  };
  const note: Note = { ...(begins !== undefined && { begins: ({ job }) => begins({ job }) }) };
  const wish = {
    choice: { hosts: [hosts] },
    action: { environment, ...(noop && { noop }) },
    rollout: { ...(canary !== undefined && { canary }), ...(maxFailures !== undefined && { maxFailures }) },
    reason: clip(`push to ${branch}`, 200),
    lock: lockOf(name, environment),
    lockWait: LOCK_WAIT_S,
    dryRun: false,
  };
  const line = { who: caller.name, via: caller.via, address, what: `POST /hooks/${name}` };
  const said = () => ({
    ...(note.detail !== undefined && { detail: note.detail }),
    ...(note.job !== undefined && { job: note.job }),
  });
  try {
    const { job } = await startJob(context, wish, { caller, note });
    await context.audit.add({ ...line, status: 202, ...said() });
    return { job };
  } catch (error) {
    // Whoever waits already starts after this push, and so covers it.
    if (error instanceof KickError && error.code === 'locked') return { message: error.message };
    const { status, message: detail } = problemOf(error, context.log);
    await context.audit.add({ ...line, status, detail, ...said() });
    throw error;
  }
}
