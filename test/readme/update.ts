/**
 * Owns the writing of the README's sections that come from code: `node test/readme/update.ts`. With `--bench` also the table of
 * speed, from the newest report of `npm run bench`. It changes nothing else.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchTable } from './bench-table.ts';
import { readmeFile, root, sections, withSection } from './sections.ts';

const known = await sections();
if (process.argv.includes('--bench')) {
  known.bench = benchTable(JSON.parse(readFileSync(join(root, '.headgate/bench.json'), 'utf8')));
}
let readme = readFileSync(readmeFile, 'utf8');
for (const [name, text] of Object.entries(known)) readme = withSection(readme, name, text);
writeFileSync(readmeFile, readme);
console.log(`README.md: wrote ${Object.keys(known).join(', ')}`);
