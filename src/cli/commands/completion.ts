/** `kick completion bash|zsh|fish`: the script for a shell. */
import { Argument, type Command } from '../commander.ts';
import { SCRIPTS } from '../completion/completion-scripts.ts';
import type { CommandContext } from '../context.ts';

const EXAMPLES = `
Completes commands, options and their values, jobs, and the hosts, aliases and
@groups of the inventory, also after "," "!" "&" "^" within a word. Nothing is
asked over the network.

Examples:
  kick completion bash >/etc/bash_completion.d/kick
  kick completion zsh >/usr/local/share/zsh/site-functions/_kick
  kick completion fish >/etc/fish/completions/kick.fish
  source <(kick completion bash)        only in this shell
`;

const SHELLS = Object.keys(SCRIPTS) as (keyof typeof SCRIPTS)[];

export function addCompletionCommand(program: Command, { terminal }: CommandContext): void {
  program
    .command('completion')
    .description('print the completion script for a shell')
    .addArgument(new Argument('<shell>', 'for which shell').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
    .action((shell: keyof typeof SCRIPTS) => terminal.out(SCRIPTS[shell]));
}
