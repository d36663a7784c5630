/** `kick demo`: see kick work without a second machine. */
import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';

export function addDemoCommand(program: Command, { terminal, env, exit }: CommandContext): void {
  const command = program
    .command('demo')
    .description('see kick work on this machine alone: a CA and three agents')
    .option('--sample', 'run a sample command even where Puppet is installed')
    .addHelpText('after', '\nExamples:\n  kick demo\n  kick demo --sample\n');
  command.action(async ({ sample = false }: { sample?: boolean }) => {
    const { demoMain } = await import('../demo/demo.ts');
    exit(await demoMain({ terminal, path: env['PATH'] ?? '', sample }));
  });
}
