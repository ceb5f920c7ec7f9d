/**
 * `node test/bench/visitors.ts`: a crowd of simulated visitors in workerd, over real sockets, before a ledger whose calls fail at
 * random. Options: `--visitors N` (50,000), `--seed N`. The ledger's export and report must equal the visitors' own diaries exactly,
 * nobody who was exposed may be moved by weights that change midway, and no ratio alarm may ring; exits 1 on any difference.
 */

import { parseArgs } from 'node:util';
import { playVisitors } from './visitors/play.ts';

const { values } = parseArgs({
  options: { visitors: { type: 'string', default: '50000' }, seed: { type: 'string', default: '1' } },
});
const startedMs = Date.now();
const tell = (said: string) => console.error(`${((Date.now() - startedMs) / 1000).toFixed(0)} s: ${said}`);
const played = await playVisitors({ visitors: Number(values.visitors), seed: Number(values.seed), tell });

const whole = (n: number) => n.toLocaleString('en-US');
const { crowd, faults, byVariant, differences, ratio } = played;
const { byReceipt, byCookie, refusedTwice } = crowd.outcomes;
const lines = [
  `visitors   ${whole(played.units)}, ${whole(crowd.visits)} visits, ${whole(crowd.moved)} answers by another variant than the first`,
  `outcomes   ${whole(byReceipt)} by receipt, ${whole(byCookie)} by cookie, ${whole(refusedTwice)} sent twice`,
  `faults     ${Object.entries(faults)
    .map(([kind, n]) => `${kind} ${whole(n)}`)
    .join(', ')}; calls of ledger and controller`,
  ...Object.entries(byVariant).map(
    ([name, { units, helped, spent }]) =>
      `${name.padEnd(11)}${whole(units)} units, ${whole(helped)} conversions, spend ${whole(spent)}`,
  ),
  `ratio      ${ratio.alarm ? 'ALARM' : 'no alarm'} (p ${ratio.p.toFixed(3)}, sequential ${ratio.sequentialP.toFixed(3)})`,
  `time       ${((Date.now() - startedMs) / 1000).toFixed(0)} s`,
];
console.log(lines.join('\n'));
const wrong = [
  ...(crowd.moved > 0 ? [`${crowd.moved} answers moved a visitor`] : []),
  ...(ratio.alarm ? ['the sample-ratio alarm rang although everybody was dealt rightly'] : []),
  ...differences,
];
for (const difference of wrong.slice(0, 20)) console.error(`DIFFERS: ${difference}`);
console.log(wrong.length === 0 ? 'The ledger equals the diaries exactly.' : `${wrong.length} differences.`);
process.exit(wrong.length === 0 ? 0 : 1);
