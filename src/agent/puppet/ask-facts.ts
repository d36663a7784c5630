/** `puppet facts`: what Puppet would send with its next run (docs/puppet.md, "Facts"). */
import { messageOf } from '../../errors.ts';
import { settingWords } from '../../puppet/service-environment.ts';
import { decodeUtf8, parseJsonText } from '../../util/json.ts';
import { outputOf } from '../../util/program-output.ts';
import { type PuppetRunnerOptions, puppetHere } from '../runners/puppet-here.ts';

/** Facts that hang, hang a run as well; then nobody waits for these. */
const TIMEOUT_MS = 120_000;

/** Throws `Error` with the reason, or `KickError` where Puppet or its surroundings cannot be used. */
export async function askFacts(
  options: PuppetRunnerOptions,
  { isService, maxBytes }: { isService: boolean; maxBytes: number },
): Promise<Record<string, unknown>> {
  const { env, extraOptions, puppet } = puppetHere(options, { isService }).surroundings();
  // `find` is what every version has; facts of modules are among them, from where the last run has put them.
  const words = isService ? settingWords(extraOptions) : [];
  const argv = [puppet, 'facts', 'find', '--render-as', 'json', ...words];
  return factsIn(decodeUtf8(await outputOf(argv, { env, timeoutMs: TIMEOUT_MS, maxBytes })));
}

/** Of what `puppet facts` prints. Throws `Error` with the reason. */
export function factsIn(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    // Warnings may precede the document.
    value = parseJsonText(text.slice(Math.max(0, text.search(/^\{/m))));
  } catch (error) {
    throw new Error(`puppet facts: what it prints is ${messageOf(error)}`);
  }
  const values =
    typeof value === 'object' && value !== null ? (value as { values?: unknown }).values : undefined;
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw new Error('puppet facts: it prints no facts');
  return values as Record<string, unknown>;
}
