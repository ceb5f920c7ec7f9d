/**
 * Owns `npm run demo`: it starts the Workers with a state of their own, has the story played, tells how it ended, and takes
 * everything away. Exit codes: 0 as told, 1 not, 2 wrong usage, 130 stopped.
 */

import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Stop } from '../cli/stop.ts';
import { terminal } from '../cli/terminal.ts';
import { ok } from '../result.ts';
import { playAb } from './ab/play.ts';
import { choosePort } from './port.ts';
import { stopSignal } from './stop-signal.ts';
import { type DemoOptions, HELP, parseDemoOptions } from './story/options.ts';
import { FAST, FULL } from './story/plans.ts';
import { play } from './story/play.ts';
import { type Host, startHost } from './story/processes.ts';
import { type ActReport, summaryLines } from './story/summary.ts';
import { Teller } from './story/teller.ts';

const ROOT = join(import.meta.dirname, '../..');
const STOPPED = 130;
/** In a hurry still enough that both arms have their 25 mistakes. */
const AB_VISITORS = { full: 1_600, fast: 1_200 };
const screen = terminal();

async function main(): Promise<number> {
  const options = parseDemoOptions(process.argv.slice(2));
  if (!options.ok) return complain(`${options.error}\n\n${HELP}`, 2);
  if (options.value.help) {
    screen.out(HELP);
    return 0;
  }
  const stopping = stopSignal();
  const asked = options.value.port;
  const port = asked === null ? ok(0) : await choosePort(asked, asked, 'npm run demo');
  if (!port.ok) return complain(port.error, 1);
  const stateDirectory = mkdtempSync(join(tmpdir(), 'headgate-demo-'));
  const token = randomBytes(32).toString('base64url');
  const secrets = { ADMIN_TOKEN: token, COOKIE_SECRET: randomBytes(32).toString('base64url') };
  try {
    screen.out('Starting Headgate and its models …');
    const host = await startHost({ root: ROOT, port: port.value, stateDirectory, secrets }, stopping);
    if (!host.ok) return stopping.aborted ? STOPPED : complain(host.error, 1);
    try {
      return await tell(host.value, token, options.value, stopping);
    } finally {
      await host.value.stop();
    }
  } finally {
    rmSync(stateDirectory, { recursive: true, force: true });
  }
}

async function tell(host: Host, token: string, options: DemoOptions, stopping: AbortSignal): Promise<number> {
  const gone = new AbortController();
  void host.exited.then(() => gone.abort());
  const teller = new Teller({ screen, out: screen.out, now: () => Date.now() });
  try {
    const report = await shown(host.url, token, options, teller, AbortSignal.any([stopping, gone.signal]));
    screen.out(['', ...summaryLines(report, screen)].join('\n'));
    if (report.differs.length > 0) complain(host.complaints(), 1);
    return report.differs.length === 0 ? 0 : 1;
  } catch (cause) {
    if (stopping.aborted) return STOPPED;
    const why = gone.signal.aborted ? 'The Workers ended by themselves.' : sentenceOf(cause);
    return complain(`\nThe story broke off. ${why}\n${host.complaints()}`, 1);
  }
}

function shown(
  url: string,
  token: string,
  { perSecond, isAb, isFast }: DemoOptions,
  teller: Teller,
  stopping: AbortSignal,
): Promise<ActReport> {
  const common = { url, token, teller, stopping };
  if (!isAb) return play({ ...common, perSecond, plans: isFast ? FAST : FULL });
  const visitors = isFast ? AB_VISITORS.fast : AB_VISITORS.full;
  return playAb({ ...common, perSecond: isFast ? 2 * perSecond : perSecond, visitors, screen, out: screen.out });
}

function sentenceOf(cause: unknown): string {
  if (!(cause instanceof Stop)) return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
  const { what, why, faults = [] } = cause.trouble;
  return [what, why, ...faults.map(({ path, reason }) => `${path} ${reason}`)].filter(Boolean).join(' ');
}

function complain(text: string, code: number): number {
  if (text.trim() !== '') screen.note(text.trimEnd());
  return code;
}

process.exit(await main());
