/** What the agent's units start, as systemd reads it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './program.ts';

/** The agent in one process, or half of it. */
export type AgentUnit = 'kick-agent' | 'kick-listener' | 'kick-helper';

/** The text of a unit. */
export const agentUnit = (name: AgentUnit = 'kick-agent') =>
  readFileSync(join(ROOT, 'packaging', 'systemd', `${name}.service`), 'utf8');

/** Program and arguments of ExecStart; `words` stand in for "/usr/bin/kick agent" and, but for kick-agent, its option. */
export function unitCommand(words: readonly string[], name: AgentUnit = 'kick-agent'): string[] {
  const unit = agentUnit(name);
  // systemd.syntax(7): a line that ends with a backslash goes on. systemd.service(5), "Command lines": quotes, and
  // "$$" for a dollar sign.
  const [, line = ''] = /^ExecStart=(.*)$/m.exec(unit.replaceAll('\\\n', ' ')) ?? [];
  const argv = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
  if (argv.some((word) => /[\\%]|(?<!\$)\$(?!\$)/.test(word)))
    throw new Error(`not understood here: ${line}`);
  const command = argv.map((word) =>
    word
      .replaceAll('$$', '$')
      .replaceAll(/\/usr\/bin\/kick agent( --(pass-to|take-from) [^ ;]+)?/g, words.join(' ')),
  );
  if (command.join(' ') === line) throw new Error(`it does not start /usr/bin/kick agent: ${line}`);
  return command;
}

/** The shell script of ExecReload, for which $MAINPID is the agent. */
export function unitReload(): string {
  const unit = agentUnit().replaceAll('\\\n', ' ');
  const [, script] = /^ExecReload=\/bin\/sh -c '([^']*)'$/m.exec(unit) ?? [];
  if (script === undefined) throw new Error('ExecReload is no script of a shell');
  return script.replaceAll('$$', '$');
}
