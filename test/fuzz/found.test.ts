/** What the fuzzer of decoders has found, and what is answered since. */

import { X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Request } from 'express';
import { expect, onTestFinished, test, vi } from 'vitest';
import { factsIn } from '../../src/agent/puppet/ask-facts.ts';
import { readDisabled } from '../../src/agent/puppet/disabled-lock.ts';
import { readIndex } from '../../src/controller/jobs/job-index-file.ts';
import { EVENT_LINES } from '../../src/controller/jobs/job-schema.ts';
import { parseNodesFile } from '../../src/controller/targeting/nodes-file.ts';
import { readCrl, splitCrls } from '../../src/pki/crl.ts';
import { parseDenyList } from '../../src/pki/deny-list.ts';
import { childrenOf, DerError, serialNumber, serialText, TAG } from '../../src/pki/der.ts';
import { nameFor } from '../../src/pki/identity-files.ts';
import { ChainError, chainVerifier } from '../../src/pki/peer-chain.ts';
import { TYPES } from '../../src/protocol/algorithm.ts';
import { decodeEnvelope, leafOf, parseRequest, verifySignature } from '../../src/protocol/envelope.ts';
import { sealAs } from '../../src/protocol/seal.ts';
import { readPuppetdbConf } from '../../src/puppet/puppetdb-conf.ts';
import { systemClock } from '../../src/util/clock.ts';
import { lineDecoder } from '../../src/util/json.ts';
import { silentLog } from '../../src/util/log.ts';
import { ROUTES } from '../../src/web/api/routes.ts';
import { openOidc } from '../../src/web/server/access/oidc.ts';
import { openAudit } from '../../src/web/server/audit.ts';
import { inputOf } from '../../src/web/server/http/input.ts';
import { fixedCa } from '../../tools/fuzz/decoders/fixed-ca.ts';
import { element } from '../../tools/fuzz/decoders/mutate-der.ts';
import { ISSUER, PROVIDER } from '../../tools/fuzz/decoders/oidc.ts';
import { AT, UUID } from '../../tools/fuzz/decoders/samples.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';

/** Deeper than any stack. */
const DEEP = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;

function fileWith(text: string): string {
  const { path, remove } = throwawayFolder();
  onTestFinished(remove);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'file'), text);
  return join(path, 'file');
}

/** A certificate whose key is of P-256 by its own account, and is no point of it. */
function withoutKey(certificate: X509Certificate): Buffer {
  const der = Buffer.from(certificate.raw);
  const point = der.indexOf(Buffer.from('03420004', 'hex'));
  expect(point).toBeGreaterThan(0);
  der[point + 3] = 0x05;
  return der;
}

test('agent_disabled.lock with a reason that is nested without end: it disables, for no reason', async () => {
  const path = fileWith(`{"disabled_message":${DEEP}}`);
  expect(await readDisabled(path)).toEqual({ reason: expect.stringContaining('no reason') });
});

test('facts that are nested without end are none', () => {
  expect(() => factsIn(`{"values":{"a":${DEEP}}}`)).toThrow('what it prints is nested deeper than 100');
  expect(factsIn('Warning: old\n{"values":{"a":1}}')).toEqual({ a: 1 });
});

test('a list of hosts that is nested without end', () => {
  expect(() => parseNodesFile(`[{"certname":${DEEP}}]`, 'x')).toThrow(/nested deeper than 100/);
  expect(() => parseNodesFile('["a", {', 'x')).toThrow(/it is not JSON: .*position/);
});

test('an event of a job that is nested without end is a damaged line', () => {
  const decodeStored = lineDecoder(EVENT_LINES);
  const event = { type: 'accepted', seq: 1, at: AT, version: '0.1.0' };
  const line = { type: 'host-event', at: AT, certname: 'a', event };
  expect(decodeStored(JSON.stringify(line))).toEqual(line);
  expect(decodeStored(JSON.stringify(line).replace('"0.1.0"', DEEP))).toBeUndefined();
});

test('a line of the list of jobs brings no prototype with it', () => {
  const [first, second] = [`{"id":"${UUID}","at":1}`, `{"id":"${UUID}","__proto__":{"exit":3}}`];
  const job = readIndex(fileWith(`${first}\n${second}\n`)).jobs.get(UUID);
  expect(job).toEqual({ id: UUID, at: 1 });
  expect(job?.exit).toBeUndefined();
});

test('a signed request of a certificate around a key that is none', async () => {
  const { key, chain } = mintCa().controller();
  const [own] = chain as [X509Certificate];
  const broken = { raw: withoutKey(own) } as X509Certificate;
  const envelope = decodeEnvelope(await sealAs(TYPES.request, {}, { key, chain: [broken] }));
  await expect(verifySignature(envelope, leafOf(envelope))).rejects.toMatchObject({ code: 'signature' });
});

test('a request whose version is an object with an odd way to become text', () => {
  for (const version of [{ toString: 1 }, [2], '2', null]) {
    const payload = Buffer.from(JSON.stringify({ v: version }));
    expect(() => parseRequest(payload, '0.0.0')).toThrow(expect.objectContaining({ code: 'malformed' }));
  }
});

test('a chain with such a certificate, and one for nobody', () => {
  const { agent, certificates, crls } = fixedCa();
  const ca = (certificates.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? []).map(
    (pem) => new X509Certificate(pem),
  );
  const { verify } = chainVerifier({ ca, crls: splitCrls(crls) });
  expect(() => verify([withoutKey(agent)], { now: AT, use: 'clientAuth' })).toThrow(ChainError);
  expect(verify([agent.raw], { now: AT, use: 'clientAuth' }).subject).toBe(agent.subject);
  const nobody = mintCa().issue('x', { commonNames: [] });
  const certificate = new X509Certificate(nobody.certificate);
  expect(() => verify([certificate.raw], { now: AT, use: 'clientAuth' })).toThrow(ChainError);
  expect(nameFor(certificate)).toBe('');
});

/** The agent's certificate with another serial number, signed by the CA all the same. */
function withSerial(content: Buffer): Buffer {
  const { agent, sign } = fixedCa();
  const [tbs] = childrenOf(agent.raw, TAG.sequence);
  const [version, , ...rest] = childrenOf(tbs?.whole ?? agent.raw, TAG.sequence).map(({ whole }) => whole);
  const fields = [version ?? Buffer.alloc(0), element(TAG.integer, content), ...rest];
  return sign(element(TAG.sequence, Buffer.concat(fields)));
}

test('a serial number below zero: its certificate is believed, denied and revoked like any other', () => {
  const certificate = withSerial(Buffer.from([0x80, 0x01]));
  expect(new X509Certificate(certificate).serialNumber).toBe('-7FFF');
  expect(parseDenyList('serial:-7FFF', 'x').denies(certificate)).toBe('serial:-7fff');
  expect(parseDenyList('serial:8001', 'x').denies(certificate)).toBeUndefined();
  expect(serialText(Buffer.from([0x80, 0x01]))).toBe('-7FFF');
  expect(serialText(Buffer.from([0x00, 0x80]))).toBe('0080');
  expect(serialNumber('-7FFF')).toBe(-0x7fffn);
});

test('a CRL with a serial number of no bytes is none', () => {
  const time = element(TAG.utcTime, Buffer.from('260101000000Z'));
  const entry = element(TAG.sequence, Buffer.concat([element(TAG.integer, Buffer.alloc(0)), time]));
  const name = element(TAG.sequence, Buffer.alloc(0));
  const fields = [element(TAG.sequence, Buffer.alloc(0)), name, time, time, element(TAG.sequence, entry)];
  const list = element(TAG.sequence, element(TAG.sequence, Buffer.concat(fields)));
  const pem = `-----BEGIN X509 CRL-----\n${list.toString('base64')}\n-----END X509 CRL-----\n`;
  expect(() => readCrl(pem)).toThrow(DerError);
});

test('a parameter of a query that is given a hundred thousand times', async () => {
  const request = { params: {}, headers: {}, originalUrl: `/?${'limit=1&'.repeat(100_000)}` } as Request;
  await expect(inputOf(ROUTES.listAudit, request)).rejects.toMatchObject({ code: 'bad-request' });
});

test('an audit of line ends alone is passed over, and what stands among them is found', async () => {
  const { path, remove } = throwawayFolder();
  onTestFinished(remove);
  const line = JSON.stringify({ at: '', who: '', via: '', address: '', what: '', status: 0 });
  writeFileSync(join(path, 'audit.jsonl'), `${'{\n'.repeat(100_000)}${line}\n${'\n'.repeat(20_000)}`);
  const audit = await openAudit(path, { clock: systemClock, log: silentLog });
  const parse = vi.spyOn(JSON, 'parse');
  onTestFinished(() => parse.mockRestore());
  expect((await audit.page({ limit: 50 })).lines).toHaveLength(1);
  expect(parse).toHaveBeenCalledTimes(1);
});

test('a provider that does not say where to sign in: it is unavailable, and asked again', async () => {
  const answers = [{ issuer: ISSUER }, { issuer: ISSUER, authorization_endpoint: `${ISSUER}/authorize` }];
  const headers = { 'content-type': 'application/json' };
  vi.stubGlobal('fetch', async () => new Response(JSON.stringify(answers.shift()), { headers }));
  onTestFinished(() => void vi.unstubAllGlobals());
  const oidc = openOidc(PROVIDER, { url: 'https://kick.example.com', clock: systemClock });
  await expect(oidc.begin()).rejects.toMatchObject({ code: 'unavailable' });
  expect((await oidc.begin()).location).toMatch(`${ISSUER}/authorize?`);
});

test('puppetdb.conf with a hundred thousand blanks within a value is read at once', async () => {
  const path = fileWith(`[main]\nserver_urls = https://a:8081,${' '.repeat(100_000)}https://b:8081 \n`);
  expect(await readPuppetdbConf(path)).toEqual(['https://a:8081', 'https://b:8081']);
});
