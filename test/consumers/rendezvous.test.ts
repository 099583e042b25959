import { describe, expect, it } from '@jest/globals';
import { Rendezvous } from '../../src/consumers/rendezvous.ts';

describe('a rendezvous', () => {
  it('gives to whoever has waited longest', async () => {
    const meeting = new Rendezvous<string>();
    const [first, second] = [meeting.take(), meeting.take()];
    meeting.give('a');
    expect(meeting.isWanted()).toBe(true);
    meeting.give('b');
    expect(await Promise.all([first, second])).toEqual(['a', 'b']);
    expect(meeting.isWanted()).toBe(false);
  });

  it('keeps nothing for later', () => {
    expect(() => new Rendezvous<string>().give('a')).toThrow('nobody waits');
  });

  it('tells the giver when somebody comes, is gone for good, or may have changed the world', async () => {
    const meeting = new Rendezvous<string>();
    const told = meeting.whenWanted();
    void meeting.take();
    await told;
    await meeting.whenWanted();
    meeting.give('a');

    const nudged = meeting.whenWanted();
    meeting.nudge();
    await nudged;
    expect(meeting.isWanted()).toBe(false);

    const ended = meeting.whenWanted();
    meeting.close();
    await ended;
  });

  it('ends for those who wait and those who come later; the first end counts', async () => {
    const meeting = new Rendezvous<string>();
    const waiting = meeting.take();
    meeting.fail(new Error('gone'));
    meeting.close();
    await expect(waiting).rejects.toThrow('gone');
    await expect(meeting.take()).rejects.toThrow('gone');

    const closed = new Rendezvous<string>();
    const last = closed.take();
    closed.close();
    expect([await last, await closed.take()]).toEqual([undefined, undefined]);
  });
});
