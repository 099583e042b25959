/** What the clients of test/fixtures/foreign-clients write, and how it must be read. */
import type { Header, ImageEvent } from '../../src/events/types.generated.ts';
import { anImageEvent } from './builders.ts';

export const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export const FORMATS = ['json', 'single-object', 'confluent'] as const;
/** The schema id in Confluent wire format. */
export const SCHEMA_ID = 7;
/** A PNG of 8 × 8 pixels. */
const IMAGE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAMAAADz0U65AAAAA1BMVEV3qmYG/dMBAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAADElEQVQImWNgoA4AAABIAAF7pRHIAAAAAElFTkSuQmCC',
  'base64',
);
/** Records of each format in one combination. */
export const RECORDS = 10;

/** The records of one input partition. `transactional`: after an aborted transaction of the same size. */
export interface Combination {
  partition: number;
  client: 'java' | 'librdkafka';
  codec: (typeof CODECS)[number];
  mode: 'idempotent' | 'transactional';
  name: string;
}

export const COMBINATIONS: readonly Combination[] = (['java', 'librdkafka'] as const)
  .flatMap((client) =>
    CODECS.flatMap((codec) =>
      (['idempotent', 'transactional'] as const).map((mode) => ({ client, codec, mode })),
    ),
  )
  .map((each, partition) => ({
    ...each,
    partition,
    name: `${each.client}-${each.codec}-${each.mode}`,
  }));

export interface ExpectedRecord {
  format: (typeof FORMATS)[number];
  key: string | null;
  headers: Header[];
  event: ImageEvent;
}

/** In the order in which they are written. */
export function expectedRecords({ name, client }: Combination): ExpectedRecord[] {
  return FORMATS.flatMap((format) =>
    Array.from({ length: RECORDS }, (_, index) => {
      const eventId = `${name}-${format}-${index}`;
      return {
        format,
        key: index === 0 ? null : eventId,
        headers: [
          { name: 'twice', value: Buffer.from('first') },
          { name: 'nothing', value: null },
          { name: 'empty', value: Buffer.alloc(0) },
          { name: 'constructor', value: Buffer.from('été') },
          { name: 'twice', value: Buffer.from('second') },
        ],
        event: anImageEvent({
          eventId,
          occurredAt: 1_750_000_000_000 + index,
          image: { bytes: IMAGE },
          source: client,
          labels: { album: 'été', title: '写真' },
        }),
      };
    }),
  );
}
