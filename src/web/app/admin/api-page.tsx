/** The API's own document, made readable; it needs nothing but this server. */
import { useQuery } from '@tanstack/react-query';
import { Problem } from '../parts/states.tsx';
import { useText } from '../text/language.tsx';
import { type Schema, schemaText } from './schema-text.ts';

const DOCUMENT = '/api/v1/openapi.json';

interface Content {
  content?: Record<string, { schema?: Schema }>;
}

interface Operation {
  summary?: string;
  description?: string;
  parameters?: { name: string; in: string; required?: boolean; description?: string; schema?: Schema }[];
  requestBody?: Content;
  responses: Record<string, Content & { description: string }>;
}

interface Document {
  info: { title: string; version: string };
  servers: { url: string }[];
  paths: Record<string, Record<string, Operation>>;
}

export function ApiPage() {
  const { t } = useText();
  const { data, error } = useQuery({
    queryKey: ['openapi'],
    queryFn: async ({ signal }) => (await (await fetch(DOCUMENT, { signal })).json()) as Document,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const base = data?.servers[0]?.url ?? '';
  return (
    <div className="page">
      <div>
        <h1>{t.nav.api}</h1>
        <p className="dim">
          {t.admin.apiHint} <a href={DOCUMENT}>{DOCUMENT}</a>
        </p>
      </div>
      <Problem error={error} />
      <section className="card">
        {Object.entries(data?.paths ?? {}).flatMap(([path, methods]) =>
          Object.entries(methods).map(([method, operation]) => (
            <details key={`${method} ${path}`} className="fold">
              <summary>
                <span className="method">{method.toUpperCase()}</span>
                <span className="mono">
                  <span className="dim">{base}</span>
                  {path}
                </span>
                <span className="dim hide-narrow">{operation.summary}</span>
              </summary>
              <OperationDetail operation={operation} />
            </details>
          )),
        )}
      </section>
    </div>
  );
}

function OperationDetail({ operation }: { operation: Operation }) {
  const { t } = useText();
  const { summary, description, parameters = [], requestBody, responses } = operation;
  return (
    <div className="stack">
      <p>
        {summary}. <span className="dim">{description}</span>
      </p>
      {parameters.length > 0 && (
        <dl className="facts">
          {parameters.map((one) => (
            <div key={`${one.in} ${one.name}`} style={{ display: 'contents' }}>
              <dt>
                <span className="mono">{one.name}</span> ({one.in})
              </dt>
              <dd>
                <span className="mono small">{schemaText(one.schema)}</span> {one.description}
              </dd>
            </div>
          ))}
        </dl>
      )}
      <Shape title={t.admin.request} content={requestBody} />
      {Object.entries(responses)
        .filter(([status]) => status < '300')
        .map(([status, one]) => (
          <Shape key={status} title={`${t.admin.answer} ${status}`} content={one} />
        ))}
    </div>
  );
}

function Shape({ title, content }: { title: string; content: Content | undefined }) {
  const schema = Object.values(content?.content ?? {})[0]?.schema;
  if (schema === undefined) return null;
  return (
    <div>
      <h2>{title}</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable with the keyboard */}
      <pre className="log" tabIndex={0}>
        {schemaText(schema)}
      </pre>
    </div>
  );
}
