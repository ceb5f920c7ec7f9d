/** Owns writing `openapi.json`, the description in short. Run it with `npm run typegen` after a change of an admin call or its schemas. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { shortApi } from './openapi.ts';

const file = fileURLToPath(new URL('./openapi.json', import.meta.url).href);
writeFileSync(file, `${JSON.stringify(shortApi(), null, 1)}\n`);
