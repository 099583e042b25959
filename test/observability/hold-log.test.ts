import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import { noLogger } from '../../src/logger.ts';
import { createHoldLog } from '../../src/observability/hold-log.ts';
import { FakeClock } from '../support/fake-clock.ts';

describe('the log of held records', () => {
  it('says an outage once every ten seconds, however many records it holds', async () => {
    const lines: string[] = [];
    const clock = new FakeClock();
    const tell = createHoldLog({ ...noLogger, warn: (_, line) => lines.push(line) }, clock);
    const outage = new AppError('registry_unavailable', 'asking: no answer');
    for (let second = 0; second < 25; second += 1) {
      for (let record = 0; record < 5; record += 1) tell('decode', outage, second + 1);
      await clock.advance(1_000);
    }
    tell('fetch', new AppError('image_store_unavailable', 'fetching: no answer'), 1);
    expect(lines).toEqual([
      'holding records until it is over: registry_unavailable',
      'holding records until it is over: registry_unavailable',
      'holding records until it is over: registry_unavailable',
      'holding records until it is over: image_store_unavailable',
    ]);
  });
});
