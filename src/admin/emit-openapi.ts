/** Owns writing `openapi.json`. Run it with `npm run typegen` after a change of an admin call or its schemas. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openApi } from './openapi.ts';

const file = fileURLToPath(new URL('./openapi.json', import.meta.url).href);
writeFileSync(file, `${JSON.stringify(openApi(), null, 1)}\n`);
