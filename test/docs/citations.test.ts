/** Comments cite docs/: `DESIGN 4`, `DESIGN 4, "Stopping"`, `docs/puppet.md, "Files"`. What they cite is there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { readDocument } from '../../scripts/docs.ts';
import { ROOT } from '../../tools/program.ts';

interface Citation {
  file: string;
  text: string;
  document: string;
  /** The numbers of sections. */
  sections: readonly string[];
  heading?: string;
}

const OF_DESIGN = /\bDESIGN ((?:\d+(?:, | and )?)+)(?:"([^"]+)")?/g;
const OF_OTHERS = /\bdocs\/([\w-]+\.md)(?:, "([^"]+)")?/g;

function citations(): Citation[] {
  return sources().flatMap((file) => {
    const text = flowing(readFileSync(join(ROOT, file), 'utf8'));
    return [
      ...[...text.matchAll(OF_DESIGN)].map(([whole, numbers = '', heading]) => ({
        file,
        text: whole,
        document: 'docs/design.md',
        sections: numbers.match(/\d+/g) ?? [],
        ...(heading !== undefined && { heading }),
      })),
      ...[...text.matchAll(OF_OTHERS)].map(([whole, name = '', heading]) => ({
        file,
        text: whole,
        document: `docs/${name}`,
        sections: [],
        ...(heading !== undefined && { heading }),
      })),
    ];
  });
}

const FOLDERS = ['src', 'test', 'scripts', 'bench', 'tools', 'packaging', '.ci'];

/** Files with comments, but for the tests of the documents themselves. */
function sources(): string[] {
  return FOLDERS.filter((folder) => existsSync(join(ROOT, folder)))
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
        .filter(
          (entry) =>
            entry.isFile() && (folder === '.ci' || /\.(ts|[mc]?js|sh|service|timer)$/.test(entry.name)),
        )
        .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
    )
    .filter((path) => !path.startsWith('test/docs/'));
}

/** A comment may break within a citation. */
const flowing = (source: string) => source.replace(/\n[ \t]*(?:\*|\/\/|#)? ?/g, ' ');

/** Each heading with the numbered section that it belongs to. */
function headingsOf(document: string): { section: string; heading: string }[] {
  let section = '';
  return [...readDocument(document).matchAll(/^##+ (?:(\d+)\. )?(.*)$/gm)].map(([, number, heading = '']) => {
    section = number ?? section;
    return { section, heading };
  });
}

test('every citation of a document leads to a section that exists', () => {
  const all = citations();
  expect(all.length).toBeGreaterThan(50);
  for (const { file, text, document, sections, heading } of all) {
    const where = `${file}: ${text}`;
    expect(existsSync(join(ROOT, document)), where).toBe(true);
    const headings = headingsOf(document);
    for (const number of sections) {
      expect(
        headings.map(({ section }) => section),
        where,
      ).toContain(number);
    }
    if (heading === undefined) continue;
    const within = headings.filter(({ section }) => sections.length === 0 || sections.includes(section));
    expect(
      within.map((one) => one.heading),
      where,
    ).toContain(heading);
  }
});

test('nothing outside the repository is cited', () => {
  for (const file of sources()) {
    expect(readFileSync(join(ROOT, file), 'utf8'), file).not.toMatch(
      /\bfacts\/\w+\.md|\b(DESIGN|STYLE|LAYOUT)\.md/,
    );
  }
});
