/** What simulated runs are like, as options say it: `--time 500ms-3s`, `--outcomes unchanged=90,failed=10`. */
import { ENDINGS, type Shape, type Times } from '../../src/cli/demo/run-shape.ts';
import { KickError } from '../../src/errors.ts';
import { parseDuration } from '../../src/util/duration.ts';

/** `1s`, `500ms-3s`, `~2s`. Throws `KickError` `usage`. */
export function parseTimes(text: string): Times {
  if (text.startsWith('~')) return { kind: 'about', mean: parseDuration(text.slice(1), '--time') };
  const [from = '', to, ...rest] = text.split('-');
  if (to === undefined) return { kind: 'fixed', ms: parseDuration(from, '--time') };
  const [low, high] = [parseDuration(from, '--time'), parseDuration(to, '--time')];
  if (rest.length > 0 || high < low) {
    throw new KickError('usage', `--time: "${text}" is not a range`, { hint: 'write it like 500ms-3s' });
  }
  return { kind: 'between', from: low, to: high };
}

/** `changed=10,unchanged=85,failed=5`. Throws `KickError` `usage`. */
export function parseOutcomes(text: string): Shape['outcomes'] {
  const outcomes = text.split(',').map((part) => {
    const [name = '', weight = '1', ...rest] = part.split('=');
    const ending = ENDINGS.find((one) => one === name);
    if (ending === undefined || rest.length > 0 || !/^\d{1,9}(\.\d{1,9})?$/.test(weight)) {
      throw new KickError('usage', `--outcomes: "${part}" is not an outcome with its weight`, {
        hint: `write it like unchanged=90,failed=10; there are ${ENDINGS.join(', ')}`,
      });
    }
    return [ending, Number(weight)] as const;
  });
  if (outcomes.every(([, weight]) => weight === 0)) {
    throw new KickError('usage', `--outcomes: "${text}" gives every outcome the weight 0`);
  }
  return outcomes;
}
