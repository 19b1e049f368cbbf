jest.retryTimes(1);
let attempt = 0;
describe('cart', () => {
  test('adds', () => {});
  test('fails', () => { expect(1).toBe(2); });
  test('passes on retry', () => { attempt += 1; expect(attempt).toBe(2); });
  test.skip('is skipped', () => {});
  test.todo('is still to be written');
  test('has a twin', () => {});
  test('has a twin', () => { throw new Error('the twin fails'); });
});
