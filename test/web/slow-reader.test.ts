/** Streams of a large job: a client that does not read is dropped, and resumes where it was. */
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { expect, onTestFinished, test } from 'vitest';
import type { JobEvent } from '../../src/controller/jobs/job.ts';
import type { News } from '../../src/web/api/news.ts';
import { streamWork } from '../../src/web/server/http/stream.ts';
import { openFeeds } from '../../src/web/server/jobs/feeds.ts';
import { deferred } from '../support/deferred.ts';

const HOSTS = 60_000;
const JOB = '0197a5e2-0000-7000-8000-000000000000';
const clock = { now: () => 0, monotonic: () => 0 };

/** A job whose hosts are asked and end, all at once; it is over when `over` resolves. */
async function* events(over: Promise<void>): AsyncGenerator<JobEvent> {
  for (let host = 0; host < HOSTS; host++) {
    const certname = `host${host}.${'x'.repeat(150)}.example.com`;
    yield { type: 'host-dispatched', at: host, certname };
    yield { type: 'host-done', at: host, result: { certname, outcome: 'unchanged', endedAt: host } };
  }
  await over;
}

interface Streaming {
  port: number;
  /** The server's ends of the streams, in the order of their begin. */
  ends: Promise<unknown>[];
}

async function streaming(over: Promise<void>): Promise<Streaming> {
  const ends: Promise<unknown>[] = [];
  const controller = { clock, follow: () => events(over) };
  // biome-ignore lint/suspicious/noExplicitAny: of a controller only this is used
  const feeds = openFeeds(controller as any, clock, () => {});
  // biome-ignore lint/suspicious/noExplicitAny: the same
  const context = { recentJob: async () => ({ job: { id: JOB } }), doors: {} } as any;
  const work = streamWork(context, feeds, { behindMs: 300 });
  const app = express();
  app.set('query parser', false);
  app.get('/jobs/:job/events', (request, response) => {
    ends.push(once(response, 'close'));
    return work(request, response, undefined);
  });
  const server = createServer(app).listen(0, '127.0.0.1');
  onTestFinished(() => {
    feeds.close();
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, ends };
}

async function open(port: number, last: string): Promise<IncomingMessage> {
  const headers = last === '' ? {} : { 'Last-Event-ID': last };
  const asking = get({ host: '127.0.0.1', port, path: `/jobs/${JOB}/events`, agent: false, headers });
  const [response] = await once(asking, 'response');
  return response;
}

/** Reads to the end, or to where it breaks off: whole messages only. */
async function readAll(response: IncomingMessage): Promise<{ last: string; news: News[]; isOver: boolean }> {
  let text = '';
  response.on('data', (data: Buffer) => (text += data.toString())).resume();
  await new Promise((resolve) => response.on('close', resolve).on('error', resolve));
  const messages = text.split('\n\n').slice(0, -1);
  const data = messages.filter((one) => one.startsWith('id: '));
  return {
    last: /^id: (\S+)/.exec(data.at(-1) ?? '')?.[1] ?? '',
    news: data.flatMap((one) => JSON.parse(one.slice(one.indexOf('[')))),
    isOver: messages.some((one) => one.startsWith('event: over')),
  };
}

/** As a browser does: again and again after what it has, until the end. */
async function readOn(port: number, last: string): Promise<News[]> {
  const { news, isOver, last: next } = await readAll(await open(port, last));
  return isOver ? news : [...news, ...(await readOn(port, next === '' ? last : next))];
}

const ended = (news: readonly News[]) =>
  new Set(news.flatMap((one) => (one.type === 'end' ? [one.certname] : []))).size;

test('whoever does not read is dropped, and resumes: every host, in the state that it ended in', async () => {
  const over = deferred();
  const { port, ends } = await streaming(over.promise);
  const slow = await open(port, '');
  slow.pause();
  // Another one reads all the while.
  const other = readOn(port, '');
  await ends[0];
  const { news, last, isOver } = await readAll(slow);
  expect([isOver, ended(news) < HOSTS]).toEqual([false, true]);
  over.resolve();
  expect(ended([...news, ...(await readOn(port, last))])).toBe(HOSTS);
  expect(ended(await other)).toBe(HOSTS);
});
