/** mandoc reads our man pages, and has nothing to say against them. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { manPages } from '../../scripts/man/pages.ts';
import { tempFolder } from '../support/temp.ts';

test('mandoc -T lint is silent about every page, and shows it', async () => {
  const folder = tempFolder();
  for (const { file, text } of await manPages('2026-11-27')) {
    const path = join(folder, file);
    writeFileSync(path, text);
    // It ends with an error for a warning; its reader then shows what it said.
    expect(execFileSync('mandoc', ['-T', 'lint', '-W', 'warning', path], { encoding: 'utf8' })).toBe('');
    const shown = execFileSync('mandoc', ['-T', 'utf8', path], { encoding: 'utf8' }).replace(/.[\b]/g, '');
    expect(shown).toMatch(/^NAME$/m);
    expect(shown).toMatch(/^SEE ALSO$/m);
  }
});
