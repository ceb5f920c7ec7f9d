/**
 * Owns `headgate init URL`: a first config file for an endpoint that exists. It asks the endpoint one harmless question, checks
 * what it writes with the product's own parser, and refuses to write over a file unless told to.
 */

import { existsSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { parseConfig } from '../../config/parse.ts';
import { firstConfig, looksLikeModel, waysOf } from '../first-config.ts';
import { writeText } from '../json-file.ts';
import { whyNoAnswer } from '../no-answer.ts';
import { Stop, usage } from '../stop.ts';
import type { Terminal } from '../terminal.ts';
import { verb } from '../verb.ts';

/** How long the endpoint may take to answer. */
const probeTimeoutMs = 5_000;
const schemaFile = './src/config/headgate.schema.json';

export const init = verb({
  summary:
    'Write a first config for an endpoint that exists: all traffic stays on it (blue), a second version (green) waits at 0 %',
  args: {
    endpoint: { type: 'positional', required: true, description: 'Its URL, such as https://api.example.com/v1/detect' },
    name: { type: 'string', description: 'Name of the route; else made from the URL', valueHint: 'ROUTE' },
    host: { type: 'string', description: "The host that visitors call; else the endpoint's own", valueHint: 'HOST' },
    file: { type: 'string', description: 'Where to write it', default: 'headgate.json', valueHint: 'FILE' },
    force: { type: 'boolean', description: 'Write over the file' },
    offline: { type: 'boolean', description: 'Do not ask the endpoint anything' },
  },
  async run({ endpoint, name, host, file, force, offline, json }, terminal) {
    const url = URL.parse(endpoint);
    if (!url || !/^https?:$/.test(url.protocol))
      throw usage(`${endpoint} is no http or https URL.`, 'give it whole, with https://');
    if (url.username || url.password)
      throw usage('A URL bears no user name and password here.', 'put them into secretHeaders of the variant');
    const path = resolve(terminal.cwd, file);
    if (existsSync(path) && !force) {
      throw new Stop({
        exitCode: 1,
        what: `${file} is there already.`,
        mend: 'name another by --file, or write over it with --force',
      });
    }
    const document = firstConfig({
      url,
      name: name || undefined,
      host: host || undefined,
      schema: schemaFrom(resolve(terminal.cwd, file), resolve(terminal.cwd, schemaFile)),
    });
    const text = `${JSON.stringify(document, null, 2)}\n`;
    const parsed = parseConfig(text, { unknownKeys: 'fault' });
    if (!parsed.ok) {
      throw new Stop({ exitCode: 1, what: `No valid config can be made for ${endpoint}.`, faults: parsed.error });
    }
    // The endpoint may well be reachable from the Worker alone, so what does not answer from here is written all the same.
    if (!offline) terminal.note(await probe(url, terminal));
    writeText(file, text, terminal);
    if (json) terminal.out(JSON.stringify({ file, config: document }, null, 2));
    else terminal.out([`${terminal.paint.green('✓')} wrote ${file}`, '', ...nextSteps(file, url)].join('\n'));
    return 0;
  },
});

/** One GET that follows no redirect and reads no body. Any answer will do: 401 or 405 too is a sign of life. */
async function probe(url: URL, { fetch, paint }: Terminal): Promise<string> {
  const startedMs = performance.now();
  try {
    const answer = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(probeTimeoutMs) });
    await answer.body?.cancel();
    return `${url.host} answers: status ${answer.status} in ${Math.round(performance.now() - startedMs)} ms`;
  } catch (cause) {
    return `${paint.yellow('!')} ${url.href} does not answer from here: ${whyNoAnswer(cause)}; check the URL`;
  }
}

function nextSteps(file: string, url: URL): string[] {
  const steps = [
    `Give green its own "url" in ${file}: until then both versions are the same endpoint.`,
    `headgate validate ${file}`,
    `npx wrangler kv key put --local --binding CONFIG config --path ${file}   (deployed: --remote)`,
    'Move traffic: change "weights"; they sum to 100.',
  ];
  if (looksLikeModel(url)) {
    const { keyHeader, keyValue, isInPath, preset } = waysOf(url);
    const compare = preset === null ? '' : `, "compare": { "preset": "${preset}" }`;
    steps.splice(
      1,
      0,
      ...(isInPath
        ? []
        : ['A version that is another model behind the same URL: "json": { "model": "…" } in the variant.']),
      `Its key stays a Worker secret: "secretHeaders": { "${keyHeader}": "${keyValue}" }.`,
      `To compare answers: "shadows": [ { "variant": "green", "percent": 5${compare} } ]; every copy is paid for.`,
      'Answers that are not streamed and take longer than two minutes need a larger "timeoutMs"; clients of models wait for ten.',
    );
  }
  return steps.map((step, i) => `  ${i + 1}. ${step}`);
}

/** Editors look from where the file is. */
function schemaFrom(file: string, schema: string): string | undefined {
  if (!existsSync(schema)) return undefined;
  const way = relative(dirname(file), schema).replaceAll('\\', '/');
  return way.startsWith('.') ? way : `./${way}`;
}
