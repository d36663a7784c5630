/** Resources that were not as they should be, and what happened to each of their properties. */
import type { HostDetail } from '../api/queries.ts';
import { useText } from '../text/language.tsx';
import type { Tone } from '../theme/outcomes.ts';

type Resource = HostDetail['resources'][number];

const TONES: Readonly<Record<Resource['status'], Tone>> = {
  changed: 'changed',
  failed: 'failed',
  pending: 'noop',
};

export function Resources({ resources, more }: { resources: readonly Resource[]; more: number }) {
  const { t, f } = useText();
  return (
    <div>
      {resources.map((one) => (
        <div key={one.resource} className="resource">
          <div className="row wrap">
            <span className="tone" data-tone={TONES[one.status]}>
              <span className="mono">{one.resource}</span>
            </span>
            {one.corrective === true && <span className="step">{t.job.corrective}</span>}
            {one.file !== undefined && (
              <span className="dim small mono">
                {one.file}
                {one.line === undefined ? '' : `:${one.line}`}
              </span>
            )}
          </div>
          {one.events.map((event) => (
            <Event key={`${event.property} ${event.message} ${event.new}`} event={event} />
          ))}
        </div>
      ))}
      {more > 0 && <p className="dim small">{t.job.moreResources(f.number(more))}</p>}
    </div>
  );
}

function Event({ event }: { event: Resource['events'][number] }) {
  const { property = '', message, status } = event;
  const isPair = event.old !== undefined || event.new !== undefined;
  return (
    <div className="event">
      <span className="dim">{property}</span>
      <span>
        {isPair && (
          <>
            <del>{event.old ?? ''}</del> → <ins>{event.new ?? ''}</ins>
          </>
        )}
        {(!isPair || status === 'failure') && message !== undefined && (
          <span className={status === 'failure' ? 'bad' : ''}> {message}</span>
        )}
      </span>
    </div>
  );
}
