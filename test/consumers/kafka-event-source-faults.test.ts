import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeKafka, joinedSource, openSource, protocolError } from '../support/fake-kafka.ts';

let clock: FakeClock;
let broker: FakeKafka;

beforeEach(() => {
  clock = new FakeClock();
  broker = new FakeKafka();
});

describe('the Kafka source in trouble', () => {
  it('says what to do when the topic is missing, and does not try on', async () => {
    broker.topics = ['other'];
    const puller = openSource(broker, { clock });
    await expect(puller.next()).rejects.toMatchObject({
      code: 'topic_missing',
      message: expect.stringContaining('moderato topics create') as unknown,
    });
    expect(broker.consumerMade).toBeUndefined();
    expect(puller.source.status().alive).toBe(false);
  });

  it('lets kafkajs start again after a crash that may pass', async () => {
    const { consumer } = await joinedSource(broker, [0], { clock });
    const restart = consumer.config.retry?.restartOnFailure;
    const crash = protocolError('REQUEST_TIMED_OUT');
    expect([await restart?.(crash), await restart?.(crash)]).toEqual([true, true]);
    consumer.emit('HEARTBEAT');
    expect(await restart?.(crash)).toBe(true);
  });

  it('gives up when it crashes again and again', async () => {
    const { puller, pull, consumer } = await joinedSource(broker, [0], { clock });
    const restart = consumer.config.retry?.restartOnFailure;
    const error = protocolError('REQUEST_TIMED_OUT');
    expect([await restart?.(error), await restart?.(error), await restart?.(error)]).toEqual([
      true,
      true,
      false,
    ]);
    consumer.emit('CRASH', { error, restart: false });
    await expect(pull).rejects.toMatchObject({ code: 'consumer_crashed', cause: error });
    expect(puller.source.status().alive).toBe(false);
    await expect(puller.next()).resolves.toBeUndefined();
  });

  it.each([
    ['UNKNOWN_TOPIC_OR_PARTITION', 'topic_missing'],
    ['TOPIC_AUTHORIZATION_FAILED', 'kafka_unauthorized'],
    ['GROUP_AUTHORIZATION_FAILED', 'kafka_unauthorized'],
  ])('does not start again after %s: %s', async (type, code) => {
    const { pull, consumer } = await joinedSource(broker, [0], { clock });
    const error = protocolError(type);
    expect(await consumer.config.retry?.restartOnFailure?.(error)).toBe(false);
    consumer.emit('CRASH', { error, restart: false });
    await expect(pull).rejects.toMatchObject({ code, cause: error });
  });

  it('calls an error nobody foresaw a crash', async () => {
    const { pull, consumer } = await joinedSource(broker, [0], { clock });
    consumer.emit('CRASH', { error: new TypeError('x is not a function'), restart: false });
    await expect(pull).rejects.toMatchObject({ code: 'consumer_crashed' });
  });

  it('stays paused when it was stopped and kafkajs starts again', async () => {
    const { puller, consumer } = await joinedSource(broker, [0], { clock });
    await puller.source.stop();
    consumer.emit('STOP');
    consumer.join('images', [0]);
    expect(consumer.log).toEqual(['pause', 'pause']);
  });

  it('can be stopped and closed while the broker does not answer', async () => {
    broker.answer = new Promise(() => undefined);
    const puller = openSource(broker, { clock, closeTimeoutMs: 10_000 });
    const pull = puller.next();
    await puller.source.stop();
    expect(await pull).toBeUndefined();
    const closed = puller.source.close();
    await clock.advance(10_000);
    await closed;
  });

  it('never connects when it is closed before the first pull', async () => {
    const puller = openSource(broker, { clock });
    await puller.source.close();
    expect(await puller.next()).toBeUndefined();
    expect(broker.consumerMade).toBeUndefined();
  });
});
