/** Values that say they are Avro. */
import type { Dice } from '../../fuzz/dice.ts';
import { CONTRACTS } from '../../src/events/schemas.ts';
import { confluent } from '../../test/support/memory-schema-registry.ts';
import type { Draft, Expected, Kind, Scene } from '../kind.ts';
import { BROKEN_ID, SCHEMA_IDS } from '../registry.ts';
import { avroEvent } from './good.ts';

const kind = (
  name: string,
  expected: Expected,
  draw: (dice: Dice, scene: Scene) => Partial<Draft>,
  weight = 2,
): Kind => ({ name: `avro: ${name}`, expected, weight, draw });

const SINGLE_OBJECT = Buffer.from([0xc3, 0x01]);
/** 2^40 as a count, and a length. */
const HUGE = Buffer.from('808080808040', 'hex');
const { 'image event': OURS, ...BAD_IDS } = SCHEMA_IDS;

function changed(dice: Dice, value: Buffer): Buffer {
  const copy = Buffer.from(value);
  for (let times = dice.int(1, 6); times > 0; times -= 1) {
    copy[dice.int(0, copy.length - 1)] = dice.int(0, 255);
  }
  return copy;
}

export const AVRO_VALUES: Kind[] = [
  kind('unknown fingerprint', 'dead-letter', (dice) => ({
    value: Buffer.concat([SINGLE_OBJECT, dice.bytes(8), dice.bytes(dice.int(0, 100))]),
  })),
  kind('prefix and no more', 'dead-letter', (dice) => ({
    value: dice.pick([
      SINGLE_OBJECT,
      Buffer.from([0]),
      Buffer.from([1, 2]),
      Buffer.from([0, 0, 0, 0, 1]),
    ]),
  })),
  kind('id 0 or below', 'dead-letter', (dice) => ({
    value: confluent(dice.pick([0, -1, -(2 ** 31)]), dice.bytes(40)),
  })),
  kind('GUID of nobody', 'dead-letter', (dice) => ({
    value: Buffer.concat([Buffer.from([1]), dice.bytes(16), dice.bytes(20)]),
  })),
  kind('id that the registry does not know', 'dead-letter', (dice) => ({
    value: confluent(dice.int(1_000, 2 ** 31 - 1), dice.bytes(30)),
  })),
  ...Object.entries(BAD_IDS).map(([name, id]) =>
    kind(
      `schema ${name}`,
      'dead-letter',
      (dice, scene) => ({ value: confluent(id, avroEvent(dice, scene)) }),
      1,
    ),
  ),
  kind(
    'id at which the registry fails',
    'dead-letter',
    (dice, scene) => ({ value: confluent(BROKEN_ID, avroEvent(dice, scene)) }),
    1,
  ),
  kind('id in a header, of garbage', 'dead-letter', (dice) => ({
    value: Buffer.concat([Buffer.from([2]), dice.bytes(30)]),
    headers: [
      [
        dice.pick(['__value_schema_id', 'apicurio.value.contentId', 'apicurio.value.globalId']),
        dice.bytes(dice.pick([0, 1, 5, 8, 17, 200])),
      ],
    ],
  })),
  kind(
    'garbage behind our schema',
    'any',
    (dice) => ({
      value: confluent(OURS, dice.bytes(dice.int(0, 200))),
    }),
    4,
  ),
  kind('huge lengths behind our schema', 'dead-letter', (dice) => ({
    value: confluent(OURS, Buffer.concat([HUGE, dice.bytes(30)])),
  })),
  kind('cut short', 'dead-letter', (dice, scene) => {
    const body = avroEvent(dice, scene);
    return { value: confluent(OURS, body.subarray(0, dice.int(0, body.length - 20))) };
  }),
  kind(
    'changed at random',
    'any',
    (dice, scene) => ({
      value: confluent(OURS, changed(dice, avroEvent(dice, scene))),
    }),
    6,
  ),
  kind('a schema where an event should be', 'dead-letter', () => ({
    value: Buffer.from(CONTRACTS.imageEvent.text),
  })),
];
