/** Owns the detector of the demo's `green`: eld with its medium n-gram table, larger and right more often. */

import { eld as library } from 'eld/medium';
import { confidence, type Detector } from './detector.ts';
import { languageCode } from './languages.ts';

export const eld: Detector = {
  model: 'eld-medium',
  detect(text) {
    const found = library.detect(text);
    return { language: languageCode(found.language), confidence: confidence(found.getScores()[found.language]) };
  },
};
