/** Whoever stands between, another node of the same CA, a stranger with floods and garbage: nothing is given and nothing written. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { ask } from '../../src/enrolment/call.ts';
import { firstRequest, ROUTES } from '../../src/enrolment/wire.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { newKey } from '../../src/pki/new-key.ts';
import { systemClock } from '../../src/util/clock.ts';
import { listenOn } from '../../tools/loopback.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import {
  type CaSite,
  caSite,
  clockAhead,
  enrollHere,
  NODE,
  nodePlace,
  SERVER,
  serveHere,
} from '../support/enrolment.ts';

const caIn = ({ dir }: Pick<CaSite, 'dir'>) => readFileSync(`${dir}/certs/ca.pem`, 'utf8');

/** Answers each path as it is told, with any certificate; notes what it was asked. */
async function impostor(
  material: { key: string; cert: string },
  answers: Readonly<Record<string, string>>,
): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer(material, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume();
    response.end(answers[request.url ?? ''] ?? '');
  });
  onTestFinished(() => void server.close());
  return { port: await listenOn(server), asked };
}

function minted(ca: ReturnType<typeof mintCa>, name = SERVER) {
  const { key, certificate } = ca.issue(name);
  return { key, cert: certificate };
}

test('in the middle with another CA: the fingerprint does not fit, and the token is not sent', async () => {
  const site = await caSite();
  const other = mintCa();
  const { key, cert } = minted(other);
  const { port, asked } = await impostor({ key, cert }, { [ROUTES.ca]: other.certificates });
  const place = nodePlace();
  await expect(enrollHere(port, await site.token(), { place })).rejects.toThrow(
    /not the one that the token names/,
  );
  expect(asked).toEqual([`GET ${ROUTES.ca}`]);
  expect(existsSync(place.dir)).toBe(false);
});

test('what does not speak TLS at that address is said, and which port is meant', async () => {
  const port = await listenOn(
    createNetServer((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
  );
  const place = nodePlace();
  const token = await (await caSite()).token();
  await expect(enrollHere(port, token, { place })).rejects.toMatchObject({
    message: expect.stringMatching(/what listens there does not speak TLS 1\.3$/),
    hint: expect.stringContaining('--server HOST:PORT'),
  });
});

test('in the middle with the true CA’s certificate, but a certificate of another: TLS does not get through', async () => {
  const site = await caSite();
  const { port, asked } = await impostor(minted(mintCa()), { [ROUTES.ca]: caIn(site) });
  const place = nodePlace();
  await expect(enrollHere(port, await site.token(), { place })).rejects.toThrow(/is not of our CA/);
  expect(asked).toEqual([`GET ${ROUTES.ca}`]);
  expect(existsSync(place.dir)).toBe(false);
});

test('a rogue node of the same CA does not pass for the server, neither with its name nor by another', async () => {
  const site = await caSite();
  const rogue = 'web9.example.com';
  await openAuthority(site.dir, { clock: systemClock }).issue({
    ...{ name: rogue, role: 'agent', keyType: 'p256', days: 1 },
  });
  const { port, lines } = await serveHere(site, { certname: rogue });
  const place = nodePlace();
  await expect(enrollHere(port, await site.token(), { place })).rejects.toMatchObject({
    message: expect.stringMatching(
      /: the certificate there is that of "web9.example.com"; "localhost" was expected$/,
    ),
    hint: expect.stringContaining(`if "${rogue}" is the host of the CA: --server ${rogue}:${port},`),
  });
  expect(lines).toEqual([]);
  expect(existsSync(place.dir)).toBe(false);
});

test('a server whose certificate is revoked is not told the token', async () => {
  const site = await caSite();
  const { port, lines } = await serveHere(site);
  await openAuthority(site.dir, { clock: systemClock }).revoke(SERVER);
  const place = nodePlace();
  const token = await site.token();
  // It hands out the CRL of before its revocation; the node has a later one only from the CA itself.
  const honest = await serveHere({ ...site }).catch((error: unknown) => String(error));
  expect(honest).toMatch(/revoked/);
  const { key, cert } = {
    key: readFileSync(`${site.dir}/private_keys/${SERVER}.pem`, 'utf8'),
    cert: readFileSync(`${site.dir}/certs/${SERVER}.pem`, 'utf8'),
  };
  const crl = readFileSync(`${site.dir}/crl.pem`, 'utf8');
  const middle = await impostor({ key, cert }, { [ROUTES.ca]: caIn(site), [ROUTES.crl]: crl });
  await expect(enrollHere(middle.port, token, { place })).rejects.toThrow(/is revoked/);
  expect(middle.asked).toEqual([`GET ${ROUTES.ca}`, `GET ${ROUTES.crl}`]);
  expect([port > 0, lines]).toEqual([true, []]);
});

test('a clock that is wrong is said, in both directions, and nothing is written', async () => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const token = await site.token();
  const YEAR = 366 * 86_400_000;
  for (const [ahead, why] of [
    [-10 * YEAR, /not valid yet/],
    [20 * YEAR, /expired/],
  ] as const) {
    const place = nodePlace();
    await expect(enrollHere(port, token, { place, clock: clockAhead(ahead) })).rejects.toMatchObject({
      message: expect.stringMatching(why),
      hint: expect.stringContaining(`${ahead < 0 ? 'behind' : 'ahead of'} that of localhost`),
    });
    expect(existsSync(place.paths.certificate)).toBe(false);
  }
});

test('a key that is not one’s own, or of another kind, gets nothing, and the token is still good', async () => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const token = await site.token();
  const send = (body: object) =>
    ask(
      { host: SERVER, port },
      {
        ...{ method: 'POST', path: ROUTES.certificate, trust: { ca: [caIn(site)] } },
        body: JSON.stringify(body),
      },
    );
  const own = firstRequest({ ...token, name: NODE }, newKey('p256'));
  const { key } = firstRequest({ ...token, name: NODE }, newKey('p256'));
  const ed25519 = generateKeyPairSync('ed25519').privateKey;
  for (const body of [
    { ...own, key },
    { ...own, proof: firstRequest({ ...token, name: 'web2.example.com' }, newKey('p256')).proof },
    { ...own, more: 1 },
    { ...own, name: '../x' },
    { ...own, key: `${own.key}AA` },
    { ...own, key: ed25519.export({ type: 'pkcs8', format: 'der' }).toString('base64') },
    [],
    {},
  ])
    await expect(send(body), JSON.stringify(body)).rejects.toThrow(/malformed/);
  await enrollHere(port, token);
});

/** Sends text over TLS and returns the first line that comes back. */
async function say(port: number, text: string): Promise<string> {
  const socket = connectTls({ port, host: '127.0.0.1', servername: SERVER, rejectUnauthorized: false });
  socket.on('error', () => {});
  socket.write(text);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'close');
  return Buffer.concat(chunks).toString().split('\r\n')[0] ?? '';
}

test('bodies that are too long, chunked, compressed or garbage, other methods and paths: refused, and a node is served', async () => {
  const site = await caSite();
  const { port, lines } = await serveHere(site);
  const post = (headers: string, body = '') =>
    say(port, `POST ${ROUTES.certificate} HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n${body}`);
  const json = 'content-type: application/json\r\n';
  expect(await post(`${json}content-length: 1000000000`)).toContain('413');
  expect(await post(`${json}transfer-encoding: chunked`, '5\r\nhello\r\n0\r\n\r\n')).toContain('411');
  expect(await post('content-length: 5', 'hello')).toContain('415');
  expect(await post(`${json}content-length: 5`, 'hello')).toContain('400');
  expect(await post(`${json}content-length: 4000`, '['.repeat(4000))).toContain('400');
  expect(await post(`${json}content-length: -1`)).not.toContain('200');
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', `${ROUTES.ca}/../../ca/ca_key.pem`],
    ['GET', '/ca/ca_key.pem'],
    ['DELETE', ROUTES.ca],
    ['GET', '/__proto__'],
    ['POST', ROUTES.crl],
  ])
    expect(await say(port, `${method} ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n`)).toContain(
      '404',
    );
  expect(await say(port, `GET /${'x'.repeat(10_000)} HTTP/1.1\r\n\r\n`)).not.toContain('200');
  await enrollHere(port, await site.token());
  // Ten lines a minute, however many strangers there are.
  expect(lines.filter(({ msg }) => msg === 'refused').length).toBeLessThanOrEqual(10);
});

test.each([
  ["the node's own address", 200, ['127.0.0.1']],
  ['forty', 800, Array.from({ length: 40 }, (_, index) => `127.1.0.${index + 1}`)],
])('silent and garbling connections of %s: a node is served meanwhile', async (_, count, addresses) => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const sockets: Socket[] = [];
  onTestFinished(() => sockets.forEach((socket) => void socket.destroy()));
  for (let index = 0; index < count; index++) {
    const localAddress = addresses[index % addresses.length];
    const socket = connect({ port, host: '127.0.0.1', ...(localAddress && { localAddress }) });
    socket.on('error', () => {});
    if (index % 8 === 0) socket.write('GET / HTTP/1.1\r\n\r\n');
    sockets.push(socket);
  }
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  await enrollHere(port, await site.token());
});

test('a node whose connections make room for others asks again', async () => {
  const site = await caSite();
  const { port } = await serveHere(site);
  let left = 2;
  const between = createNetServer((near) => {
    near.on('error', () => {});
    left -= 1;
    if (left >= 0) return void near.resetAndDestroy();
    const far = connect({ port, host: '127.0.0.1' }).on('error', () => near.destroy());
    near.pipe(far).pipe(near);
  });
  onTestFinished(() => void between.close());
  await enrollHere(await listenOn(between), await site.token());
  expect(left).toBeLessThan(0);
});
