import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../src/errors.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { FakeGroup, joinedGroup } from '../support/fake-group.ts';

let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock();
});

describe('the Kafka source in trouble', () => {
  it('ends its deliveries with the error that its member cannot go on after', async () => {
    const group = new FakeGroup({ clock });
    const pull = group.puller.next();
    const error = new AppError('topic_missing', 'consuming images: there is no such topic');
    group.member.options.handler.onFailure(error);
    await expect(pull).rejects.toBe(error);
    expect(group.source.status().alive).toBe(false);
    await expect(group.puller.next()).resolves.toBeUndefined();
  });

  it('hands out nothing more after that, whatever was fetched', async () => {
    const group = joinedGroup([0], { clock });
    group.member.fetch(0, [0]);
    group.member.options.handler.onFailure(new AppError('kafka_unauthorized', 'consuming: no'));
    await expect(group.puller.next()).rejects.toMatchObject({ code: 'kafka_unauthorized' });
  });

  it('still commits what is resolved after a failure', async () => {
    const group = joinedGroup([0], { clock });
    group.member.fetch(0, [0]);
    const [zero] = await group.puller.take(1);
    group.member.options.handler.onFailure(new AppError('kafka_unavailable', 'consuming: no'));
    zero?.resolve();
    await group.source.close();
    expect(group.member.commits).toEqual(['0@1']);
  });

  it('takes the first end for the end: a failure after stop ends nothing with an error', async () => {
    const group = joinedGroup([0], { clock });
    const pull = group.puller.next();
    await group.source.stop();
    group.member.options.handler.onFailure(new AppError('kafka_unavailable', 'consuming: no'));
    await expect(pull).resolves.toBeUndefined();
    expect(group.source.status()).toMatchObject({ alive: true, paused: true });
  });

  it('stays stopped when its group is rebalanced', async () => {
    const group = joinedGroup([0], { clock });
    void group.puller.next();
    await group.source.stop();
    group.member.assign({ kept: [0] });
    group.member.fetch(0, [0]);
    expect(await group.puller.next()).toBeUndefined();
    expect(group.member.log).toEqual(['run', 'stopFetching']);
  });

  it('can be closed while the broker does not answer', async () => {
    const group = joinedGroup([0], { clock, closeTimeoutMs: 10_000 });
    group.member.answer = () => new Promise(() => undefined);
    group.member.fetch(0, [0, 1]);
    const [zero, one] = await group.puller.take(2);
    zero?.resolve();
    const closed = group.source.close();
    await clock.advance(10_000);
    await closed;
    expect(one?.revoked.aborted).toBe(true);
    expect(clock.sleeping).toBe(0);
  });

  it('can be closed in the middle of a rebalance, and keeps no timer', async () => {
    const group = joinedGroup([0], { clock, revokeDrainMs: 20_000 });
    group.member.fetch(0, [0]);
    await group.puller.take(1);
    const rebalancing = group.member.rebalance();
    await clock.advance(100);
    await group.source.close();
    await rebalancing;
    expect(clock.sleeping).toBe(0);
  });

  it('never joins when it is closed before the first pull', async () => {
    const group = new FakeGroup({ clock });
    await group.source.close();
    expect(await group.puller.next()).toBeUndefined();
    expect(group.member.log).not.toContain('run');
    expect(clock.sleeping).toBe(0);
  });
});
