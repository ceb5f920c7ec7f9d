/** Owns `headgate doctor`: what the Worker finds wrong with itself, and what only a caller can see (reach, token, clocks). */

import type { Finding } from '../../admin/doctor.ts';
import { connect } from '../client.ts';
import { lasting } from '../figures.ts';
import { Stop } from '../stop.ts';
import type { Terminal } from '../terminal.ts';
import { safe } from '../text.ts';
import { verb } from '../verb.ts';

/** Clocks further apart than this make times in views and preview tokens hard to understand. */
const MAX_SKEW_MS = 30_000;

export const doctor = verb({
  summary:
    'Look at bindings, secrets, KV, controllers, clocks and the health of every variant; exit 1 if something is wrong',
  args: {
    route: { type: 'string', description: 'Only this route', valueHint: 'ROUTE' },
  },
  async run(args, terminal) {
    const { client, ask, target } = connect(args, terminal);
    const startedMs = terminal.now();
    await ask(client.health.$get());
    const reach: Finding = {
      about: 'Worker',
      state: 'ok',
      detail: `${target.url} answers in ${terminal.now() - startedMs} ms`,
    };
    const askedMs = terminal.now();
    const seen = await ask(client.api.doctor.$get({ query: { route: args.route || undefined } })).catch(
      (cause: unknown) => {
        // The call failed, but what is known so far is worth printing.
        if (cause instanceof Stop && !args.json) terminal.out(findingLines([reach], terminal).join('\n'));
        throw cause;
      },
    );
    const clocks = clockFinding(Date.parse(seen.now) - (askedMs + terminal.now()) / 2);
    const findings: Finding[] = [reach, clocks, ...seen.findings];
    const isBad = findings.some(({ state }) => state === 'bad');
    if (args.json) terminal.out(JSON.stringify({ ok: !isBad, findings }, null, 2));
    else terminal.out([...findingLines(findings, terminal), '', sumLine(findings, terminal)].join('\n'));
    return isBad ? 1 : 0;
  },
});

function clockFinding(skewMs: number): Finding {
  const apart = Math.abs(skewMs);
  if (apart <= MAX_SKEW_MS) return { about: 'clocks', state: 'ok', detail: 'here and there agree' };
  const detail = `the Worker’s is ${lasting(apart)} ${skewMs > 0 ? 'ahead of' : 'behind'} this machine’s`;
  return {
    about: 'clocks',
    state: 'warn',
    detail,
    mend: 'set this machine’s clock (NTP); times shown here are off by as much',
  };
}

/** The findings as lines. They stay in their order, which shows where each belongs; marks make the bad ones stand out. */
function findingLines(findings: readonly Finding[], { paint }: Terminal): string[] {
  const marks = { ok: paint.green('✔'), note: paint.dim('·'), warn: paint.yellow('!'), bad: paint.red('✗') };
  const width = Math.max(...findings.map(({ about }) => about.length));
  return findings.flatMap(({ about, state, detail, mend }) => [
    `${marks[state]} ${safe(about).padEnd(width)}  ${safe(detail)}`,
    ...(mend === undefined || state === 'note' ? [] : [`  ${' '.repeat(width)}  ${paint.dim('→')} ${safe(mend)}`]),
  ]);
}

function sumLine(findings: readonly Finding[], { paint }: Terminal): string {
  const count = (wanted: Finding['state']) => findings.filter(({ state }) => state === wanted).length;
  const [bad, warn] = [count('bad'), count('warn')];
  if (bad > 0) return paint.red(`${bad} wrong, ${warn} to look at`);
  return warn > 0 ? paint.yellow(`nothing is wrong, ${warn} to look at`) : paint.green('all is well');
}
