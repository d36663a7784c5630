/** GET /metrics: what `kick serve` counts of itself, for Prometheus. Only where controller.yaml says so. */
import type { Express } from 'express';
import { expiryOf } from '../../pki/expiry.ts';
import { expositionText, type Family, gauge } from '../../util/exposition.ts';
import type { ServerContext } from './context.ts';

export function mountMetrics(app: Express, { controller, running, version, pageEnds }: ServerContext): void {
  const requests = new Map<string, number>();
  app.use((request, response, next) => {
    response.on('finish', () => {
      const key = `${request.method} ${response.statusCode}`;
      requests.set(key, (requests.get(key) ?? 0) + 1);
    });
    next();
  });
  app.get('/metrics', async (_request, response) => {
    const expiry = await controller.identity().then(expiryOf, () => undefined);
    response.type('text/plain; version=0.0.4').send(
      expositionText([
        {
          ...{ name: 'kick_serve_info', help: 'The version that serves.', type: 'gauge' },
          samples: [{ labels: { version }, value: 1 }],
        },
        gauge('kick_serve_jobs_running', 'Jobs that this server runs.', running.count()),
        gauge('kick_serve_memory_bytes', 'Resident memory of the server.', process.memoryUsage.rss()),
        requestFamily(requests),
        gauge(
          'kick_serve_certificate_end_timestamp_seconds',
          "When the controller's certificate expires.",
          secondsOf(expiry?.certificate),
        ),
        gauge('kick_serve_ca_end_timestamp_seconds', 'When its CA expires.', secondsOf(expiry?.ca)),
        gauge('kick_serve_crl_end_timestamp_seconds', 'When the first CRL expires.', secondsOf(expiry?.crl)),
        gauge(
          'kick_serve_page_certificate_end_timestamp_seconds',
          'When the certificate that browsers see expires.',
          secondsOf(pageEnds()),
        ),
      ]),
    );
  });
}

const secondsOf = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);

function requestFamily(requests: ReadonlyMap<string, number>): Family {
  return {
    ...{ name: 'kick_serve_requests_total', help: 'Requests that were answered.', type: 'counter' },
    samples: [...requests].map(([key, value]) => {
      const [method = '', status = ''] = key.split(' ');
      return { labels: { method: METHODS.includes(method) ? method : 'other', status }, value };
    }),
  };
}

const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'];
