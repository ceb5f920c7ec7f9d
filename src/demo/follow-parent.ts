/**
 * Owns one duty, preloaded into the wrangler that `npm start` runs: when `npm start` itself is gone without a goodbye
 * (SIGKILL, out of memory), end the whole process group, so that no workerd holds the port for ever.
 */

const LOOK_MS = 1_000;
const parent = process.ppid;

setInterval(() => {
  // We lead the group that workers.ts made for us.
  if (process.ppid !== parent) process.kill(-process.pid, 'SIGTERM');
}, LOOK_MS).unref();
