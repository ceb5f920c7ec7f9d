/** Owns time limits on waiting for what may hang: KV, the cache, another object. It cancels nothing: the work itself goes on. */

/** The value of `work`, or a rejection once `limitMs` are over. */
export async function withLimit<W>(work: W, limitMs: number): Promise<Awaited<W>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${limitMs} ms`)), limitMs);
  });
  try {
    // A rejection after the limit is not reported as unhandled: the race goes on hearing both.
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `work` to end, however it ends, but no longer than `limitMs`. */
export async function atMost(work: Promise<unknown>, limitMs: number): Promise<void> {
  await withLimit(work, limitMs).catch(() => {});
}

/** Waits. With 0 only until everything that is ready now has run. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
