/** Owns files that people name on the command line: reading and writing them, and saying what is wrong with them. */

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Stop, usage } from './stop.ts';
import type { Terminal } from './terminal.ts';

/** A file's text; `-` is standard input. `mend` says what kind of file is wanted. */
export function readText(file: string, mend: string, { cwd }: Pick<Terminal, 'cwd'>): string {
  try {
    // Some editors put a mark before the first character.
    return readFileSync(file === '-' ? 0 : resolve(cwd, file), 'utf8').replace(/^\ufeff/, '');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    throw usage(`Cannot read ${file} (${code === 'ENOENT' ? 'no such file' : code}).`, mend);
  }
}

/** Writes a file, over one that is there. */
export function writeText(file: string, text: string, { cwd }: Pick<Terminal, 'cwd'>): void {
  try {
    writeFileSync(resolve(cwd, file), text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const mend = 'name a file in a directory that is there';
    throw new Stop({ exitCode: 1, what: `Cannot write ${file}.`, why, mend });
  }
}

/** A JSON list in a file, or written out on the command line itself. */
export function readList(written: string, what: string, terminal: Pick<Terminal, 'cwd'>): unknown[] {
  const isInline = written.trimStart().startsWith('[');
  const named = isInline ? `The list of ${what}` : written;
  const text = isInline ? written : readText(written, `name a JSON file with ${what}`, terminal);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw usage(`${named} is not JSON: ${(cause as Error).message}.`, `give ${what} as a JSON list, [ … ]`);
  }
  if (!Array.isArray(value)) throw usage(`${named} is not a list.`, `give ${what} as a JSON list, [ … ]`);
  return value;
}
