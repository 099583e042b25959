import { IMAGE_EVENT } from '../../src/events/schemas.ts';
import { anImageEvent } from '../../test/support/builders.ts';
import { confluent } from '../../test/support/memory-schema-registry.ts';
import { event, type Kind, type Scene } from '../kind.ts';
import { SCHEMA_IDS } from '../registry.ts';
import type { Dice } from '../../fuzz/dice.ts';

/** An event that can be judged, in Avro. */
export function avroEvent(dice: Dice, scene: Scene): Buffer {
  const eventId = `event ${scene.next()}`;
  return IMAGE_EVENT.toBuffer(
    anImageEvent({ eventId, image: { bytes: dice.pick(scene.pictures) } }),
  );
}

/** With which each of those that are hostile shares its batch and its partition. */
export const GOOD: Kind[] = [
  {
    name: 'good: JSON',
    expected: 'judged',
    weight: 60,
    draw: (dice, scene) => ({
      value: event(dice, scene),
      key: dice.oneIn(4) ? null : Buffer.from(`key ${dice.int(1, 50)}`),
    }),
  },
  {
    name: 'good: Avro of the registry',
    expected: 'judged',
    weight: 10,
    draw: (dice, scene) => ({
      value: confluent(SCHEMA_IDS['image event'], avroEvent(dice, scene)),
    }),
  },
  {
    name: 'good: by file',
    expected: 'judged',
    weight: 10,
    draw: (dice, scene) => ({
      value: event(dice, scene, { image: { uri: `file://${scene.root}/good.png` } }),
    }),
  },
  {
    name: 'good: by http',
    expected: 'judged',
    weight: 10,
    draw: (dice, scene) => ({
      value: event(dice, scene, {
        image: { uri: `http://127.0.0.1:${scene.ports.steady}/${scene.next()}.png` },
      }),
    }),
  },
  {
    name: 'good: by data URI',
    expected: 'judged',
    weight: 4,
    draw: (dice, scene) => ({
      value: event(dice, scene, {
        image: { uri: `data:image/png;base64,${dice.pick(scene.pictures).toString('base64')}` },
      }),
    }),
  },
];
