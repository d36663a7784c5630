/** The program behind a group of the inventory. */
import { puppetEnvironment } from '../puppet/settings.ts';
import { outputOf as outputOfProgram } from '../util/program-output.ts';
import { trustedProgram } from '../util/trusted-program.ts';
import type { Warn } from './targeting/warn.ts';

const LIMITS = { timeoutMs: 30_000, maxBytes: 16 << 20 };

/** Runs it; throws `Error` with the reason. */
export async function outputOf(argv: readonly string[], warn: Warn): Promise<string> {
  const [program = '', ...words] = argv;
  const found = trustedProgram(program, { doing: 'it would run as you' });
  const onHeld = () =>
    warn(
      `${program} is over, but something that it has started holds its output: nothing more of it is read`,
    );
  const options = { ...LIMITS, env: puppetEnvironment(), onHeld };
  return (await outputOfProgram([found, ...words], options)).toString('utf8');
}
