/** `kick demo`: see kick work without a second machine. */
import { KickError } from '../../errors.ts';
import { type Command, Option } from '../commander.ts';
import type { CommandContext } from '../context.ts';
import { whole } from '../options/option-values.ts';

const EXAMPLES = `
Examples:
  kick demo
  kick demo --sample
  kick demo --web                in a browser; prints its address and a password
  kick demo --web --port 9443

All of it is in a folder of its own, which is removed at the end.
`;

const DEFAULT_PORT = 8443;

interface DemoOptions {
  sample?: boolean;
  web?: boolean;
  port?: number;
}

export function addDemoCommand(program: Command, { terminal, env, exit }: CommandContext): void {
  const command = program
    .command('demo')
    .description('see kick work on this machine alone: a CA and three agents, or the web page')
    .option('--sample', 'run a sample command even where Puppet is installed')
    .addOption(
      new Option('--web', 'serve the web page with thirty simulated hosts, until Ctrl-C').conflicts('sample'),
    )
    .option(
      '--port <port>',
      `with --web: where the page is, 0 for any (default: ${DEFAULT_PORT})`,
      whole(0, 65_535),
    )
    .addHelpText('after', EXAMPLES);
  command.action(async ({ sample = false, web = false, port }: DemoOptions) => {
    const path = env['PATH'] ?? '';
    if (web) {
      const { webDemoMain } = await import('../demo/web-demo.ts');
      return webDemoMain({ terminal, port: port ?? DEFAULT_PORT, path });
    }
    if (port !== undefined) {
      throw new KickError('usage', 'show the demo: --port is for the web page', { hint: 'kick demo --web' });
    }
    const { demoMain } = await import('../demo/demo.ts');
    exit(await demoMain({ terminal, path, sample }));
  });
}
