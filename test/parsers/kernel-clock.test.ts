import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KernelClock } from '../../parsers/kernel-clock.ts';

const S = 1_000_000;
const BOOT = 1_788_460_608 * S + 400_000;

/** A log daemon that writes seconds: what it reads live, and what it writes again from the ring. */
class Daemon {
  clock = new KernelClock();

  /** A line that is written `lateUs` after the kernel stamped it. */
  live(stampUs: number, hash = stampUs | 0, lateUs = 50, bootUs = BOOT): number {
    return this.at(stampUs, bootUs + stampUs + lateUs, hash);
  }

  at(stampUs: number, wallUs: number, hash = stampUs | 0): number {
    return this.clock.read(stampUs, Math.floor(wallUs / S) * S, S, hash);
  }

  /** The agent restarts. @param bootUs when the kernel started, as the agent then knows it */
  restart(bootUs?: number): void {
    this.clock = new KernelClock(JSON.parse(JSON.stringify(this.clock.save())), bootUs);
  }
}

describe('event times', () => {
  it('have the distances of the stamps, and are less than a second early', () => {
    const stamps = fc.array(fc.integer({ min: 1, max: 30 * S }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(stamps, fc.nat(S), (gaps, from) => {
        const daemon = new Daemon();
        let stampUs = 100 * S + from;
        const first = daemon.live(stampUs);
        const offset = first - stampUs;
        expect(BOOT - offset).toBeGreaterThanOrEqual(-50);
        expect(BOOT - offset).toBeLessThan(S);
        for (const gap of gaps) {
          stampUs += gap;
          expect(daemon.live(stampUs)).toBe(offset + stampUs);
        }
      }),
    );
  });

  it('are the events’ own while the daemon stalls', () => {
    const daemon = new Daemon();
    const offset = daemon.live(100 * S) - 100 * S;
    for (let second = 101; second < 140; second++) {
      expect(daemon.at(second * S, BOOT + 140 * S)).toBe(offset + second * S);
    }
    expect(daemon.live(141 * S)).toBe(offset + 141 * S);
  });

  it('follow a wall clock that was set forward, and one that was set back', () => {
    const daemon = new Daemon();
    daemon.live(100 * S);
    for (let second = 101; second < 120; second++) daemon.live(second * S, second, 50, BOOT + 3600 * S);
    expect(Math.abs(daemon.live(120 * S, 1, 50, BOOT + 3600 * S) - (BOOT + 3720 * S))).toBeLessThan(S);
    expect(Math.abs(daemon.live(121 * S, 1, 50, BOOT - 60 * S) - (BOOT + 61 * S))).toBeLessThan(S);
  });

  it('keep up with a kernel clock that is slow by 100 ppm', () => {
    const daemon = new Daemon();
    for (let hour = 0; hour < 200; hour++) {
      for (let line = 0; line < 20; line++) {
        const elapsed = hour * 3600 * S + line * 2 * S;
        const wall = BOOT + elapsed;
        const stamp = Math.floor(elapsed * 0.9999) + S;
        expect(Math.abs(daemon.at(stamp, wall) - wall)).toBeLessThan(3 * S);
      }
    }
  });
});

describe('a daemon that restarts and writes the ring again', () => {
  const stamps = Array.from({ length: 1300 }, (_, i) => 1000 * S + i * 100_003);

  function readAll(daemon: Daemon, list = stamps): void {
    for (const stamp of list) expect(daemon.live(stamp)).not.toBeNaN();
  }

  it.each([0.1, 10, 3600, 90 * 86_400])(
    '%d s later gives no line twice and loses none of its own',
    (seconds) => {
      const daemon = new Daemon();
      readAll(daemon);
      const now = BOOT + stamps.at(-1)! + seconds * S;
      for (const stamp of stamps) expect(daemon.at(stamp, now)).toBeNaN();
      expect(daemon.at(stamps.at(-1)! + 1, now)).not.toBeNaN();
      for (const stamp of stamps) expect(daemon.at(stamp, now + 5 * S)).toBeNaN();
    },
  );

  it('is seen through after the agent restarted too', () => {
    const daemon = new Daemon();
    readAll(daemon);
    daemon.restart();
    const now = BOOT + stamps.at(-1)! + 20 * S;
    for (const stamp of stamps) expect(daemon.at(stamp, now)).toBeNaN();
    expect(daemon.at(stamps.at(-1)! + 7, now)).not.toBeNaN();
  });

  it('is seen through after the agent restarted and the node was quiet for longer than its uptime', () => {
    const daemon = new Daemon();
    readAll(daemon);
    daemon.restart(BOOT);
    const now = BOOT + stamps.at(-1)! + 90 * 86_400 * S;
    for (const stamp of stamps) expect(daemon.at(stamp, now)).toBeNaN();
  });

  it('is seen through when the ring holds more than the memory', () => {
    const daemon = new Daemon();
    const many = Array.from({ length: 50_000 }, (_, i) => 1000 * S + i * 20_011);
    readAll(daemon, many);
    const now = BOOT + many.at(-1)! + 20 * S;
    for (const stamp of many) expect(daemon.at(stamp, now)).toBeNaN();
  });

  it('gives the lines that were never read, with the times of their events', () => {
    const daemon = new Daemon();
    const offset = daemon.live(stamps[700]!) - stamps[700]!;
    readAll(daemon, stamps.slice(701));
    const now = BOOT + stamps.at(-1)! + 60 * S;
    for (const stamp of stamps.slice(0, 700)) expect(daemon.at(stamp, now)).toBe(offset + stamp);
    for (const stamp of stamps.slice(700)) expect(daemon.at(stamp, now)).toBeNaN();
    for (const stamp of stamps.slice(0, 700)) expect(daemon.at(stamp, now)).toBeNaN();
  });
});

describe('new lines', () => {
  it('may share a stamp', () => {
    const daemon = new Daemon();
    expect(daemon.live(100 * S, 1)).not.toBeNaN();
    expect(daemon.live(100 * S, 2)).not.toBeNaN();
    expect(daemon.live(100 * S, 1)).toBeNaN();
    expect(daemon.live(100 * S, 2)).toBeNaN();
  });

  it('may come in another order than their stamps, also from before a restart of the agent', () => {
    const daemon = new Daemon();
    for (let i = 0; i < 1000; i++) {
      const stamp = 100 * S + i * 1000;
      expect(daemon.live(stamp + 500)).not.toBeNaN();
      if (i % 100 === 50) daemon.restart();
      expect(daemon.live(stamp)).not.toBeNaN();
    }
  });

  it('of the next boot are new, whatever their stamps', () => {
    const daemon = new Daemon();
    for (let second = 10; second < 500; second++) daemon.live(second * S);
    // The node was down for a minute; the daemon starts 12 s after the kernel and writes the ring.
    const boot = BOOT + 560 * S;
    for (let second = 3; second < 12; second++) {
      const time = daemon.at(second * S, boot + 12 * S, -second);
      expect(time).not.toBeNaN();
      expect(Math.abs(time - (boot + 12 * S))).toBeLessThanOrEqual(S);
    }
    for (let second = 13; second < 700; second++) {
      const time = daemon.live(second * S, -second, 50, boot);
      expect(Math.abs(time - (boot + second * S))).toBeLessThan(1.1 * S);
    }
  });

  it('of the next boot are new after a restart of the agent too', () => {
    const daemon = new Daemon();
    for (let second = 10; second < 500; second++) daemon.live(second * S);
    daemon.restart();
    const boot = BOOT + 530 * S;
    for (let second = 20; second < 700; second++) {
      expect(daemon.live(second * S, -second, 50, boot)).not.toBeNaN();
    }
  });

  it('of the next boot are new after a restart of the agent that knows when it started', () => {
    const daemon = new Daemon();
    for (let second = 10; second < 500; second++) daemon.live(second * S);
    const boot = BOOT + 530 * S;
    daemon.restart(boot);
    // What was left unread of the old boot, then lines with stamps of the old boot's range and above.
    expect(daemon.live(499 * S + 1)).not.toBeNaN();
    for (let second = 490; second < 700; second++) {
      const time = daemon.live(second * S, -second, 50, boot);
      expect(Math.abs(time - (boot + second * S))).toBeLessThan(1.1 * S);
    }
    for (let second = 490; second < 700; second++) {
      expect(daemon.at(second * S, boot + 9000 * S, -second)).toBeNaN();
    }
  });

  it('in a second file that is behind the first are new, and those in both are told', () => {
    const daemon = new Daemon();
    for (let second = 100; second < 200; second++) daemon.live(second * S, 1);
    for (let second = 100; second < 200; second++) expect(daemon.live(second * S, 2)).not.toBeNaN();
    for (let second = 100; second < 200; second++) expect(daemon.live(second * S, 1)).toBeNaN();
  });
});
