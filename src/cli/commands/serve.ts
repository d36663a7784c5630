/** `kick serve`: the web page and the REST API, until SIGTERM or Ctrl-C. */
import type { Command } from 'commander';
import type { ControllerConfig } from '../../config/controller-config.ts';
import { DEFAULT_WEB_PORT } from '../../config/controller-config.ts';
import type { Controller } from '../../controller/controller.ts';
import { isUntrusted, KickError, messageOf } from '../../errors.ts';
import { tlsMaterial } from '../../pki/tls-material.ts';
import { readTrusted } from '../../util/trusted-file.ts';
import type { ServerOptions } from '../../web/server/open-server.ts';
import type { CommandContext } from '../context.ts';
import { enterState, openControllerOf } from '../open-controller.ts';
import { createSenderOpener } from '../open-sender.ts';
import { addFolderOptions, foldersOf } from '../options/folders.ts';
import { whole } from '../options/option-values.ts';
import { version } from '../version.ts';

const EXAMPLES = `
Examples:
  kick user add alice --role operator    first, somebody who may sign in
  kick serve
  kick serve --port 9443

The API is below /api/v1; GET /api/v1/openapi.json describes it. Jobs that run
when the server ends go on when it is started again.
`;

const MAX_PEM_BYTES = 1 << 20;

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
  const controller = openControllerOf(command, context, senders);
  const { web } = await controller.config();
  const [{ jsonLog }, { openServer }, { systemClock }] = await Promise.all([
    import('../json-log.ts'),
    import('../../web/server/open-server.ts'),
    import('../../util/clock.ts'),
  ]);
  const log = jsonLog();
  const { stateDir } = foldersOf(command, context.env);
  const [tls, clients] = [await tlsOf(web, controller), await clientsOf(controller)];
  await enterState(stateDir, controller.identity);
  const server = await openServer({
    controller,
    tls,
    clients,
    config: web,
    stateDir,
    port: options.port ?? web?.port ?? DEFAULT_WEB_PORT,
    bind: options.bind ?? web?.bind,
    clock: systemClock,
    log,
    version: version(),
  });
  const { certname } = await controller.identity();
  const url = `https://${certname}:${server.port}/`;
  log.info({ port: server.port, url, version: version() }, 'serving');
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
  log.info({ signal }, 'stopping; jobs go on when the server is back');
  await server.close();
  await senders.close();
}

/** The pair that controller.yaml names, else the controller's own. Throws `KickError` `config`. */
async function tlsOf(web: ControllerConfig['web'], controller: Controller): Promise<ServerOptions['tls']> {
  const { certificate, key } = web ?? {};
  if ((certificate === undefined) !== (key === undefined)) {
    throw new KickError('config', 'read controller.yaml: web.certificate and web.key belong together');
  }
  if (certificate === undefined || key === undefined) {
    const own = tlsMaterial(await controller.identity());
    return { cert: own.cert, key: own.key };
  }
  return { cert: read(certificate), key: read(key) };
}

async function clientsOf(controller: Controller): Promise<ServerOptions['clients']> {
  const { ca, crl } = tlsMaterial(await controller.identity());
  return { ca, crl };
}

/** Throws `KickError` `config`, and `untrusted` if others can change the file. */
function read(path: string): Buffer {
  try {
    return readTrusted(path, { doing: `read "${path}"`, isPuppets: true, maxBytes: MAX_PEM_BYTES });
  } catch (error) {
    if (isUntrusted(error)) throw error;
    throw new KickError('config', `read "${path}": ${messageOf(error)}`, {
      hint: 'web.certificate and web.key in controller.yaml',
      cause: error,
    });
  }
}
