/** What the agent's unit starts, as systemd reads it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './program.ts';

/** Program and arguments of ExecStart; `words` stand in for "/usr/bin/kick agent". */
export function unitCommand(words: readonly string[]): string[] {
  const unit = readFileSync(join(ROOT, 'packaging', 'systemd', 'kick-agent.service'), 'utf8');
  // systemd.syntax(7): a line that ends with a backslash goes on. systemd.service(5), "Command lines": quotes, and
  // "$$" for a dollar sign.
  const [, line = ''] = /^ExecStart=(.*)$/m.exec(unit.replaceAll('\\\n', ' ')) ?? [];
  const argv = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
  if (argv.some((word) => /[\\%]|(?<!\$)\$(?!\$)/.test(word)))
    throw new Error(`not understood here: ${line}`);
  const command = argv.map((word) =>
    word.replaceAll('$$', '$').replaceAll('/usr/bin/kick agent', words.join(' ')),
  );
  if (command.join(' ') === line) throw new Error(`it does not start /usr/bin/kick agent: ${line}`);
  return command;
}
