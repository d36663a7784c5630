/** Why a host ended as it did. */
import type { RunError } from '../../protocol/event.ts';
import { clip } from '../../util/text.ts';
import type { HostResult } from '../jobs/job.ts';

/** Why it is this outcome, one line, with the place in the code where there is one. `max`: characters before that place. */
export function reasonOf({ refusal, finished, message }: HostResult, max: number): string {
  const code = refusal === undefined ? '' : `${refusal.code}: `;
  const text = message ?? finished?.error?.message;
  if (text === undefined) return '';
  const place =
    finished?.error === undefined || finished.message !== undefined ? '' : placeOf(finished.error);
  return `${code}${clip(text.split('\n')[0] ?? '', max)}${place}`;
}

function placeOf({ file, line, message }: RunError): string {
  if (file === undefined || message.includes(`file: ${file}`)) return '';
  return ` (${file}${line === undefined ? '' : `:${line}`})`;
}
