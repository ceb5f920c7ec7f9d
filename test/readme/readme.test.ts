import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readmeFile, root, sectionIn, sections } from './sections.ts';
import { anchors, inlineCode } from './text.ts';

const readme = readFileSync(readmeFile, 'utf8');
const mend = 'npx node test/readme/update.ts writes it anew';

/** The source of the request plane, the controls and the controller: what can reach a visitor or a caller. */
const sources = globSync('src/{forward,admin,split,rollout}/**/*.ts', { cwd: root }).map((file) =>
  readFileSync(join(root, file), 'utf8'),
);

const known = await sections();

describe('the README', () => {
  it.each(Object.entries(known))('has the section %s as the code has it', (name, text) => {
    expect(sectionIn(readme, name), mend).toBe(text);
  });

  it('links to nothing that is not there', () => {
    const links = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    const headings = anchors(readme);
    const internal = links.filter((link) => !/^https?:/.test(link));
    expect(internal.length).toBeGreaterThan(20);
    for (const link of internal) {
      const isThere = link.startsWith('#') ? headings.has(link.slice(1)) : existsSync(join(root, link.split('#')[0]!));
      expect(isThere, link).toBe(true);
    }
  });

  it('names no folder or file of ours that is not there', () => {
    const named = inlineCode(readme).filter((code) => /^(src|test)(\/[\w.-]+)+\/?$/.test(code));
    expect(named.length).toBeGreaterThan(5);
    for (const path of named) expect(existsSync(join(root, path)), path).toBe(true);
  });

  it('explains every x-headgate header', () => {
    const headers = new Set(sources.flatMap((text) => text.match(/x-headgate-[a-z]+(?:-[a-z]+)*/g) ?? []));
    expect(headers.size).toBeGreaterThan(6);
    expect([...headers].filter((header) => !readme.includes(header))).toEqual([]);
  });

  it('explains every problem code', () => {
    const codes = new Set(
      sources.flatMap((text) =>
        [...text.matchAll(/\b(?:code: |refuse\(\s*\w+,\s*|refused\(\s*)'([a-z_]+)'/g)].map((match) => match[1]!),
      ),
    );
    // Told to callers as `invalid_request`.
    codes.delete('invalid');
    expect(codes.size).toBeGreaterThan(25);
    expect([...codes].filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
  });
});
