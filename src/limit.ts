/** Owns how long anybody waits for what may hang: KV, the cache, another object. It cancels nothing; what comes late comes late. */

/** The value of `work`, or a rejection once `limitMs` are over. */
export async function withLimit<T>(work: Promise<T>, limitMs: number): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${limitMs} ms`)), limitMs);
  });
  // Whoever wins, a rejection that comes later is nobody's.
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for `work` to end, however it ends, but no longer than `limitMs`. */
export async function atMost(work: Promise<unknown>, limitMs: number): Promise<void> {
  await withLimit(work, limitMs).catch(() => {});
}

/** Lets time pass; with 0, all that is ready already. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
