/** What packages bring besides the program, each package's below its folder: units, configuration, completion; manual pages. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SCRIPTS } from '../../src/cli/completion/completion-scripts.ts';
import { ROOT } from '../../tools/program.ts';
import { agentYaml } from './agent-yaml.ts';
import { AGENT_UNITS, packagedUnit } from './unit.ts';

const PACKAGING = join(ROOT, 'packaging');

/** Of a controller, for the agent beside it, in one process or two. */
export const DROP_INS = ['kick-agent.service.d', 'kick-helper.service.d'];

export interface SiteFolders {
  /** Of units, as in `usr/lib/systemd/system`. */
  units: string;
  /** Of functions that zsh completes with. */
  zsh: string;
}

/** Writes kick-agent/, kick/, man/ and examples/ into `folder`, of what `npm run build` has made. */
export function writeSiteFiles(folder: string, { units, zsh }: SiteFolders): void {
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o644 });
  };
  const unit = (name: string) => readFileSync(join(PACKAGING, 'systemd', name), 'utf8');
  write('kick-agent/etc/kick/agent.yaml', agentYaml());
  for (const name of AGENT_UNITS) write(`kick-agent/${units}/${name}`, packagedUnit(unit(name)));
  for (const name of readdirSync(join(PACKAGING, 'systemd')).filter((one) => one.endsWith('.socket')))
    write(`kick-agent/${units}/${name}`, unit(name));
  for (const name of ['kick-pki.service', 'kick-serve.service']) write(`kick/${units}/${name}`, unit(name));
  // A controller has an agent beside it.
  for (const name of DROP_INS)
    write(`kick/${units}/${name}/controller.conf`, unit('kick-agent.service.d/controller.conf'));
  write('kick/usr/share/bash-completion/completions/kick', SCRIPTS.bash);
  write(`kick/${zsh}/_kick`, SCRIPTS.zsh);
  write('kick/usr/share/fish/vendor_completions.d/kick.fish', SCRIPTS.fish);
  for (const name of ['kick-nightly.service', 'kick-nightly.timer']) write(`examples/${name}`, unit(name));
  write('examples/kick.cron', readFileSync(join(PACKAGING, 'cron', 'kick'), 'utf8'));
  cpSync(join(ROOT, 'dist', 'man'), join(folder, 'man'), { recursive: true });
}
