/** Owns what a first config looks like for a given URL. Pure: it asks nobody and writes nothing. */

import { isLoopback } from './connection.ts';

/** Calls of a model that answers, where only their prefix is named. */
const answering = ['chat/completions', 'completions', 'responses', 'messages'];
/**
 * Calls that run a model, of OpenAI and those who speak like it, Anthropic, Ollama, Cohere and Gemini; sending one twice changes nothing
 * but the bill.
 */
const modelCalls =
  /\/(chat\/completions|completions|responses|(?<=\/v1\/)messages|embeddings|(?<=\/v2\/)(?:chat|embed|rerank)|models\/[^/:]+:(?:generateContent|streamGenerateContent|embedContent|countTokens))\/?$/;
/** Ollama's; an application's own endpoint may be called so as well, and must not be asked twice. */
const ollamaCalls = /\/api\/(chat|generate|embed)\/?$/;
/** Hosts that serve nothing but models, with the prefix that their clients put before each call. */
const modelHosts: Record<string, string> = {
  'api.openai.com': '/v1',
  'api.anthropic.com': '/v1',
  'api.deepseek.com': '',
};

/** The prefix of a model's calls, where the URL names that alone. */
function modelPrefix({ hostname, pathname }: URL): string | null {
  if (pathname === '/') return modelHosts[hostname] ?? null;
  return /\/(v1|v1beta\/openai)\/?$/.test(pathname) ? pathname.replace(/\/+$/, '') : null;
}

/** Whether the URL is that of a model's API, of which clients use several calls under one prefix. */
export function looksLikeModel(url: URL): boolean {
  return callIn(url) !== null || modelPrefix(url) !== null;
}

/** The call that the path ends with, and where it begins; null where it is none of a model. */
function callIn({ port, pathname }: URL): RegExpExecArray | null {
  return modelCalls.exec(pathname) ?? (port === '11434' ? ollamaCalls.exec(pathname) : null);
}

/** Where the path chooses the model, and the body's `model` says nothing. */
const azureDeployment = /\/openai\/deployments\/[^/]+\//;

/**
 * How a model is asked at this URL: the header that bears its key with the key's place, whether the path names the model, and the preset
 * that compares its answers.
 */
export function waysOf(url: URL): { keyHeader: string; keyValue: string; isInPath: boolean; preset: string | null } {
  const isAzure = azureDeployment.test(url.pathname);
  const call = callIn(url)?.[1] ?? '';
  const isAnthropic = call === 'messages' || url.hostname === 'api.anthropic.com';
  const preset = isAnthropic ? 'anthropic-messages' : call === 'responses' ? 'openai-responses' : 'openai-chat';
  const isKnown = call === '' || /^(chat\/completions|completions|responses|messages)$/.test(call);
  const key = `\${KEY_MODELS}`;
  const isGemini = call.includes(':');
  const keyHeader = isAnthropic ? 'x-api-key' : isGemini ? 'x-goog-api-key' : isAzure ? 'api-key' : 'authorization';
  const keyValue = keyHeader === 'authorization' ? `Bearer ${key}` : key;
  return { keyHeader, keyValue, isInPath: isGemini || isAzure, preset: isKnown ? preset : null };
}

interface FirstConfig {
  url: URL;
  name: string | undefined;
  /** The host that visitors call. */
  host: string | undefined;
  /** Where the JSON Schema lies, for editors. */
  schema: string | undefined;
}

/** Two versions of the same endpoint, everything on the first; a model's other calls go by it too. */
export function firstConfig({ url, name, host, schema }: FirstConfig) {
  const model = looksLikeModel(url);
  // A loopback address is where the endpoint runs today, not what visitors will call.
  const visitorHost = host ?? (isLoopback(url.hostname) ? undefined : url.hostname);
  const path = url.pathname.replace(/\/+$/, '');
  const alone = modelPrefix(url);
  const named = callIn(url);
  const prefix = alone ?? (named === null ? path : path.slice(0, -(named[1]!.length + 1)));
  // Any other endpoint is its own path and what lies below it.
  const others = prefix === '' ? ['/*'] : [prefix, `${prefix}/*`];
  const calls = alone === null ? callsAt(path, url.pathname) : answering.map((call) => `${prefix}/${call}`);
  const at = (paths: string[]) => paths.map((one) => ({ ...(visitorHost ? { host: visitorHost } : {}), path: one }));
  const routeName = name ?? nameOf(url);
  // What else its clients call below that prefix makes jobs and files, which a copy would make twice, or is of no model.
  const rest = {
    name: `${routeName.slice(0, 27)}-rest`,
    match: at([`${prefix}/*`]),
    variants: { blue: { url: url.origin } },
  };
  return {
    ...(schema ? { $schema: schema } : {}),
    version: 1,
    routes: [
      {
        name: routeName,
        match: at(model ? calls : others),
        variants: { blue: { url: url.origin }, green: { url: url.origin } },
        baseline: 'blue',
        weights: { blue: 100, green: 0 },
        ...(model
          ? { identity: [{ header: 'x-user-id' }, { cookie: true }], repeatable: ['GET', 'HEAD', 'POST'] }
          : {}),
      },
      ...(model ? [rest] : []),
    ],
  };
}

/** The call that is named, as it is written; Gemini's has another name where it streams. */
function callsAt(path: string, written: string): string[] {
  const stem = /^(.*:)(?:generateContent|streamGenerateContent)$/.exec(path)?.[1];
  return stem ? [`${stem}generateContent`, `${stem}streamGenerateContent`] : [...new Set([path, written])];
}

/** The last word of the path that tells what is served, as far as a name may hold it. */
function nameOf({ pathname }: URL): string {
  const words = pathname.toLowerCase().split('/');
  const telling = words.filter((word) => /[a-z]/.test(word) && !/^v\d+$/.test(word) && word !== 'completions');
  const name = (telling.at(-1) ?? '')
    .replace(/[^a-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 32);
  return name || 'api';
}
