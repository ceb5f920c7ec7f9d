/** Owns the reading of the README as text: fenced blocks, inline code, commands, headings. It judges nothing. */

/** Fenced blocks of a language, without their fences. */
export function blocks(readme: string, language: string): string[] {
  const found = readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm);
  return [...found].filter((match) => match[1] === language).map((match) => match[2]!);
}

/** Every piece of code that stands within a line of prose or a table. */
export function inlineCode(readme: string): string[] {
  const prose = readme.replace(/^```[\s\S]*?^```$/gm, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
}

/** Single commands of the shell blocks; a shell function's definition is none. */
export function commands(readme: string): string[] {
  return blocks(readme, 'sh')
    .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .filter((line) => line.trim() !== '' && !/^\w+\(\)/.test(line))
    .flatMap((line) => line.split(/ (?:&&|\|\||\|) /))
    .map((command) => command.trim());
}

/** A command's words as a shell would give them, quotes taken off. */
export function words(command: string): string[] {
  return [...command.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map((match) => match[0].replace(/["']/g, ''));
}

/** The words after `headgate`, however it is called; null when the command is not one of its. */
export function headgateWords(command: string): string[] | null {
  const found = /^(?:npm run (?:--silent )?headgate -- |headgate )(.*)$/.exec(command);
  return found === null ? null : words(found[1]!);
}

/** Anchors of the headings, as GitHub makes them. */
export function anchors(readme: string): Set<string> {
  const headings = readme.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm);
  return new Set([...headings].map((match) => slug(match[1]!)));
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}
