import { describe, expect, it } from '@jest/globals';
import { lanesAskedAbout, positionInLanes } from '../../src/cli/lanes-asked-about.ts';
import { lanesOf } from '../../src/lane.ts';

const one = { input: lanesOf('images') };
const several = { input: lanesOf([{ topic: 'uploads', weight: 8 }, { topic: 'rescan' }]) };

describe('a command about lanes', () => {
  it('is about all of them, or the one that --topic names', () => {
    expect(lanesAskedAbout(several, undefined)).toEqual(['uploads', 'rescan']);
    expect(lanesAskedAbout(several, 'rescan')).toEqual(['rescan']);
    expect(() => lanesAskedAbout(several, 'verdicts')).toThrow(
      'verdicts is no lane of topics.input; the lanes: uploads, rescan',
    );
  });

  it('finds the record that a position names, with its topic or, in one lane, without', () => {
    expect(positionInLanes('0/42', one)).toEqual({ topic: 'images', partition: 0, offset: 42 });
    const position = { topic: 'rescan', partition: 3, offset: 7 };
    expect(positionInLanes('rescan/3/7', several)).toEqual(position);
  });

  it.each([
    [
      '0/42',
      several,
      '0/42 could be in any of uploads, rescan: name the topic, such as uploads/0/42',
    ],
    ['verdicts/0/42', several, 'verdicts is no lane of topics.input; the lanes: uploads, rescan'],
    ['42', one, '42 is no position in an input topic'],
    ['images/0/-1', one, 'images/0/-1 is no position in an input topic'],
  ])('does not guess what %s means', (text, topics, message) => {
    expect(() => positionInLanes(text, topics)).toThrow(message);
    expect(() => positionInLanes(text, topics)).toThrow(expect.objectContaining({ code: 'usage' }));
  });
});
