/** Who owns what is in a package, and its licences: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/ */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ROOT } from '../../tools/program.ts';
import { packagesInside } from './contents.ts';
import { type Architecture, nodeLicence } from './node-runtime.ts';

/** Where a package of npm has no file with its licence, the text that belongs to its name. */
const MIT = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`;

const APACHE = `Licensed under the Apache License, Version 2.0; you may not use it except in compliance with the License, which is at
https://www.apache.org/licenses/LICENSE-2.0 and on Debian in /usr/share/common-licenses/Apache-2.0.`;

/** A line that names an owner; not what a licence says about such lines, and none that a list follows. */
const OWNER = /^\W*(?:copyright\b.*(?:\d{4}|©|\(c\))|\(c\)\s*\d{4}|©).*[^:]$/i;

const HOLDER = /^\W*(?:copyright\b|\(c\)|©)(?:\s*(?:copyright|\(c\)|©|:))*\s*/i;

interface Licence {
  name: string;
  text: string;
}

/** The whole file. Throws if a package does not say what its licence is. */
export async function copyrightText(architecture: Architecture): Promise<string> {
  const packages = await packagesInside();
  const licences = new Map<string, Licence>();
  const stanzas = packages.map((folder) => packageStanza(folder, licences));
  const apache = licenceOf({ name: 'Apache-2.0', text: APACHE }, licences);
  const node = readFileSync(await nodeLicence(architecture), 'utf8');
  const all = [
    'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: kick',
    `Files: *\nCopyright: The kick authors\nLicense: ${apache}`,
    `Files: node\nCopyright: Node.js contributors, and the owners of its parts as named below\nLicense: Node.js\n${indented(node)}`,
    ...stanzas,
    ...[...licences.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, text }) => `License: ${name}\n${indented(text)}`),
  ];
  return `${all.join('\n\n')}\n`;
}

function packageStanza(folder: string, licences: Map<string, Licence>): string {
  const about = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string;
    author?: string | { name: string };
  };
  if (about.license === undefined) throw new Error(`${folder}: its package.json names no licence`);
  const found = licenceFile(folder);
  const lines = (found ?? '').split('\n').map((line) => line.trim());
  const owners = lines.filter((line) => OWNER.test(line));
  const author = typeof about.author === 'object' ? about.author.name : about.author;
  const holders = owners.map((line) => line.replace(HOLDER, '').trim());
  const text = found === undefined ? undefined : lines.filter((line) => !owners.includes(line)).join('\n');
  const spdx = about.license.replace(/^\((.*)\)$/, '$1').replace(' OR ', ' or ');
  const name = licenceOf({ name: spdx, text: textFor(spdx, text, folder) }, licences);
  const who = holders.length > 0 ? holders : [author ?? `the authors of ${about.name}`];
  return `Files: ${folder}/*\nCopyright: ${who.join('\n ')}\nLicense: ${name}\nComment: ${about.name} ${about.version}`;
}

function textFor(spdx: string, text: string | undefined, folder: string): string {
  if (spdx === 'Apache-2.0') return APACHE;
  if (text !== undefined) return text;
  if (spdx === 'MIT') return MIT;
  throw new Error(`${folder}: there is no file with its licence (${spdx})`);
}

/** The name of a licence with this text: the same words have one name, others of the same kind a number. */
function licenceOf({ name, text }: Licence, licences: Map<string, Licence>): string {
  const words = text
    .replace(/^\W*(the )?(mit|isc|bsd[^\n]*)?\W*licen[sc]e\W*(\(mit\)|\(isc\))?\W*$/gim, '')
    .trim();
  const key = `${name} ${words.toLowerCase().replace(/\W+/g, ' ').trim()}`;
  const known = licences.get(key);
  if (known !== undefined) return known.name;
  const number = [...licences.values()].filter((one) => one.name.replace(/~\d+$/, '') === name).length;
  const own = { name: number === 0 ? name : `${name}~${number + 1}`, text: words };
  licences.set(key, own);
  return own.name;
}

function licenceFile(folder: string): string | undefined {
  const name = readdirSync(join(ROOT, folder)).find((one) =>
    /^(licen[sc]e|copying)(\.\w+)?$/i.test(basename(one)),
  );
  return name === undefined ? undefined : readFileSync(join(ROOT, folder, name), 'utf8');
}

/** As a field's further lines: none is empty, none begins with a blank more than it has. */
function indented(text: string): string {
  return text
    .trim()
    .split('\n')
    .map((line) => (line.trim() === '' ? ' .' : ` ${line.replaceAll('\t', '  ').trimEnd()}`))
    .join('\n');
}
