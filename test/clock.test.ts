import { systemClock } from '../src/clock.ts';
import { describeClock } from './support/clock-conformance.ts';
import { FakeClock } from './support/fake-clock.ts';

describeClock('the system clock', () => ({
  clock: systemClock,
  pass: (ms) => systemClock.sleep(ms),
}));

describeClock('the clock of the tests', () => {
  const clock = new FakeClock();
  return { clock, pass: (ms) => clock.advance(ms) };
});
