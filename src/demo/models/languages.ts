/**
 * Owns the one spelling of languages that all demo models share: ISO 639-3, individual languages written as their
 * macrolanguage (ISO 639-3 macrolanguage table), so that two models that mean the same answer the same. It detects nothing.
 */

/** The code for "no language found" (ISO 639-2 `und`). */
const UNDETERMINED = 'und';

const MACROLANGUAGE: Record<string, string> = {
  als: 'sqi',
  arb: 'ara',
  azj: 'aze',
  cmn: 'zho',
  ekk: 'est',
  khk: 'mon',
  kmr: 'kur',
  lvs: 'lav',
  nno: 'nor',
  nob: 'nor',
  npi: 'nep',
  ory: 'ori',
  pes: 'fas',
  plt: 'mlg',
  prs: 'fas',
  swh: 'swa',
  uzn: 'uzb',
  ydd: 'yid',
  zsm: 'msa',
};

// The two-letter codes that eld answers with; a test holds this list against the languages of the installed eld.
const FROM_ISO_639_1: Record<string, string> = Object.fromEntries(
  (
    'am:amh ar:ara az:aze be:bel bg:bul bn:ben ca:cat cs:ces da:dan de:deu el:ell en:eng es:spa et:est eu:eus fa:fas ' +
    'fi:fin fr:fra gu:guj he:heb hi:hin hr:hrv hu:hun hy:hye is:isl it:ita ja:jpn ka:kat kn:kan ko:kor ku:kur lo:lao ' +
    'lt:lit lv:lav ml:mal mr:mar ms:msa nl:nld no:nor or:ori pa:pan pl:pol pt:por ro:ron ru:rus sk:slk sl:slv sq:sqi ' +
    'sr:srp sv:swe ta:tam te:tel th:tha tl:tgl tr:tur uk:ukr ur:urd vi:vie yo:yor zh:zho'
  )
    .split(' ')
    .map((pair) => pair.split(':') as [string, string]),
);

/** The shared code for a model's own code of two or three letters; what is unknown is `und`. */
export function languageCode(code: string): string {
  const threeLetters = code.length === 2 ? (FROM_ISO_639_1[code] ?? UNDETERMINED) : code || UNDETERMINED;
  return MACROLANGUAGE[threeLetters] ?? threeLetters;
}
