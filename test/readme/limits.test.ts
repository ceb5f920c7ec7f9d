import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MAX_WRONG_TOKENS } from '../../src/admin/limits.ts';
import { MAX_UNITS, MIN_BAD_TO_FAIL, ROLLOUT_ALPHA } from '../../src/analysis/limits.ts';
import { MAX_CONFIG_BYTES } from '../../src/config/limits.ts';
import { EJECTION_MS, FAILURES_TO_EJECT } from '../../src/forward/ejection.ts';
import { FIRST_CHUNK_BYTES, LARGE_CHUNK_BYTES, MAX_HELD_BYTES } from '../../src/forward/limits.ts';
import { BUSY_INTERVAL_MS, CONFIRM_AFTER_MS, QUIET_INTERVAL_MS } from '../../src/live/limits.ts';
import { CAPTURE_BYTES, MAX_COPIES, MAX_SAMPLES } from '../../src/shadow/limits.ts';
import { MAX_PREVIEW_MS } from '../../src/split/limits.ts';
import { MAX_PINS } from '../../src/split/pins.ts';
import { readmeFile } from './sections.ts';

const readme = readFileSync(readmeFile, 'utf8').replace(/\s+/g, ' ');
const kib = (bytes: number) => `${bytes / 1024} KiB`;
const seconds = (ms: number) => `${ms / 1000}`;

/** What the README says in words, with the number that the code has. */
const said: [string, string][] = [
  ['the largest config', `| config | ${kib(MAX_CONFIG_BYTES)},`],
  ['the largest body that is kept', `have \`json\` members set | ${kib(MAX_HELD_BYTES)} with a Content-Length`],
  ['the largest body of a GET', `a GET or HEAD with a body over ${kib(MAX_HELD_BYTES)}`],
  ['how much is compared', `the first ${kib(CAPTURE_BYTES)} of each side`],
  [
    'memory of answers',
    `an answer that streams ${kib(FIRST_CHUNK_BYTES)}, a large one to a slow reader ${kib(LARGE_CHUNK_BYTES)}, a copy ${(4 * CAPTURE_BYTES) / 1024 ** 2} MiB`,
  ],
  ['copies at once', `| copies under way in an isolate | ${MAX_COPIES} |`],
  ['pairs that are kept', `the newest ${MAX_SAMPLES}, 2,048 characters`],
  ['pins in a cookie', `| pins in a cookie | ${MAX_PINS} |`],
  ['the life of a preview', `| preview token | ${MAX_PREVIEW_MS / 3_600_000} hours |`],
  ['units that are told apart', `| ${MAX_UNITS.toLocaleString('en')}; beyond, a fair sample |`],
  ['wrong tokens', `| ${MAX_WRONG_TOKENS} wrong tokens from one address in a minute`],
  ['the report of a busy isolate', `controller every ${seconds(BUSY_INTERVAL_MS)} seconds`],
  ['the report of a quiet isolate', `| within ${seconds(QUIET_INTERVAL_MS)} s, the interval of quiet times |`],
  ['how long a split is trusted', `it trusts a split for ${seconds(CONFIRM_AFTER_MS)} s`],
  [
    'ejection',
    `After ${FAILURES_TO_EJECT} failures in a row an isolate sends the candidate's units to the baseline for ${seconds(EJECTION_MS)} seconds`,
  ],
  ['bad checks before a stop', `with at least ${MIN_BAD_TO_FAIL} bad checks`],
  [
    'the chance of a false stop',
    `E ever reaches ${1 / ROLLOUT_ALPHA}, however often one looks, is at most 1 in ${1 / ROLLOUT_ALPHA}`,
  ],
];

describe('the numbers of the README', () => {
  it.each(said)('are those of the code: %s', (_, text) => {
    expect(readme.includes(text), text).toBe(true);
  });
});
