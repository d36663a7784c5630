/** Keys that controller.yaml does not know: what was meant, or where it is given. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readControllerConfig } from '../../src/config/controller-files.ts';
import { tempFolder } from '../support/temp.ts';

test.each([
  ['concurency: 5', 'concurency: not known here; did you mean "concurrency"'],
  ['certname: a.b', 'certname: not known here; it is given by --certname, or by the variable KICK_CERTNAME'],
  ['pki_dir: /x', 'pki_dir: not known here; it is given by --pki-dir, or by the variable KICK_PKI_DIR'],
  ['web: {pki_dir: /x}', 'web.pki_dir: not known here; remove it, or upgrade kick if a newer one knows it'],
])('%s', async (line, why) => {
  const folder = tempFolder();
  writeFileSync(join(folder, 'controller.yaml'), `${line}\n`);
  await expect(readControllerConfig(folder)).rejects.toThrow(`controller.yaml:1: ${why}`);
});
