import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from './client.ts';
import { ADMIN_TOKEN, type Headgate, type Origin, startHeadgate, startOrigin } from './harness.ts';
import { account, comparisonsOf, exchange, steady } from './shadow-world.ts';

let headgate: Headgate;
let model: Origin;
let sent = 0;

beforeAll(async () => {
  model = await startOrigin();
  const variants = { blue: { url: model.url }, green: { url: model.url } };
  headgate = await startHeadgate({
    entry:
      "export * from './test/worker/faulty-controller.ts'; export { default } from './test/worker/faulty-controller.ts';",
    config: { version: 1, routes: [steady('main', { variants, shadows: [{ variant: 'green', repeat: 0 }] })] },
  });
});

afterAll(async () => {
  await headgate.dispose();
  await model.close();
});

async function tell(fault?: string): Promise<number> {
  const response = await fetch(`${headgate.url}/__controller${fault === undefined ? '' : `?fault=${fault}`}`);
  return ((await response.json()) as { failed: number }).failed;
}

describe('a controller that fails', () => {
  it.each(['down', 'binding', 'lost'])('costs no visitor an answer and no pair its count: %s', async (fault) => {
    const before = await tell(fault);
    for (let i = 0; i < 10; i++) {
      sent++;
      expect(await exchange(`${headgate.url}/main/a`)).toMatchObject({ status: 200, text: 'ok' });
    }
    await until(
      () => tell(),
      (failed) => failed > before + 1,
    );
    await tell('none');
    // The batch is sent again by itself.
    const answer = await comparisonsOf(headgate, 'main', sent);
    expect(account(answer)).toEqual({ eligible: sent, compared: sent, accounted: sent });
    expect(answer.classes.match).toBe(sent);
  });

  it('hides no route from the list, and says of a call that it is down', async () => {
    const ask = async (path: string) => {
      const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
      const response = await fetch(`${headgate.url}/_headgate/api/routes${path}`, { headers });
      // biome-ignore lint/suspicious/noExplicitAny: answers are looked at by path
      return { status: response.status, body: (await response.json()) as any };
    };
    const { body: before } = await ask('');
    expect(before.routes).toMatchObject([{ name: 'main', inForce: { source: 'config' } }]);
    await tell('silent');
    const { inForce, byHand } = before.routes[0];
    const warnings = ['its controller does not answer'];
    expect(await ask('')).toMatchObject({
      status: 200,
      body: { routes: [{ name: 'main', inForce, byHand, live: {}, rollout: null, warnings }] },
    });
    expect(await ask('/main')).toMatchObject({ status: 503, body: { code: 'controller_down' } });
    await tell('none');
    expect((await ask('/main')).status).toBe(200);
  });
});
