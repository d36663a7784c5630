/** What people read where a file or a request has another shape than its schema. */

import * as v from 'valibot';
import { expect, test } from 'vitest';
import { AgentConfigSchema } from '../../src/config/agent-config.ts';
import { ControllerConfigSchema } from '../../src/config/controller-config.ts';
import { withNearKeys } from '../../src/config/near-keys.ts';
import { formatProblems, problemsOf } from '../../src/util/schema.ts';

function wordsFor(schema: v.GenericSchema, value: unknown): string {
  const parsed = v.safeParse(schema, value);
  return parsed.success ? 'fits' : formatProblems(withNearKeys(schema, problemsOf(parsed.issues)));
}

test.each([
  ['x', '"x" is not a mapping'],
  [{ port: 'a' }, 'port: "a" is not a number'],
  [{ port: 1.5 }, 'port: 1.5 is not a whole number'],
  [{ port: -1 }, 'port: -1 is less than 0'],
  [{ port: 70_000 }, 'port: 70000 is more than 65535'],
  [{ bind: 5 }, 'bind: 5 is not text'],
  [{ bind: 'x'.repeat(70_000) }, 'bind: longer than 65536 characters'],
  [{ controllers: 'x' }, 'controllers: "x" is not a list'],
  [{ runner: 'foo' }, 'runner: "foo" is none of "puppet-agent", "puppet-apply", "command"'],
  [{ apply: {} }, 'apply.manifest: missing'],
  [{ pull: [1] }, 'pull.0: not known here; remove it, or upgrade kick if a newer one knows it'],
  [{ trust_pp_cli_auth: 'no' }, 'trust_pp_cli_auth: "no" is not true or false'],
  [{ kill_grace: [] }, 'kill_grace: a list is neither text nor a number'],
  [{ listen: false }, 'listen: without a port, nats or pull nobody can reach this host'],
  [{ listen: false, nats: { servers: ['tls://nats1.example.com:4222'] } }, 'fits'],
  [{ nats: { servers: ['nats1', '[::1]', '127.0.0.1:14222'] } }, 'fits'],
  [{ nats: {} }, 'nats.servers: missing'],
  [{ nats: { servers: [] } }, 'nats.servers: name at least one server'],
  [
    { nats: { servers: ['http://nats1'] } },
    'nats.servers.0: "http://nats1" is not a server like tls://nats1.example.com:4222',
  ],
  [
    { nats: { servers: ['999.1.1.1'] } },
    'nats.servers.0: "999.1.1.1" is not a server like tls://nats1.example.com:4222',
  ],
  [
    { nats: { servers: ['nats..1'] } },
    'nats.servers.0: "nats..1" is not a server like tls://nats1.example.com:4222',
  ],
  [
    { nats: { servers: ['::1:4222'] } },
    'nats.servers.0: "::1:4222" is not a server like tls://nats1.example.com:4222',
  ],
  [
    { nats: { servers: ['n\n'] } },
    'nats.servers.0: "n\\x0a" is not a server like tls://nats1.example.com:4222',
  ],
  [{ nats: { servers: 'nats1' } }, 'nats.servers: "nats1" is not a list'],
  [{ nats: { servers: [['a']] } }, 'nats.servers.0: a list is not text'],
  [{ nats: { servers: Array(1000).fill('nats1') } }, 'nats.servers: more than 32 servers'],
  [
    { nats: { servers: ['nats1'], user: 'x' } },
    'nats.user: not known here; remove it, or upgrade kick if a newer one knows it',
  ],
  [
    { nats: { servers: ['127.0.0.1.example.com'], tls: false } },
    'nats.tls: false is only possible on loopback addresses',
  ],
  [
    { nats: { servers: ['nats1:70000'] } },
    'nats.servers.0: "nats1:70000" is not a server like tls://nats1.example.com:4222',
  ],
  [{ nats: { servers: ['nats1'], tls: false } }, 'nats.tls: false is only possible on loopback addresses'],
  [{ nats: { servers: ['127.0.0.1', 'localhost:4222', '[::1]'], tls: false } }, 'fits'],
  [{ prot: 1 }, 'prot: not known here; did you mean "port"'],
  [{ 'pki-dir': '/x' }, 'pki-dir: not known here; did you mean "pki_dir"'],
  [{ pull: { runintervall: 1 } }, 'pull.runintervall: not known here; did you mean "runinterval"'],
  [{ something: 1 }, 'something: not known here; remove it, or upgrade kick if a newer one knows it'],
])('agent.yaml with %j: %s', (value, words) => {
  expect(wordsFor(AgentConfigSchema, value)).toBe(words);
});

test('controller.yaml with keys of its mappings misspelt', () => {
  const value = { web: { prot: 1, users: 2 }, puppetdb: 5 };
  const words = wordsFor(ControllerConfigSchema, value);
  expect(words).toContain('web.prot: not known here; did you mean "port"');
  expect(words).toContain('puppetdb: neither false nor {urls}');
});
