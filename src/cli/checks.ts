import { stat } from 'node:fs/promises';
import type { KafkaClient } from '../kafka/client.ts';
import { registryOf } from '../app.ts';
import { readConfig } from '../config.ts';
import type { Config, Secrets } from '../config-schema.ts';
import { AppError, messageOf } from '../errors.ts';
import { fetcherOf } from '../fetcher.ts';
import { readListFile } from '../hashes/file-list.ts';
import { createKafka } from '../kafka/client.ts';
import { missingRights } from '../kafka/rights.ts';
import { findTopics, messageLimits } from '../kafka/topics.ts';
import { noLogger } from '../logger.ts';
import { resolveModel } from '../model/store.ts';
import { createWorkerClipEncoder } from '../model/worker-clip-encoder.ts';
import { loadBundle } from '../policies/load-bundle.ts';
import { LEAST_LIMIT_BYTES, roomOf } from '../producers/message-bounds.ts';
import { outputTopics } from '../producers/topic-routes.ts';
import { inputTopics, topicsOf } from '../topics.ts';

export interface Finding {
  ok: boolean;
  /** True for what does not keep `run` from working, and should be looked at even so. */
  isWarning?: true;
  /** For a person: what was looked at and what is wrong with it. */
  what: string;
}

/** Attempts to reach Kafka: somebody waits. */
const RETRIES = 2;

/**
 * Looks at everything that `run` needs, as far as the sound parts of the configuration allow, and reports all
 * of it. Throws only what no AppError explains.
 */
export async function findFaults(
  file: string,
  { offline }: { offline: boolean },
): Promise<Finding[]> {
  const { faults, sections, secrets } = await readConfig(file);
  const { images, kafka, lists = [], model, policies, registry } = sections;
  const looks: Array<Promise<Finding[]>> = [];
  if (policies !== undefined) looks.push(look(() => bundle(policies)));
  if (model) looks.push(look(() => encoder(model)));
  for (const list of lists) {
    if (list.file !== undefined) looks.push(look(() => hashList(list)));
  }
  if (images?.root !== undefined) {
    const { root } = images;
    looks.push(look(() => imageRoot(root)));
  }
  if (images) looks.push(look(() => references(images)));
  if (kafka && !offline) looks.push(lookAll(() => kafkaFindings(kafka, secrets, sections)));
  if (registry && !offline) looks.push(look(() => schemaRegistry(registry, secrets)));
  const findings = faults.map((what) => ({ ok: false, what }));
  if (faults.length === 0) findings.push({ ok: true, what: `configuration ${file}` });
  return [...findings, ...(await Promise.all(looks)).flat()];
}

/** One good finding, or a bad one for each line of what went wrong. */
function look(at: () => Promise<string>): Promise<Finding[]> {
  return lookAll(async () => [{ ok: true, what: await at() }]);
}

/** What `at` finds, or a bad finding for each line of what went wrong. */
async function lookAll(at: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await at();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const [first = '', ...rest] = error.message.split('\n');
    const lines = rest.length > 0 ? rest : [first];
    return lines.map((what) => ({ ok: false, what }));
  }
}

async function bundle(path: string): Promise<string> {
  const { policies, hash } = await loadBundle(path);
  return `policies ${path}: ${policies.length}, bundle ${hash.slice(0, 12)}`;
}

async function hashList({ id, file = '', hashType }: Config['lists'][number]): Promise<string> {
  const entries = await readListFile(file, hashType);
  const count = entries.length === 1 ? '1 entry' : `${entries.length} entries`;
  return `list ${id} in ${file}: ${count}`;
}

async function encoder(model: Config['model']): Promise<string> {
  const started = await createWorkerClipEncoder({
    ...model,
    model: await resolveModel(model.path),
  });
  await started.close();
  const { id, hash, executionProvider } = started.info;
  return `model ${id} on ${executionProvider}: ${hash.slice(0, 12)}`;
}

async function imageRoot(root: string): Promise<string> {
  const found = await stat(root).catch((error: unknown) => {
    throw new AppError('config_invalid', `images.root: ${messageOf(error)}`, { cause: error });
  });
  if (!found.isDirectory())
    throw new AppError('config_invalid', `images.root: ${root} is no folder`);
  return `images below ${root}`;
}

async function references(images: Config['images']): Promise<string> {
  await using fetchers = new AsyncDisposableStack();
  const { schemes } = fetchers.adopt(await fetcherOf({ images }), (it) => it.close());
  return `references served: ${schemes.length > 0 ? schemes.join(', ') : 'none'}`;
}

/** What is to be said of the broker, its topics and this user's rights. Throws what keeps it from being asked. */
export async function kafkaFindings(
  config: Config['kafka'],
  secrets: Secrets,
  { topics, lists = [], delivery }: Partial<Pick<Config, 'topics' | 'lists' | 'delivery'>>,
): Promise<Finding[]> {
  const kafka = createKafka(config, secrets, noLogger, { retries: RETRIES });
  const own = topics ? topicsOf({ topics }) : [];
  const named = [...new Set([...own, ...lists.flatMap(({ topic = [] }) => topic)])];
  const { missing } = await findTopics(kafka, named);
  const faults = missing.map((topic) => ({
    ok: false,
    what: `topic ${topic} is not there; create it with: moderato topics create`,
  }));
  if (topics === undefined) {
    return [...faults, { ok: true, what: `Kafka at ${config.brokers.join(', ')}` }];
  }
  const isThere = (topic: string): boolean => !missing.includes(topic);
  const rights = await missingRights(kafka, {
    inputs: inputTopics(topics),
    outputs: outputTopics(topics).filter(isThere),
    lists: lists.flatMap(({ topic = [] }) => topic).filter(isThere),
    groupId: config.groupId,
    isTransactional: delivery === 'exactly-once',
  });
  const denied = rights.map(({ what, isOptional }): Finding => {
    return isOptional ? { ok: true, isWarning: true, what } : { ok: false, what };
  });
  const mayCompare =
    missing.length === 0 && !rights.some(({ operation }) => operation === 'DescribeConfigs');
  const notes = mayCompare ? await roomForEveryEvent(kafka, topics) : [];
  const narrow = notes.map((what): Finding => ({ ok: true, isWarning: true, what }));
  const found = [...faults, ...denied, ...narrow];
  if (found.some(({ ok }) => !ok)) return found;
  const good = `Kafka at ${config.brokers.join(', ')} with topics ${named.join(', ')}`;
  return [{ ok: true, what: good }, ...found];
}

/**
 * Notes on the output topics that are too narrow for everything that may be emitted: it is then shrunk. Throws AppError
 * `record_too_large` for those that do not take even the smallest message, where the service cannot run.
 */
async function roomForEveryEvent(kafka: KafkaClient, topics: Config['topics']): Promise<string[]> {
  const limits = await messageLimits(kafka, topicsOf({ topics }));
  const limitOf = (topic: string): number => limits.get(topic) ?? Number.POSITIVE_INFINITY;
  const largest = Math.max(...inputTopics(topics).map((topic) => limits.get(topic) ?? 0));
  const rooms = roomOf(topics, largest).map(({ topic, bytes }) => {
    return { topic, bytes, limit: limitOf(topic) };
  });
  const tooNarrow = rooms
    .filter(({ limit }) => limit < LEAST_LIMIT_BYTES)
    .map(
      ({ topic, limit }) =>
        `topic ${topic} takes messages of ${limit} bytes and the smallest verdict has ${LEAST_LIMIT_BYTES}; raise its max.message.bytes to at least that`,
    );
  if (tooNarrow.length > 0) {
    throw new AppError('record_too_large', ['topics are too narrow', ...tooNarrow].join('\n'));
  }
  return rooms
    .filter(({ bytes, limit }) => limit < bytes)
    .map(
      ({ topic, bytes, limit }) =>
        `topic ${topic} takes messages of ${limit} bytes: larger ones are shrunk; with a max.message.bytes of ${bytes} none is`,
    );
}

async function schemaRegistry(
  registry: NonNullable<Config['registry']>,
  secrets: Secrets,
): Promise<string> {
  // Whether it knows the id does not matter: it has answered.
  await registryOf({ config: { registry }, secrets })
    ?.schemaOf(1)
    .catch((error: unknown) => {
      if (error instanceof AppError && error.disposition === 'dead-letter') return;
      throw error;
    });
  return `schema registry at ${registry.url}`;
}
