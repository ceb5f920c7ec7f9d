/** Owns the writing of the README's sections that come from code: `node test/readme/update.ts`. It changes nothing else. */

import { readFileSync, writeFileSync } from 'node:fs';
import { readmeFile, sections, withSection } from './sections.ts';

const known = await sections();
let readme = readFileSync(readmeFile, 'utf8');
for (const [name, text] of Object.entries(known)) readme = withSection(readme, name, text);
writeFileSync(readmeFile, readme);
console.log(`README.md: wrote ${Object.keys(known).join(', ')}`);
