import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { beginMarker, endMarker, renderReference } from '../../src/cli/reference.ts';
import { verbs } from '../../src/cli/verbs/index.ts';

const readme = existsSync('README.md') ? readFileSync('README.md', 'utf8') : '';
const hasReference = readme.includes(beginMarker);

describe('the CLI reference', () => {
  it('has a section for every verb, and says each exit status', async () => {
    const text = await renderReference();
    for (const name of Object.keys(verbs)) expect(text).toMatch(new RegExp(`^#### \`headgate ${name}[ \`]`, 'm'));
    for (const words of ['0 done', '1 refused', '2 usage', '3 aborted', '4 paused']) {
      expect(text.replaceAll('\n', ' ')).toContain(words);
    }
  });

  it('says of every argument what it is', async () => {
    expect(await renderReference()).not.toMatch(/undefined|`: *$/m);
  });

  it.runIf(hasReference)('in README.md is what the verbs say (node src/cli/reference.ts prints it)', async () => {
    const [, after = ''] = readme.split(beginMarker);
    expect(after.split(endMarker)[0]!.trim()).toBe(await renderReference());
  });
});
