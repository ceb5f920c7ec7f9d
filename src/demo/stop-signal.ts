/** Owns when a demo must end: it turns whatever says so into one AbortSignal. It ends nothing itself. */

const PARENT_LOOK_MS = 500;

/** Aborted by Ctrl-C, by SIGTERM or SIGHUP, and when the npm that started us is gone (it takes its shell along, but not us). */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => controller.abort());
  if (process.env.npm_lifecycle_event !== undefined) {
    const parent = process.ppid;
    setInterval(() => {
      if (process.ppid !== parent) controller.abort();
    }, PARENT_LOOK_MS).unref();
  }
  return controller.signal;
}
