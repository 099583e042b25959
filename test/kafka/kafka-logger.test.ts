import { describe, expect, it, jest } from '@jest/globals';
import { logLevel } from 'kafkajs';
import { kafkaLogCreator } from '../../src/kafka/kafka-logger.ts';
import { FakeClock } from '../support/fake-clock.ts';

function recorder() {
  const logger = { debug: jest.fn(), info: jest.fn(), warn: jest.fn(), error: jest.fn() };
  const clock = new FakeClock();
  const write = kafkaLogCreator(logger, clock)(logLevel.INFO);
  const log = (fields: object, level = logLevel.ERROR, namespace = 'Runner'): void =>
    write({
      namespace,
      level,
      label: 'ERROR',
      log: { timestamp: '', message: 'it failed', ...fields },
    });
  return { logger, clock, log };
}

describe("kafkajs' log lines", () => {
  it('are quiet about what is tried again', () => {
    const { logger, log } = recorder();
    log({ retryCount: 0 });
    log({ message: 'b' }, logLevel.ERROR, 'Connection');
    log({ message: 'c' }, logLevel.INFO);
    log({ message: 'The group is rebalancing, re-joining' });
    expect(logger.debug).toHaveBeenCalledTimes(4);
    expect(logger.warn).not.toHaveBeenCalled();
  });

  it('warn when it lasts, and of what is not tried again', () => {
    const { logger, log } = recorder();
    log({ retryCount: 3 });
    log({ message: 'given up' });
    expect(logger.warn.mock.calls).toEqual([
      [{ component: 'kafkajs Runner', retryCount: 3 }, 'it failed'],
      [{ component: 'kafkajs Runner' }, 'given up'],
    ]);
  });

  it('have no stack traces, neither as a field nor in the text', () => {
    const { logger, log } = recorder();
    const error = new Error('first line\nat second (file.js:1:2)');
    log({ stack: 'Error: it failed\n    at file.js:1:2', error });
    log({ message: error });
    expect(logger.warn.mock.calls).toEqual([
      [{ component: 'kafkajs Runner', error: 'first line' }, 'it failed'],
      [{ component: 'kafkajs Runner' }, 'first line'],
    ]);
  });

  it('are written once in 10 s, with the number of those left out', async () => {
    const { logger, clock, log } = recorder();
    for (let i = 0; i < 5; i++) log({ correlationId: i });
    log({ message: 'another' });
    expect(logger.warn).toHaveBeenCalledTimes(2);
    await clock.advance(9_999);
    log({});
    expect(logger.warn).toHaveBeenCalledTimes(2);
    await clock.advance(1);
    log({});
    log({});
    expect(logger.warn).toHaveBeenCalledTimes(3);
    expect(logger.warn).toHaveBeenLastCalledWith(
      { component: 'kafkajs Runner', repeated: 5 },
      'it failed',
    );
  });

  it('are kept apart by broker, and remembered in a bounded number', () => {
    const { logger, log } = recorder();
    for (let i = 0; i < 1_000; i++) log({ broker: `kafka-${i}:9092` });
    log({ broker: 'kafka-999:9092' });
    log({ broker: 'kafka-0:9092' }); // forgotten, so written again
    expect(logger.warn).toHaveBeenCalledTimes(1_001);
  });

  it.each([
    {
      message:
        "Crash: KafkaJSProtocolError: The coordinator is loading and hence can't process requests",
    },
    { message: 'Failed to find group coordinator' },
    {
      message: 'Response JoinGroup(key: 11, version: 5)',
      error: 'This is not the correct coordinator',
    },
    {
      message: 'Failed',
      error: 'There is no leader for this topic-partition as we are in the middle of',
    },
  ])('say what is waited for in place of $message', (fields) => {
    const { logger, log } = recorder();
    log({ ...fields, stack: 'at x' });
    expect(logger.warn.mock.calls).toEqual([
      [{ component: 'kafkajs Runner' }, expect.stringMatching(/^waiting for [^\n]{1,60}$/)],
    ]);
  });

  it('of kafkajs as a whole have no namespace', () => {
    const { logger, log } = recorder();
    log({}, logLevel.WARN, '');
    expect(logger.warn).toHaveBeenCalledWith({ component: 'kafkajs' }, 'it failed');
  });
});
