import { describe, expect, test } from 'vitest';
let attempt = 0;
describe('cart', () => {
  test('adds', () => {});
  test('fails', () => { expect(1).toBe(2); });
  test('passes on retry', { retry: 1 }, () => { attempt += 1; expect(attempt).toBe(2); });
  test.skip('is skipped', () => {});
  test.todo('is still to be written');
  test.fails('is expected to fail', () => { expect(1).toBe(2); });
});
