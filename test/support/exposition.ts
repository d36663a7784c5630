/** Prometheus' text format, read strictly: every line must be one that the format allows, in its place. */

export interface Exposition {
  types: ReadonlyMap<string, string>;
  /** By the sample's name and labels, as written: `a_total{code="x"}`. */
  samples: ReadonlyMap<string, number>;
  labels: readonly Readonly<Record<string, string>>[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const HELP = new RegExp(`^# HELP (${NAME}) ((?:[^\\\\\\n]|\\\\\\\\|\\\\n)+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|summary)$`);
const VALUE = '(?:[+-]?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|NaN|[+-]Inf)';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\\\\\|\\\\"|\\\\n)*"';
const SAMPLE = new RegExp(`^(${NAME})(\\{${LABEL}(?:,${LABEL})*\\})? (${VALUE})$`);

/** Throws at the first line that is not as it must be. */
export function parseExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('it does not end with a line feed');
  const types = new Map<string, string>();
  const samples = new Map<string, number>();
  const labels: Record<string, string>[] = [];
  let family = '';
  let helped = '';
  for (const line of text.slice(0, -1).split('\n')) {
    const [, help] = HELP.exec(line) ?? [];
    const [, typed, type] = TYPE.exec(line) ?? [];
    const [, name, labelText = '', value] = SAMPLE.exec(line) ?? [];
    if (help !== undefined) {
      if (types.has(help)) throw new Error(`a second time: ${line}`);
      helped = help;
    } else if (typed !== undefined && type !== undefined) {
      if (typed !== helped) throw new Error(`TYPE without its HELP: ${line}`);
      types.set(typed, type);
      family = typed;
    } else if (name !== undefined && value !== undefined) {
      const isSummary = types.get(family) === 'summary';
      const allowed = isSummary ? [`${family}_sum`, `${family}_count`] : [family];
      if (!allowed.includes(name)) throw new Error(`outside of its family: ${line}`);
      if (types.get(family) === 'counter' && !name.endsWith('_total')) throw new Error(`no _total: ${line}`);
      if (samples.has(name + labelText)) throw new Error(`a second time: ${line}`);
      samples.set(name + labelText, Number(value.replace('Inf', 'Infinity')));
      labels.push(labelsOf(labelText));
    } else throw new Error(`not a line of the format: ${line}`);
  }
  return { types, samples, labels };
}

function labelsOf(text: string): Record<string, string> {
  const pairs = text.matchAll(/([a-zA-Z0-9_]+)="((?:[^"\\]|\\.)*)"/g);
  const plain = (value: string) => value.replace(/\\(.)/g, (_all, char) => (char === 'n' ? '\n' : char));
  return Object.fromEntries([...pairs].map(([, name = '', value = '']) => [name, plain(value)]));
}
