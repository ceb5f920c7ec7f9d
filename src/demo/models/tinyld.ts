/** Owns the detector of the demo's `blue`: tinyld, small and right on five short lines of six. */

import { detectAll, toISO3 } from 'tinyld';
import { confidence, type Detector } from './detector.ts';
import { languageCode } from './languages.ts';

export const tinyld: Detector = {
  model: 'tinyld',
  detect(text) {
    const best = detectAll(text)[0];
    // tinyld answers in two letters where ISO 639-1 has them, and knows the three letters itself.
    return { language: languageCode(best ? toISO3(best.lang) : ''), confidence: confidence(best?.accuracy) };
  },
};
