/**
 * Puppet's own puppetdb.conf (puppet/util/puppetdb/config.rb): where the Puppet server finds PuppetDB. Read as Puppet
 * reads it; only blanks, line ends of Windows and comments behind a URL are forgiven.
 */
import { KickError, messageOf, systemCode } from '../errors.ts';
import { isLink } from '../util/files.ts';
import { readTrusted } from '../util/trusted-file.ts';

const MAX_BYTES = 1 << 20;

/** Where Puppet looks when the file does not say. */
const DEFAULT_URL = 'https://puppetdb:8081';

/**
 * The URLs of its section `main`, else Puppet's default; undefined when there is no such file. Throws `KickError` `config` for
 * a file that cannot be read or understood, and `untrusted` for one that others than Puppet's own user can change.
 */
export async function readPuppetdbConf(path: string): Promise<string[] | undefined> {
  try {
    const bytes = readTrusted(path, { doing: `read "${path}"`, isPuppets: true, maxBytes: MAX_BYTES });
    return urlsIn(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof KickError) throw error;
    const isMissing = systemCode(error) === 'ENOENT';
    if (isMissing && !(await isLink(path))) return undefined;
    const why = isMissing ? 'it is a link to a file that is missing' : messageOf(error);
    throw new KickError('config', `read "${path}": ${why}`, {
      hint: 'server_urls = https://puppetdb.example.com:8081, or puppetdb: in controller.yaml',
      cause: error,
    });
  }
}

/** Throws `Error` with what stands against it. */
function urlsIn(text: string): string[] {
  const listed = mainSection(text).get('server_urls');
  if (listed === undefined) return [DEFAULT_URL];
  const urls = listed
    .replace(/(^|\s)[#;].*$/, '')
    .split(',')
    .map((url) => url.trim())
    .filter((url) => url !== '');
  if (urls.length === 0) throw new Error('server_urls is empty');
  const bad = urls.find((url) => !/^https?:\/\/[^\s/]/i.test(url) || !URL.canParse(url));
  if (bad !== undefined) throw new Error(`not a URL: "${bad}"`);
  return urls;
}

function mainSection(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let section: string | undefined;
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const fail = (why: string) => new Error(`line ${index + 1}: ${why}`);
    if (/^\s*([#;]|$)/.test(line)) continue;
    const header = /^\s*\[\s*(\w+)\s*\]\s*([#;].*)?$/.exec(line)?.[1];
    // Blanks at its end are cut off behind: a pattern that does so takes quadratic time for many in its middle.
    const [, key, value] = /^\s*(\w+)\s*=(.*)$/.exec(line) ?? [];
    if (header !== undefined) section = header;
    // Retired: Puppet warns of them and goes to its default.
    else if (key === 'server' || key === 'port') continue;
    else if (key === undefined || value === undefined)
      throw fail('neither a section, a setting nor a comment');
    else if (section === undefined) throw fail(`${key} stands outside of a section`);
    else if (section === 'main') values.set(key, value.trim());
  }
  return values;
}
