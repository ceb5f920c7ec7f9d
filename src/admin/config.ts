/** Owns the calls about the config document: read, check, replace, look back. The instance named `config` stores it. */

import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import { readText } from '../body-text.ts';
import { isFor } from '../config/hash.ts';
import { parseConfig } from '../config/parse.ts';
import { faultAt, firstFault } from '../config/path.ts';
import { parseSplit, parseWeights } from '../config/split.ts';
import { keysOf, readAll, textsOf } from '../config/store.ts';
import { configKeeperOf, type Env, whatThisWorkerHas } from '../env.ts';
import { withLimit } from '../limit.ts';
import type { Fault, Result } from '../result.ts';
import type { ConfigRefusal, ConfigRevision } from '../rollout/config-keeper.ts';
import { noController, refusalOf } from './ask-controller.ts';
import { actorOf, etagSeen } from './caller.ts';
import type { AdminEnv } from './context.ts';
import { jsonBody, query, refuse, tooLarge } from './input.ts';
import { CALL_LIMIT_MS, KV_LIMIT_MS, MAX_BODY_BYTES } from './limits.ts';
import { reasonQuery, restoreBody } from './schemas.ts';

type Keeper = NonNullable<ReturnType<typeof configKeeperOf>>;
type Written = Result<{ revision: ConfigRevision; warnings: Fault[] }, ConfigRefusal>;

/** The calls about the config document. */
export function configRoutes() {
  return new Hono<AdminEnv>()
    .post('/config/validate', async (c) => {
      const text = await readText(c.req.raw, MAX_BODY_BYTES);
      if (text === null) return tooLarge(MAX_BODY_BYTES);
      const parsed = parseConfig(text, { unknownKeys: 'fault', ...whatThisWorkerHas(c.env) });
      if (!parsed.ok) return faulty(parsed.error);
      const warnings = [...parsed.value.warnings, ...(await overriddenWeights(c.env, text))];
      return c.json({ valid: true as const, warnings }, 200);
    })
    .get('/config', (c) =>
      askKeeper(c, async (keeper) => {
        const current = await keeper.currentConfig();
        if (current === null) return noConfig(404);
        const etag = `"${current.hash}"`;
        const known = c.req.header('if-none-match') ?? '';
        if (known === '*' || known.includes(etag)) return c.body(null, 304, { etag });
        return c.body(current.text, 200, { 'content-type': 'application/json', etag });
      }),
    )
    .put('/config', query(reasonQuery), async (c) => {
      const text = await readText(c.req.raw, MAX_BODY_BYTES);
      if (text === null) return tooLarge(MAX_BODY_BYTES);
      return askKeeper(c, (keeper) => replace(c, keeper, text, c.req.valid('query').reason));
    })
    .get('/config/revisions', (c) =>
      askKeeper(c, async (keeper) => c.json({ revisions: await keeper.configRevisions() }, 200)),
    )
    .post('/config/restore', jsonBody(restoreBody), (c) =>
      askKeeper(c, async (keeper) => {
        const { revision, reason } = c.req.valid('json');
        const earlier = await keeper.configRevision(revision);
        if (earlier === null) return noRevision(revision);
        return replace(c, keeper, earlier.text, reason || `restored revision ${revision}`);
      }),
    );
}

/** Asks the controller instance that owns the config; answers 503 if it fails or does not answer. */
async function askKeeper<T>(c: Context<AdminEnv>, call: (keeper: Keeper) => Promise<T>) {
  try {
    const keeper = configKeeperOf(c.env);
    return keeper === null ? noController() : await withLimit(call(keeper), CALL_LIMIT_MS);
  } catch (cause) {
    console.error('controller config', cause);
    const detail = 'The owner of the config does not answer: traffic flows on as it is.';
    return refuse(503, 'controller_down', detail, 'try again; headgate doctor looks at it');
  }
}

/** Puts a document in force, unless somebody else wrote since the caller looked. */
async function replace(c: Context<AdminEnv>, keeper: Keeper, text: string, reason: string) {
  const written = (await keeper.putConfig({ text, ifMatch: etagSeen(c), actor: actorOf(c), reason })) as Written;
  if (!written.ok) return unwritten(written.error);
  const { revision, hash } = written.value.revision;
  const warnings = [...written.value.warnings, ...(await overriddenWeights(c.env, written.value.revision.text))];
  return c.json({ revision, hash, warnings }, 200, { etag: `"${hash}"` });
}

/** Warnings about routes where a split or weights by hand beat the weights that are written, so that these have no effect. */
async function overriddenWeights(env: Env, text: string): Promise<Fault[]> {
  const parsed = parseConfig(text, { unknownKeys: 'warn' });
  if (!parsed.ok) return [];
  const { routes } = parsed.value.config;
  try {
    const keys = routes.flatMap(({ name }) => keysOf(name));
    const texts = await withLimit(readAll(env, keys), KV_LIMIT_MS);
    return routes.flatMap((route, index): Fault[] => {
      const { name, baseline } = route;
      const { split, weights } = textsOf(name, texts);
      const byHand = parseWeights(weights ?? '{}', route);
      const isManual = !byHand.ok || byHand.value !== null;
      if (!isManual && !split) return [];
      const known = split ? parseSplit(split) : null;
      const isServed = isManual || (known?.ok && isFor(known.value, route));
      const reason = !byHand.ok
        ? `the key weights:${name} is refused (${firstFault(byHand.error)})`
        : isServed
          ? `the key ${isManual ? 'weights' : 'split'}:${name} beats the weights written here`
          : `the key split:${name} is for other variants: ${baseline} gets all traffic`;
      const mend = isManual
        ? `end manual mode: headgate manual clear ${name}`
        : `change them with: headgate weights ${name} …`;
      return [faultAt(['routes', index, 'weights'], reason, mend)];
    });
  } catch (cause) {
    console.warn(`KV could not be read: ${cause}`);
    return [];
  }
}

function unwritten(refusal: ConfigRefusal) {
  if (refusal.code === 'invalid') return faulty(refusal.faults);
  if (refusal.code !== 'stale') return refusalOf(refusal);
  const detail = `Somebody else wrote the config since: its hash is ${refusal.hash ?? 'none'} now.`;
  return refuse(412, 'stale', detail, 'GET /_headgate/api/config, change that, and send its ETag');
}

function faulty(faults: Fault[]) {
  const detail = `The config is refused whole. Faults: ${faults.length}`;
  return refuse(422, 'invalid_config', detail, 'mend each fault as it says', { more: { faults } });
}

/** There is no config: 404 where the config itself was asked for, 503 where a call cannot work without one. */
export const noConfig = <const S extends 404 | 503>(status: S) =>
  refuse(status, 'no_config', 'There is no valid config.', `${makeConfig}; headgate doctor lists the faults of one`);

/** What to do where there is no config. */
export const makeConfig = 'headgate init URL makes one, headgate apply FILE puts it in force';

const noRevision = (revision: number) =>
  refuse(
    404,
    'no_such_revision',
    `Revision ${revision} of the config is not kept.`,
    'GET /_headgate/api/config/revisions lists those that are',
  );
