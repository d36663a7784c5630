/** The least of a Puppet Server that a real `puppet agent` needs: it gives out a catalog and keeps what reports say. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { text } from 'node:stream/consumers';
import type { Random } from '../../src/cli/demo/run-shape.ts';
import { listenOn } from '../loopback.ts';
import type { MintedCa } from '../mint/mint-ca.ts';

/** In its certificate. */
export const PUPPET_SERVER = 'localhost';

/** What Puppet itself says of a run. */
export interface PuppetReport {
  status: string;
  isComplete: boolean;
  /** By Puppet's names: changed, failed, … */
  resources: Readonly<Record<string, number>>;
  /** Milliseconds since 1970. */
  arrivedAt: number;
}

/** What a run's catalog does. */
export interface CatalogPlan {
  run: string;
  does: 'change' | 'nothing' | 'fail';
}

export interface PuppetServer {
  readonly port: number;
  /** By the run's id. */
  readonly reports: ReadonlyMap<string, PuppetReport>;
  /** From now on each catalog changes something; or each does what it happens to. */
  steady(isSteady: boolean): void;
  end(): void;
}

export interface PuppetServerOptions {
  ca: MintedCa;
  random: Random;
  /** As Puppet has compiled it. */
  catalogOf(certname: string, plan: CatalogPlan): string;
}

interface State extends PuppetServerOptions {
  reports: Map<string, PuppetReport>;
  isSteady: boolean;
}

export async function startPuppetServer(options: PuppetServerOptions): Promise<PuppetServer> {
  const { key, certificate } = options.ca.issue(PUPPET_SERVER);
  const state: State = { ...options, reports: new Map(), isSteady: false };
  const server: Server = createServer({ key, cert: certificate }, (asked, answer) => {
    void respond(asked, answer, state).catch(() => answer.destroy());
  });
  return {
    port: await listenOn(server),
    reports: state.reports,
    steady(isSteady) {
      state.isSteady = isSteady;
    },
    end: () => void server.close(),
  };
}

async function respond(asked: IncomingMessage, answer: ServerResponse, state: State): Promise<void> {
  const [, kind, name = ''] = /^\/puppet\/v3\/(\w+)\/([\w.-]+)/.exec(asked.url ?? '') ?? [];
  const tell = (status: number, body: string) =>
    answer.writeHead(status, { 'Content-Type': 'application/json' }).end(body);
  const sent = await text(asked);
  if (kind === 'node') {
    tell(200, JSON.stringify({ name, environment: 'production', parameters: {} }));
  } else if (kind === 'catalog') {
    const run = new URLSearchParams(sent).get('job_uuid') ?? '';
    const does = state.isSteady ? 'change' : planned(state.random);
    if (does === undefined) tell(500, '{"message":"it does not compile","issue_kind":"RUNTIME_ERROR"}');
    else tell(200, state.catalogOf(name, { run, does }));
  } else if (kind === 'report') {
    keep(JSON.parse(sent) as SentReport, state.reports);
    tell(200, '[]');
  } else {
    tell(404, '{}');
  }
}

/** Undefined: its catalog does not compile. */
function planned(random: Random): CatalogPlan['does'] | undefined {
  const drawn = random();
  if (drawn < 0.7) return 'change';
  if (drawn < 0.8) return 'nothing';
  return drawn < 0.9 ? 'fail' : undefined;
}

interface SentReport {
  job_id?: string;
  status: string;
  transaction_completed: boolean;
  metrics: { resources?: { values: [name: string, label: string, count: number][] } };
}

function keep(report: SentReport, reports: Map<string, PuppetReport>): void {
  if (report.job_id === undefined) return;
  reports.set(report.job_id, {
    status: report.status,
    isComplete: report.transaction_completed,
    resources: Object.fromEntries(
      (report.metrics.resources?.values ?? []).map(([name, , count]) => [name, count]),
    ),
    arrivedAt: Date.now(),
  });
}
