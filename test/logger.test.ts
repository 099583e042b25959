import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { AppError } from '../src/errors.ts';
import { createLogger, type LoggerOptions } from '../src/logger.ts';

function logged(
  write: (logger: ReturnType<typeof createLogger>) => void,
  options: LoggerOptions = {},
): string {
  const destination = new PassThrough();
  write(createLogger({ ...options, destination }));
  return String(destination.read() ?? '');
}
const line = (text: string): Record<string, unknown> => JSON.parse(text) as Record<string, unknown>;

describe('the log', () => {
  it('is one JSON object a line, its level by name and its time in ISO 8601', () => {
    const written = line(logged((logger) => logger.info({ partitions: 3 }, 'assigned')));
    expect(written).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      partitions: 3,
      msg: 'assigned',
    });
  });

  it('keeps quiet below its level', () => {
    expect(logged((logger) => logger.info({}, 'hello'), { level: 'warn' })).toBe('');
    expect(logged((logger) => logger.error({}, 'hello'), { level: 'silent' })).toBe('');
  });

  it.each([
    { password: 'hunter2' },
    { kafka: { sasl: { username: 'moderato', password: 'hunter2' } } },
    { config: { registry: { password: 'hunter2' } } },
    { request: { headers: { authorization: 'Bearer hunter2' } } },
    { secrets: { kafkaSaslPassword: 'hunter2' } },
    { err: new Error('GET https://moderato:hunter2@registry:8081/subjects: refused') },
  ])('never holds a secret: %j', (object) => {
    const written = logged((logger) => logger.error(object, 'failed'));
    expect(written).toContain('failed');
    expect(written).toContain('[redacted]');
    expect(written).not.toContain('hunter2');
  });

  it('keeps the code, the disposition and the causes of an error', () => {
    const socket = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
    const error = new AppError('kafka_unavailable', 'joining the group: no broker', {
      cause: socket,
    });
    const { err } = line(logged((logger) => logger.error({ err: error }, 'stopping')));
    expect(err).toMatchObject({
      type: 'AppError',
      code: 'kafka_unavailable',
      disposition: 'fatal',
      message: 'joining the group: no broker',
      stack: expect.stringContaining('logger.test'),
      cause: { type: 'Error', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED' },
    });
  });

  it('keeps every error of an aggregate, and survives a chain of causes that bites its tail', () => {
    const loop = new Error('round');
    loop.cause = loop;
    const { err } = line(
      logged((logger) => logger.error({ err: new AggregateError([loop], 'all failed') }, 'x')),
    );
    expect(err).toMatchObject({ message: 'all failed', errors: [{ message: 'round' }] });
  });

  it('is a readable line when asked', () => {
    const written = logged((logger) => logger.info({ partitions: 3 }, 'assigned'), {
      pretty: true,
    });
    expect(written).toMatch(/INFO.*assigned/);
    expect(() => line(written)).toThrow();
  });
});
