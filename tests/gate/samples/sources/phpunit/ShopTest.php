<?php
use PHPUnit\Framework\TestCase;

final class ShopTest extends TestCase
{
    public function testAdds(): void { $this->assertTrue(true); }
    public function testFails(): void { $this->assertSame(1, 2); }
    public function testRaises(): void { throw new RuntimeException('no database'); }
    public function testSkipped(): void { $this->markTestSkipped('not today'); }
    public function testIncomplete(): void { $this->markTestIncomplete('not yet'); }
    public function testRisky(): void {}
    /** @dataProvider counts */
    public function testCounts(int $count): void { $this->assertGreaterThan(0, $count); }
    public static function counts(): array { return [[1], [2], 'none' => [0]]; }
}
