/** Owns `headgate records`: the newest records as a table, once or as they come. */

import type { RecordEntry } from '../../records/read.ts';
import type { Dataset } from '../../records/rows.ts';
import { connect } from '../client.ts';
import { type Column, tableLines } from '../print.ts';
import { requireRoute } from '../route.ts';
import { usage } from '../stop.ts';
import type { Terminal } from '../terminal.ts';
import { verb } from '../verb.ts';
import { patiently } from '../wait.ts';

const text = (title: string, member = title): Column<RecordEntry> => ({
  title,
  cell: (record) => String(record[member] ?? ''),
});
const number = (title: string, member = title): Column<RecordEntry> => ({
  title,
  align: 'right',
  cell: (record) => (typeof record[member] === 'number' ? String(Math.round(record[member] * 1000) / 1000) : '–'),
});
const time: Column<RecordEntry> = { title: 'at', cell: ({ at }) => at.replace('T', ' ').replace('Z', '') };

/** What of each dataset fits a terminal; `--json` has everything. */
const tables: Record<Dataset, Column<RecordEntry>[]> = {
  requests: [
    time,
    text('route'),
    text('variant'),
    text('reason'),
    text('method'),
    text('path'),
    number('status'),
    number('headers ms', 'headersMs'),
    number('total ms', 'totalMs'),
    number('bytes'),
    text('error', 'errorCode'),
  ],
  comparisons: [
    time,
    text('route'),
    text('candidate'),
    text('role'),
    text('class'),
    text('reason'),
    number('live', 'liveStatus'),
    number('cand.', 'candidateStatus'),
    number('live ms', 'liveTotalMs'),
    number('cand. ms', 'candidateTotalMs'),
    text('first difference', 'firstDiff'),
  ],
  outcomes: [time, text('route'), text('experiment'), text('variant'), text('metric'), number('value')],
};

/** How often `--follow` looks. */
const pollMs = 1_000;
/** The most that the API gives at once. */
const maxLimit = '1000';

export const records = verb({
  summary: 'Show the newest records: the local recorder here, Analytics Engine in production',
  args: {
    dataset: {
      type: 'enum',
      options: ['requests', 'comparisons', 'outcomes'],
      default: 'requests',
      description: 'Which records',
    },
    route: { type: 'string', description: 'Only this route', valueHint: 'ROUTE' },
    variant: { type: 'string', description: 'Only this variant (in comparisons: candidate)', valueHint: 'VARIANT' },
    limit: { type: 'string', description: 'How many, 1 to 1000', default: '20', valueHint: 'N' },
    follow: { type: 'boolean', description: 'Go on as they come; Ctrl-C ends it' },
  },
  async run(args, terminal) {
    if (!/^([1-9]\d{0,2}|1000)$/.test(args.limit))
      throw usage('--limit is a whole number from 1 to 1000.', 'such as --limit 50');
    const connected = connect(args, terminal);
    const { client, ask } = connected;
    const { dataset, route, variant } = args;
    const query = { dataset, route, variant };
    const look = (limit: string) => ask(client.api.records.$get({ query: { ...query, limit } }));
    // Records outlive their route, so its name is looked at only where there are none.
    const firstLook = async (limit: string) => {
      const page = await look(limit);
      if (route && page.records.length === 0) await requireRoute(route, connected);
      return page;
    };
    if (args.follow) {
      const first = (await firstLook(maxLimit)).records;
      return follow(
        first,
        Number(args.limit),
        patiently(() => look(maxLimit), terminal),
        new Printer(args, terminal),
      );
    }
    const page = await firstLook(args.limit);
    if (args.json) terminal.out(JSON.stringify(page, null, 2));
    else if (page.records.length === 0) terminal.note('No records yet.');
    else new Printer(args, terminal).print(page.records);
    return 0;
  },
});

/** Prints rows under one head, however many times it is given some. */
class Printer {
  #args: { dataset: Dataset; json?: boolean };
  #headed = false;
  readonly terminal: Terminal;

  constructor(args: { dataset: Dataset; json?: boolean }, terminal: Terminal) {
    this.#args = args;
    this.terminal = terminal;
  }

  print(entries: readonly RecordEntry[]): void {
    if (entries.length === 0) return;
    if (this.#args.json) {
      for (const entry of entries) this.terminal.out(JSON.stringify(entry));
      return;
    }
    const [head, ...lines] = tableLines(tables[this.#args.dataset], entries, this.terminal.columns);
    if (!this.#headed) this.terminal.out(this.terminal.paint.dim(head!));
    this.#headed = true;
    this.terminal.out(lines.join('\n'));
  }
}

/** Prints what was not there at the last look, oldest first: a log that grows at its end. */
async function follow(
  first: readonly RecordEntry[],
  shown: number,
  look: () => Promise<{ records: RecordEntry[] }>,
  printer: Printer,
): Promise<never> {
  printer.print(first.slice(0, shown).toReversed());
  if (first.length === 0) printer.terminal.note('Waiting for records. Ctrl-C ends this.');
  let seen = new Set(first.map(keyOf));
  let newest = first[0]?.id ?? 0;
  for (;;) {
    await printer.terminal.sleep(pollMs);
    const { records: latest } = await look();
    // The recorder's ids only grow. Analytics Engine has none, so there a row is known by what it says.
    const fresh = latest.filter((record) => (record.id === undefined ? !seen.has(keyOf(record)) : record.id > newest));
    printer.print(fresh.toReversed());
    seen = new Set(latest.map(keyOf));
    newest = latest[0]?.id ?? newest;
  }
}

function keyOf(record: RecordEntry): string {
  return JSON.stringify(record);
}
