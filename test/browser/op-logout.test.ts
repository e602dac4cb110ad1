import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import helmet from 'helmet';
import type { Page } from 'playwright-core';
import { startCertifiedFlow } from '../support/certified-flow.ts';
import { type Chromium, startChromium } from '../support/chromium.ts';
import { startFlow } from '../support/flow.ts';
import { describeWithParts } from '../support/parts.ts';

describeWithParts(['chromium'], 'in Chromium, a logout that begins at the OP', () => {
  let chromium: Chromium;
  const closing: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    chromium = await startChromium({});
  }, 60_000);
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  afterAll(() => chromium.close());

  async function openPage(): Promise<Page> {
    const context = await chromium.browser.newContext();
    closing.unshift(() => context.close());
    return context.newPage();
  }

  it("ends the application's session by the back channel of a certified OP", async () => {
    const flow = await startCertifiedFlow({ oidc: { backchannelLogout: true } });
    closing.push(flow.close);
    const page = await openPage();
    await page.goto(`${flow.baseUrl}/profile`);
    await page.waitForURL(`${flow.baseUrl}/profile`);
    await page.goto(flow.baseUrl);
    expect(await page.textContent('body')).toBe('{"sub":"ada"}');
    await page.goto(`${flow.op.issuer}/session/end`);
    await page.waitForURL(/\/session\/end\/success/);
    await page.goto(flow.baseUrl);
    expect(await page.textContent('body')).toBe('{"sub":null}');
  }, 60_000);

  it("ends it by a frame in the OP's page, which brings no cookie, under a default helmet", async () => {
    const flow = await startFlow({
      oidc: { frontchannelLogout: true },
      before: (app) => app.use(helmet()),
    });
    closing.push(flow.close);
    flow.op.claims = { sid: 'of the OP' };
    const page = await openPage();
    await page.goto(`${flow.baseUrl}/private`);
    await page.waitForURL(`${flow.baseUrl}/private`);
    const query = new URLSearchParams({ iss: flow.op.issuer, sid: 'of the OP' });
    const uri = encodeURIComponent(`${flow.baseUrl}/frontchannel-logout?${query}`);
    const framed = page.waitForRequest(/frontchannel-logout/);
    await page.goto(`${flow.op.issuer}/frame?uri=${uri}`);
    expect(await (await framed).headerValue('cookie')).toBeNull();
    expect(await page.frames()[1]?.title()).toBe('Signed out');
    await page.goto(flow.baseUrl);
    expect(await page.textContent('body')).toContain('"claims":null');
  }, 60_000);
});
