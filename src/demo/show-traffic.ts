/** Owns the live view of `npm start -- --traffic`: it joins the traffic to the scoreboard and keeps the table on the screen. */

import { Scoreboard } from './scoreboard.ts';
import { trafficTable } from './show.ts';
import { labelledTexts, seededRandom } from './texts.ts';
import { sendTraffic } from './traffic.ts';
import { population } from './visitors.ts';

const SEED = 20_261_123;
const TERMINAL_EVERY_MS = 1_000;
// A log or a pipe gets a new table less often: there it does not replace the one before.
const PIPE_EVERY_MS = 5_000;

/** Sends and shows until `seconds` are over or the signal says stop; the last table stays. */
export async function showTraffic(
  url: string,
  { perSecond, seconds }: { perSecond: number; seconds: number },
  stopping: AbortSignal,
): Promise<void> {
  const ends = Number.isFinite(seconds) ? AbortSignal.timeout(seconds * 1_000) : null;
  const signal = ends === null ? stopping : AbortSignal.any([ends, stopping]);
  const scoreboard = new Scoreboard();
  const visitors = population({ browsers: 400, clients: 100 });
  console.log(`Sending ${perSecond} texts a second from 400 browsers and 100 API clients.\n`);

  const show = tablePrinter(scoreboard);
  const timer = setInterval(show, process.stdout.isTTY ? TERMINAL_EVERY_MS : PIPE_EVERY_MS);
  const { sent, leftOut } = await sendTraffic({
    url,
    perSecond,
    visitors,
    texts: labelledTexts({ seed: SEED, perLanguage: 120 }),
    random: seededRandom(SEED),
    signal,
    onAnswer: (answer) => scoreboard.add(answer, Date.now()),
  });
  clearInterval(timer);
  show();
  console.log(`\n${sent.toLocaleString('en')} texts sent.`);
  if (leftOut > 0)
    console.log(`${leftOut.toLocaleString('en')} were left out: this machine does not keep up with --rate.`);
}

/** Prints the table; on a terminal over the one before. */
function tablePrinter(scoreboard: Scoreboard): () => void {
  let height = 0;
  return () => {
    const lines = trafficTable(scoreboard.rows(Date.now()));
    if (height > 0) process.stdout.write(process.stdout.isTTY ? `\x1b[${height}A\x1b[0J` : '\n');
    console.log(lines.join('\n'));
    height = lines.length;
  };
}
