/** What a Puppet server sends to PuppetDB, so that nodes exist there without agents. */
import { request } from 'node:https';
import type { Identity } from '../../src/pki/identity.ts';
import { tlsMaterial } from '../../src/pki/tls-material.ts';

export interface PuppetDbPlace {
  url: string;
  identity: Identity;
}

/** The facts of a node in place of those that it had. */
export function replaceFacts(place: PuppetDbPlace, certname: string, values: object): Promise<void> {
  const now = new Date().toISOString();
  return command(place, 'replace_facts', {
    version: 5,
    certname,
    payload: { certname, environment: 'production', producer_timestamp: now, producer: 'test', values },
  });
}

export function deactivateNode(place: PuppetDbPlace, certname: string): Promise<void> {
  const now = new Date(Date.now() + 1000).toISOString();
  return command(place, 'deactivate_node', {
    version: 3,
    certname,
    payload: { certname, producer_timestamp: now },
  });
}

interface Command {
  version: number;
  certname: string;
  payload: {
    certname: string;
    producer_timestamp: string;
    environment?: string;
    producer?: string;
    values?: object;
  };
}

/** Resolves when PuppetDB has done it. */
async function command(
  { url, identity }: PuppetDbPlace,
  name: string,
  { version, certname, payload }: Command,
): Promise<void> {
  const target = new URL('/pdb/cmd/v1', url);
  const query = {
    ...{ command: name, version: String(version), certname },
    ...{ 'producer-timestamp': payload.producer_timestamp, secondsToWaitForCompletion: '300' },
  };
  for (const [key, value] of Object.entries(query)) target.searchParams.set(key, value);
  const body = JSON.stringify(payload);
  const text = await new Promise<string>((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(target, { ...tlsMaterial(identity), method: 'POST', agent: false, headers });
    sent.once('error', reject);
    sent.once('response', (response) => {
      response.setEncoding('utf8');
      let all = '';
      response.on('data', (chunk: string) => {
        all += chunk;
      });
      response.once('end', () => resolve(all));
    });
    sent.end(body);
  });
  if (!/"processed"\s*:\s*true/.test(text)) throw new Error(`PuppetDB, ${name} of ${certname}: ${text}`);
}
