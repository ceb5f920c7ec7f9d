/** Owns text on a terminal: what is safe to print, how wide it is, and where it breaks. It knows no colours. */

/** Control characters and those that turn the direction of writing: foreign text must not reach the terminal as commands. */
const unsafe = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const wide =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303e\uff01-\uff60]|\p{Emoji_Presentation}/u;
const zero = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** Text that came from clients or origins, fit for a terminal. Line breaks are replaced too: split before. */
export function safe(text: string): string {
  return text.replace(unsafe, '�');
}

/** Columns that a text takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** Columns that one character takes. */
export function columnsOf(character: string): 0 | 1 | 2 {
  if (character >= ' ' && character <= '~') return 1;
  return zero.test(character) ? 0 : wide.test(character) ? 2 : 1;
}

/** Lines of at most `columns`, broken between words; the first keeps its indentation, the others begin with `indent`. */
export function wrap(text: string, columns: number, indent = ''): string[] {
  const [lead] = /^ */.exec(text)!;
  const lines: string[] = [];
  let line = lead;
  for (const word of text.slice(lead.length).split(' ')) {
    const longer = line.trim() === '' ? line + word : `${line} ${word}`;
    if (line.trim() === '' || widthOf(longer) <= columns) line = longer;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line];
}
