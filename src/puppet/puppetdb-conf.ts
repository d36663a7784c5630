/** Puppet's own puppetdb.conf (puppet/util/puppetdb/config.rb): where the Puppet server finds PuppetDB. */
import { readFile } from 'node:fs/promises';
import { KickError, messageOf, systemCode } from '../errors.ts';

const DEFAULT_PORT = 8081;

/** The URLs of its section `main`; undefined when there is no such file. Throws `KickError` `config`. */
export async function readPuppetdbConf(path: string): Promise<string[] | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new KickError('config', `read "${path}": ${messageOf(error)}`, { cause: error });
  }
  const main = sectionOf(text, 'main');
  const listed = main.get('server_urls');
  const urls =
    listed === undefined
      ? oldUrls(main)
      : listed
          .split(',')
          .map((url) => url.trim())
          .filter((url) => url !== '');
  const bad = urls.filter((url) => !URL.canParse(url));
  if (urls.length > 0 && bad.length === 0) return urls;
  throw new KickError(
    'config',
    `read "${path}": ${bad.length > 0 ? `not a URL: "${bad[0]}"` : 'no server_urls in it'}`,
    {
      hint: 'server_urls = https://puppetdb.example.com:8081, or puppetdb: in controller.yaml',
    },
  );
}

/** Before `server_urls` there were `server` and `port`. */
function oldUrls(main: ReadonlyMap<string, string>): string[] {
  const server = main.get('server');
  return server === undefined ? [] : [`https://${server}:${main.get('port') ?? DEFAULT_PORT}`];
}

function sectionOf(text: string, wanted: string): Map<string, string> {
  const values = new Map<string, string>();
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[([^\]]+)\]/.exec(line)?.[1];
    if (header !== undefined) section = header.trim();
    const [, key, value] = /^\s*([A-Za-z_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section === wanted && key !== undefined && value !== undefined) values.set(key, value);
  }
  return values;
}
