/**
 * Owns the people of the demo: browsers that keep the cookie they are given, and API clients that name themselves in
 * `x-user-id`. Pure: it sends nothing, and its randomness is given to it.
 */

export type Visitor =
  | { kind: 'browser'; cookie: string | null; busy: boolean }
  | { kind: 'client'; userId: string; busy: boolean };

/** `browsers` without a cookie yet, then `clients` with names that are the same in every run. */
export function population({ browsers, clients }: { browsers: number; clients: number }): Visitor[] {
  return [
    ...Array.from({ length: browsers }, (): Visitor => ({ kind: 'browser', cookie: null, busy: false })),
    ...Array.from(
      { length: clients },
      (_, index): Visitor => ({ kind: 'client', userId: `user-${index + 1}`, busy: false }),
    ),
  ];
}

/** Somebody who waits for no answer, so that a browser never asks twice before it has its cookie; null when all wait. */
export function pickIdle(visitors: readonly Visitor[], random: () => number): Visitor | null {
  const start = Math.floor(random() * visitors.length);
  for (let step = 0; step < visitors.length; step++) {
    const visitor = visitors[(start + step) % visitors.length]!;
    if (!visitor.busy) return visitor;
  }
  return null;
}

/** The headers by which the splitter knows this visitor again. */
export function identityHeaders(visitor: Visitor): Record<string, string> {
  if (visitor.kind === 'client') return { 'x-user-id': visitor.userId };
  return visitor.cookie === null ? {} : { cookie: visitor.cookie };
}

/** A browser keeps the splitter's cookie (name and value, not its attributes); a client keeps none. */
export function keepCookie(visitor: Visitor, setCookie: readonly string[]): void {
  if (visitor.kind !== 'browser') return;
  for (const line of setCookie) {
    if (line.startsWith('headgate=')) visitor.cookie = line.split(';', 1)[0]!;
  }
}
