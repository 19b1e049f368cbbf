const assert = require('node:assert');
let attempt = 0;
describe('cart', function () {
  it('adds', () => {});
  it('fails', () => assert.equal(1, 2));
  it('passes on retry', function () { this.retries(1); attempt += 1; assert.equal(attempt, 2); });
  it.skip('is skipped', () => {});
  it('is still to be written');
  describe('with a broken hook', () => {
    before(() => { throw new Error('no database'); });
    it('never runs', () => {});
  });
});
