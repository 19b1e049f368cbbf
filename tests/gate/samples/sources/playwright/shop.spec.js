const { test, expect } = require('@playwright/test');
test.describe('cart', () => {
  test('adds', async () => {});
  test('fails', async () => { expect(1).toBe(2); });
  test('passes on retry', async ({}, info) => { expect(info.retry).toBe(1); });
  test.skip('is skipped', async () => {});
  test('is expected to fail', async () => { test.fail(); expect(1).toBe(2); });
  test('times out', async () => { test.setTimeout(200); await new Promise(() => {}); });
});
