import { describe, expect, it } from '@jest/globals';
import { SoloRuns } from '../../src/consumers/solo-runs.ts';
import { formatNote } from '../../src/consumers/suspects.ts';
import { keyOf, type TopicPartition } from '../../src/kafka/by-topic.ts';
import type { KafkaRecord } from '../../src/kafka/record.ts';
import { aRecord } from '../support/builders.ts';

const TOPIC = 'images';

const at = (partition: number, topic = TOPIC): TopicPartition => ({ topic, partition });
const record = (partition: number, offset: number, topic = TOPIC): KafkaRecord =>
  aRecord({ topic, partition, offset });

function noteOf(...offsets: number[]): string {
  return formatNote({
    suspects: offsets.map((offset) => ({ offset, deaths: 2, alone: 1 })),
    fault: 'heap out of memory',
  });
}

/** Which of `heads`, one for each partition, may be handed out. */
function allowed(solo: SoloRuns, active: number, heads: readonly KafkaRecord[]): string[] {
  const gate = solo.gate(active, (place) => heads.find((each) => keyOf(each) === keyOf(place)));
  return heads.filter(gate).map(({ partition, offset }) => `${partition}/${offset}`);
}

describe('solo runs', () => {
  it('let everything through while there is no suspect', () => {
    const solo = new SoloRuns();
    solo.open(at(0), '');
    solo.open(at(1), 'metadata of other software');
    expect(allowed(solo, 9, [record(0, 1), record(1, 1)])).toEqual(['0/1', '1/1']);
    expect(solo.begin(record(0, 1))).toBeUndefined();
    expect(solo.note(at(0))).toBe('');
  });

  it('go on as usual until a suspect is the next record of its partition', () => {
    const solo = new SoloRuns();
    solo.open(at(0), noteOf(5));
    expect(allowed(solo, 3, [record(0, 4), record(1, 0)])).toEqual(['0/4', '1/0']);
  });

  it('hand out a suspect when nothing else is at work, and nothing beside it', () => {
    const solo = new SoloRuns();
    solo.open(at(0), noteOf(5));
    const heads = [record(0, 5), record(1, 0)];
    expect(allowed(solo, 1, heads)).toEqual([]);
    expect(allowed(solo, 0, heads)).toEqual(['0/5']);
    const suspect = heads[0] as KafkaRecord;
    expect(solo.begin(suspect)).toEqual({ deaths: 2, alone: 1, fault: 'heap out of memory' });
    expect(allowed(solo, 1, [record(0, 6), record(1, 0)])).toEqual([]);
    solo.end(suspect);
    expect(allowed(solo, 0, [record(0, 6), record(1, 0)])).toEqual(['0/6', '1/0']);
  });

  it('take suspects one after the other, also those of different partitions', () => {
    const solo = new SoloRuns();
    solo.open(at(0), noteOf(5));
    solo.open(at(1), noteOf(8));
    const [first, second] = [record(0, 5), record(1, 8)];
    solo.begin(first);
    expect(allowed(solo, 1, [record(0, 6), second])).toEqual([]);
    solo.end(first);
    expect(allowed(solo, 0, [record(0, 6), second])).toEqual(['1/8']);
  });

  it('tell partitions of the same number in different topics apart', () => {
    const solo = new SoloRuns();
    solo.open(at(0), noteOf(5));
    const [suspect, other] = [record(0, 5), record(0, 5, 'rescan')];
    expect(allowed(solo, 0, [other])).toEqual(['0/5']); // not held up: the suspect is not there yet
    expect(solo.begin(other)).toBeUndefined();
    solo.end(other);
    expect(solo.note(at(0, 'rescan'))).toBe('');
    expect(solo.begin(suspect)).toMatchObject({ deaths: 2 });
    solo.close(at(0, 'rescan'));
    expect(allowed(solo, 1, [other])).toEqual([]); // the suspect runs alone over all lanes
    solo.accuse([other], { isAlone: false, fault: 'again' });
    expect(solo.note(at(0))).toBe(noteOf(5));
  });

  it('forget a suspect that is resolved: it is in no note any more', () => {
    const solo = new SoloRuns();
    solo.open(at(0), noteOf(5, 6));
    const five = record(0, 5);
    solo.begin(five);
    expect(solo.note(at(0))).toBe(noteOf(5, 6));
    solo.end(five);
    expect(solo.note(at(0))).toBe(noteOf(6));
    solo.end(record(0, 6));
    expect(solo.note(at(0))).toBe('');
  });

  it('count one more death for those that are accused', () => {
    const solo = new SoloRuns();
    solo.open(at(0), noteOf(5));
    solo.accuse([record(0, 5)], { isAlone: true, fault: 'again' });
    solo.accuse([record(1, 2), record(1, 3)], { isAlone: false, fault: 'again' });
    expect(solo.begin(record(0, 5))).toEqual({ deaths: 3, alone: 2, fault: 'again' });
    solo.close(at(0));
    expect(solo.begin(record(1, 3))).toEqual({ deaths: 1, alone: 0, fault: 'again' });
  });

  it('hold up nothing for a partition that is gone, nor for a suspect that ran there', () => {
    const solo = new SoloRuns();
    solo.open(at(0), noteOf(5));
    solo.begin(record(0, 5));
    expect(allowed(solo, 1, [record(1, 0)])).toEqual([]);
    solo.close(at(0));
    expect(allowed(solo, 0, [record(1, 0)])).toEqual(['1/0']);
  });
});
