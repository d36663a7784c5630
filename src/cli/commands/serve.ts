/** `kick serve`: the web page and the REST API, until SIGTERM or Ctrl-C. */
import type { Command } from 'commander';
import { DEFAULT_WEB_PORT } from '../../config/controller-config.ts';
import type { CommandContext } from '../context.ts';
import { enterState, openControllerOf } from '../open-controller.ts';
import { createSenderOpener } from '../open-sender.ts';
import { addFolderOptions, foldersOf } from '../options/folders.ts';
import { whole } from '../options/option-values.ts';
import { endSignal } from '../serve/end-signal.ts';
import { version } from '../version.ts';

const EXAMPLES = `
Examples:
  kick user add alice --role operator    first, somebody who may sign in
  kick serve
  kick serve --port 9443

The API is below /api/v1; GET /api/v1/openapi.json describes it. Jobs that run
when the server ends go on when it is started again.
`;

interface ServeOptions {
  port?: number;
  bind?: string;
}

export function addServeCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('serve')
    .description('serve the web page and the REST API over HTTPS')
    .option(
      '--port <port>',
      `where to listen (default: web.port, else ${DEFAULT_WEB_PORT})`,
      whole(0, 65_535),
    )
    .option('--bind <address>', 'the address on which to listen (default: web.bind, else all)')
    .addHelpText('after', EXAMPLES);
  addFolderOptions(command);
  command.action(async (options: ServeOptions) => serve(options, command, context));
}

/** The page asks for the state of hosts every few seconds. */
const KEEP_BROKER_MS = 60_000;

async function serve(options: ServeOptions, command: Command, context: CommandContext): Promise<void> {
  const senders = createSenderOpener({ keepMs: KEEP_BROKER_MS });
  const [{ jsonLog }, { openServer }, { systemClock }, { liveIdentity }, { followTls, serveTls }] =
    await Promise.all([
      import('../json-log.ts'),
      import('../../web/server/open-server.ts'),
      import('../../util/clock.ts'),
      import('../serve/live-identity.ts'),
      import('../serve/serve-tls.ts'),
    ]);
  const folders = foldersOf(command, context.env);
  const identity = liveIdentity({ ...folders, path: context.env['PATH'] ?? '' });
  const controller = openControllerOf(command, context, { senders, identity: identity.get });
  const { web } = await controller.config();
  const log = jsonLog();
  const { stateDir } = folders;
  const tls = serveTls(web, await identity.get());
  await enterState(stateDir, identity.get);
  const server = await openServer({
    controller,
    tls,
    config: web,
    stateDir,
    port: options.port ?? web?.port ?? DEFAULT_WEB_PORT,
    bind: options.bind ?? web?.bind,
    clock: systemClock,
    log,
    version: version(),
  });
  const ending = new AbortController();
  await followTls(server.setTls, { web, identity, clock: systemClock, log, signal: ending.signal });
  const { certname } = await identity.get();
  const url = `https://${certname}:${server.port}/`;
  const end = endSignal();
  log.info({ port: server.port, url, version: version() }, 'serving');
  log.info({ signal: await end }, 'stopping; jobs go on when the server is back');
  ending.abort();
  await server.close();
  await senders.close();
}
