/** How much memory a backlog of many small records takes while it is consumed. */
import { setTimeout as sleep } from 'node:timers/promises';
import { residentBytes } from '../src/images/process-memory.ts';
import { createTopics, withAdmin } from '../src/kafka/topics.ts';
import { endOffsets } from '../bench/verdict-log.ts';
import { recordBatch } from '../test/support/record-batch.ts';
import { RawProducer, seal } from '../suites/raw-producer.ts';
import { startService } from './service.ts';
import type { World } from './world.ts';

export interface BacklogOptions {
  seconds: number;
  package?: string | undefined;
  say: (line: string) => void;
}

export interface BacklogFigures {
  records: number;
  recordBytes: number;
  seconds: number;
  /** Records that had their outcome at the end. */
  judged: number;
  /** Highest resident memory of the service, in MiB: before its first record's outcome, and after. */
  idleMiB: number;
  highestMiB: number;
  exits: readonly string[];
}

const RECORDS = 1_000_000;
const IN_A_BATCH = 10_000;
const RECORD_BYTES = 130;
const PARTITIONS = 4;
const TOPIC = 'backlog.images';
const VERDICTS = 'backlog.verdicts';
const SAMPLE_MS = 200;

/** Consumes a backlog of compressed references to files that are not there, the cheapest events there are. */
export async function measureBacklog(
  world: World,
  options: BacklogOptions,
): Promise<BacklogFigures> {
  const { seconds, say } = options;
  const { kafka, cluster, folder, root } = world;
  await createTopics(
    kafka,
    [TOPIC, VERDICTS, 'backlog.dead-letters'].map((topic) => ({ topic, partitions: PARTITIONS })),
  );
  say(`backlog: publishing ${RECORDS} records of ${RECORD_BYTES} bytes`);
  await fill(cluster.bootstrap[0] ?? '', root);
  const { service, pid } = await startService({
    name: 'backlog',
    folder,
    package: options.package,
    config: {
      kafka: { brokers: cluster.bootstrap, groupId: 'backlog' },
      topics: { input: TOPIC, verdicts: VERDICTS, deadLetters: 'backlog.dead-letters' },
      images: { root },
    },
  });
  try {
    let idle = 0;
    while ((await countOf(world)) === 0) {
      idle = Math.max(idle, residentBytes(pid) ?? 0);
      await sleep(SAMPLE_MS);
    }
    let highest = 0;
    const startedAt = performance.now();
    while (performance.now() - startedAt < seconds * 1_000) {
      highest = Math.max(highest, residentBytes(pid) ?? 0);
      await sleep(SAMPLE_MS);
    }
    return {
      records: RECORDS,
      recordBytes: RECORD_BYTES,
      seconds,
      judged: await countOf(world),
      idleMiB: idle / 2 ** 20,
      highestMiB: highest / 2 ** 20,
      exits: service.exits,
    };
  } finally {
    await service.close('SIGKILL');
  }
}

async function fill(broker: string, root: string): Promise<void> {
  const event = { eventId: 'backlog', occurredAt: 0, image: { uri: `file://${root}/none` } };
  const padding = RECORD_BYTES - JSON.stringify(event).length;
  event.image.uri += '-'.repeat(Math.max(0, padding));
  const value = Buffer.from(JSON.stringify(event));
  const records = Array.from({ length: IN_A_BATCH }, (_, offsetDelta) => ({ offsetDelta, value }));
  const batch = seal(await recordBatch({ codec: 'zstd', records }));
  const producer = await RawProducer.connect(broker, TOPIC);
  try {
    for (let sent = 0; sent < RECORDS; sent += IN_A_BATCH) {
      const { errorCode } = await producer.send((sent / IN_A_BATCH) % PARTITIONS, batch);
      if (errorCode !== 0) throw new Error(`filling ${TOPIC}: error code ${errorCode}`);
    }
  } finally {
    producer.close();
  }
}

function countOf({ kafka }: World): Promise<number> {
  return withAdmin(kafka, 'counting verdicts', (admin) => endOffsets(admin, VERDICTS));
}

export function renderBacklog(figures: BacklogFigures): string {
  const { records, recordBytes, seconds, judged, idleMiB, highestMiB } = figures;
  return (
    `backlog of ${records.toLocaleString('en')} records of ${recordBytes} bytes, zstd: highest resident memory ` +
    `${highestMiB.toFixed(0)} MiB in ${seconds} s of consuming (${idleMiB.toFixed(0)} MiB before), ` +
    `${judged.toLocaleString('en')} records done`
  );
}
