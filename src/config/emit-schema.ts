/** Owns writing `headgate.schema.json`. Run it with `node src/config/emit-schema.ts` after a change of the schema. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jsonSchemaText } from './json-schema.ts';

const file = fileURLToPath(new URL('./headgate.schema.json', import.meta.url).href);
writeFileSync(file, jsonSchemaText());
