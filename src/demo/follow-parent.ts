/**
 * Owns one duty, preloaded into the wrangler that `npm start` runs: when `npm start` itself is gone without a goodbye
 * (SIGKILL, out of memory), end the whole process group, so that no workerd holds the port for ever.
 */

const LOOK_MS = 1_000;
const parent = process.ppid;

setInterval(() => {
  // 0 is everybody in our process group, which workers.ts made for wrangler alone; wrangler's own child has this preload too.
  if (process.ppid !== parent) process.kill(0, 'SIGTERM');
}, LOOK_MS).unref();
