/** Owns the detector of the demo's `third`: franc, which knows 187 languages and so mistakes some for their rarer kin. */

import { francAll } from 'franc';
import { confidence, type Detector } from './detector.ts';
import { languageCode } from './languages.ts';

export const franc: Detector = {
  model: 'franc',
  detect(text) {
    // franc scores relative to its best guess, so whatever it finds has confidence 1.
    const [language, score] = francAll(text)[0] ?? ['', 0];
    return { language: languageCode(language), confidence: language === 'und' ? 0 : confidence(score) };
  },
};
