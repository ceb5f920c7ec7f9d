/**
 * `node test/bench/order.ts`: finds an order of the Worker's modules in which its bundle packs smaller, and writes `src/order.ts`. gzip
 * sees what repeats within 32 KB only, so what is alike must stand together. It goes on from the order that there is, by trying moves
 * and keeping most that help (simulated annealing). Options: `--seconds N` (300).
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { build, transform } from 'esbuild';

const FILE = 'src/order.ts';
const ENTRY = 'src/index.ts';
/** Bytes by which a try may be worse and still be gone on from, at first and at last. */
const LENIENCE = { first: 3, last: 0.3 };

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '300' } } });

const built = await build({
  entryPoints: [ENTRY],
  bundle: true,
  write: false,
  metafile: true,
  format: 'esm',
  external: ['cloudflare:*', 'node:*'],
  conditions: ['workerd', 'worker', 'browser'],
  minifyIdentifiers: true,
  minifySyntax: true,
});
const codeOf = new Map<string, Buffer>();
// With its spaces left in, the bundle names each module before its code.
for (const part of built.outputFiles[0]!.text.split(/^\/\/ (?=(?:src|node_modules)\/)/m).slice(1)) {
  const [name] = part.split('\n', 1) as [string];
  const { code } = await transform(part.slice(name.length).replace(/^export \{[^}]*\};$/m, ''), {
    minifyWhitespace: true,
  });
  codeOf.set(name, Buffer.from(code));
}
const needsOf = new Map(
  Object.entries(built.metafile.inputs).map(([name, { imports }]) => [name, imports.map(({ path }) => path)]),
);

/** Where modules come to stand when they are imported in this order: each after what it imports itself. */
function standing(wanted: string[]): string[] {
  const seen = new Set<string>();
  const stood: string[] = [];
  const stand = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const needed of needsOf.get(name) ?? []) stand(needed);
    if (codeOf.has(name)) stood.push(name);
  };
  for (const name of wanted) stand(name);
  return stood;
}

const packed = (order: string[]) => gzipSync(Buffer.concat(order.map((name) => codeOf.get(name)!))).length;
const isOurs = (name: string) => /^src\/.*\.ts$/.test(name) && name !== FILE && name !== ENTRY;

/**
 * One to six neighbours, taken elsewhere: between what they import and what imports them, since a module that is needed earlier stands
 * there whatever was wanted. Modules that import each other keep the order that they have.
 */
function moved(order: string[]): string[] {
  const count = 1 + Math.floor(Math.random() * Math.random() * 6);
  const from = Math.floor(Math.random() * (order.length - count));
  const run = order.slice(from, from + count);
  const inRun = new Set(run);
  const needed = new Set(run.flatMap((name) => needsOf.get(name) ?? []));
  let first = from;
  while (first > 0 && !needed.has(order[first - 1]!)) first--;
  let last = from + count;
  const needsRun = (name: string) => needsOf.get(name)?.some((one) => inRun.has(one)) === true;
  while (last < order.length && !needsRun(order[last]!)) last++;
  const to = first + Math.floor(Math.random() * (last - first - count + 1));
  const rest = order.toSpliced(from, count);
  return rest.toSpliced(to, 0, ...run);
}

let order = standing([FILE, ENTRY]).filter(isOurs);
let bytes = packed(standing([...order, ENTRY]));
let best = { order, bytes };
console.log(`${order.length} modules, ${bytes} bytes as they stand`);
const startedAtMs = Date.now();
const lastsMs = Number(values.seconds) * 1_000;
for (let spent = 0; spent < 1; spent = (Date.now() - startedAtMs) / lastsMs) {
  const tried = moved(order);
  const triedBytes = packed(standing([...tried, ENTRY]));
  const lenience = LENIENCE.first * (LENIENCE.last / LENIENCE.first) ** spent;
  if (triedBytes > bytes && Math.random() >= Math.exp((bytes - triedBytes) / lenience)) continue;
  order = tried;
  bytes = triedBytes;
  if (bytes < best.bytes) best = { order, bytes };
}
const lines = standing([...best.order, ENTRY]).filter(isOurs);
const [head] = readFileSync(FILE, 'utf8').split('\nimport ', 1);
writeFileSync(FILE, `${head}\n${lines.map((name) => `import '${name.replace(/^src/, '.')}';\n`).join('')}`);
console.log(`${best.bytes} bytes as written`);
