/**
 * Owns giving preview tokens and turning one into a cookie. What a token says and how it is signed is `src/split/preview.ts`'s;
 * what a previewed request does is the request plane's.
 */

import { Hono } from 'hono/tiny';
import { canonicalHost, hostCovers, withoutPort } from '../config/address.ts';
import type { Config } from '../config/types.ts';
import { noVariant } from '../rollout/words.ts';
import { createPreviewToken, PREVIEW_HEADER, readPreviewToken, serializePreviewCookie } from '../split/preview.ts';
import { noRoute } from './ask-controller.ts';
import { noConfig } from './config.ts';
import { type AdminDeps, type AdminEnv, adminBase } from './context.ts';
import { jsonBody, putSecret, query, refuse } from './input.ts';
import { noted } from './note.ts';
import { previewBody, previewQuery } from './schemas.ts';

/** `GET /preview?token=…`: open to whoever holds a token, on the host it was made for. */
export function previewRoutes() {
  return new Hono<AdminEnv>().get('/preview', query(previewQuery), async (c) => {
    const { token, to } = c.req.valid('query');
    const url = new URL(c.req.url);
    const nowMs = Date.now();
    const read = await readPreviewToken(token, { host: url.host, nowMs }, c.env.COOKIE_SECRET);
    if (!read.ok) {
      const detail = `The preview token is not valid here: ${read.error.reason}.`;
      return refuse(403, 'preview_refused', detail, 'ask for a new one: headgate preview ROUTE VARIANT --host HOST');
    }
    const { expiresAtMs } = read.value;
    const cookie = serializePreviewCookie({ token, https: url.protocol === 'https:', expiresAtMs, nowMs });
    // Without the last, a browser that was here before shows the page that it keeps, which is another variant's.
    return c.body(null, 303, {
      location: samePlace(to, url),
      'set-cookie': cookie,
      'clear-site-data': '"cache"',
    });
  });
}

/** `POST /api/routes/:route/preview`: a token for one variant of one route on one host. */
export function previewApiRoutes({ loadConfig }: AdminDeps) {
  return new Hono<AdminEnv>().post('/routes/:route/preview', jsonBody(previewBody), async (c) => {
    const secret = c.env.COOKIE_SECRET;
    if (!secret) return noSecret();
    const config = await loadConfig(c.env);
    if (!config) return noConfig(503);
    const { variant, host, ttlMs } = c.req.valid('json');
    const url = new URL(c.req.url);
    const asked = { route: c.req.param('route'), variant, host, callHost: url.host, adminHost: c.env.ADMIN_HOST };
    const target = previewTarget(config, asked);
    if (target instanceof Response) return target;

    const nowMs = Date.now();
    // Whole seconds, as in the token: the answer promises no more than the token holds.
    const expiresAtMs = Math.floor((nowMs + ttlMs) / 1000) * 1000;
    const token = await createPreviewToken({ ...target, variant, expiresAtMs, nowMs }, secret);
    if (!token.ok) {
      const detail = `No token can be made: ${token.error.reason}.`;
      return refuse(422, 'preview_refused', detail, 'give a plain host and a ttl of at least 1s');
    }
    const answer = {
      token: token.value,
      url: `${url.protocol}//${target.host}${adminBase}/preview?token=${encodeURIComponent(token.value)}`,
      header: { name: PREVIEW_HEADER, value: token.value },
      expiresAt: new Date(expiresAtMs).toISOString(),
    };
    await noted(c, target.route, 'preview', `of ${variant} on ${target.host} until ${answer.expiresAt}`);
    return c.json(answer, 200);
  });
}

const noSecret = () => refuse(503, 'preview_disabled', 'Previews need COOKIE_SECRET.', putSecret('COOKIE_SECRET'));

interface Asked {
  route: string;
  variant: string;
  host: string | undefined;
  /** The host that this call came in on. */
  callHost: string;
  adminHost: string | undefined;
}

/** The route and host of a preview that was asked for, or the refusal. */
function previewTarget(config: Config, asked: Asked) {
  const route = config.routes.find((candidate) => candidate.name === asked.route);
  if (!route) return noRoute(asked.route);
  if (!Object.hasOwn(route.variants, asked.variant)) {
    const { detail, mend } = noVariant(route.name, asked.variant, Object.keys(route.variants)).error;
    return refuse(404, 'no_such_variant', detail, mend);
  }
  // No route answers on the host of the controls, whatever its rules say.
  const isAdmin = (host: string) => asked.adminHost !== undefined && withoutPort(host) === withoutPort(asked.adminHost);
  // A route's rules have no port, but the URL that the browser opens does.
  const serves = (host: string) =>
    !isAdmin(host) && route.match.some((rule) => hostCovers(rule.host, withoutPort(host)));
  const exact = route.match.find(({ host }) => host !== null && !host.startsWith('*'))?.host;
  const named = asked.host ?? (serves(asked.callHost) ? asked.callHost : (exact ?? asked.callHost));
  const [, name = '', port = ''] = /^(.*?)(:\d+)?$/s.exec(named) ?? [];
  // As requests name it: in ASCII, and without the scheme's default port.
  const host = (canonicalHost(name) ?? name.toLowerCase()) + port.replace(/^:(?:80|443)$/, '');
  if (serves(host)) return { route: route.name, host };
  const detail = `Route ${route.name} does not answer on ${host}.`;
  return refuse(422, 'preview_host', detail, 'name a host that it matches: "host", or --host');
}

/** `to` as a place on this very origin, else `/`. Otherwise `//host`, `/\host` and absolute URLs would make this an open redirect. */
export function samePlace(to: string | undefined, here: URL): string {
  if (to === undefined || !to.startsWith('/')) return '/';
  const target = URL.parse(to, here);
  if (target?.origin !== here.origin) return '/';
  // `/.//host` is resolved to the path `//host`, which as a location would name a host.
  return `${target.pathname.replace(/^\/+/, '/')}${target.search}${target.hash}`;
}
