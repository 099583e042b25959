import { startLocalKafka, type LocalKafka } from '../../src/demo/local-kafka.ts';

declare global {
  /** Set only when this run started its own broker. */
  var localKafka: LocalKafka | undefined;
}

/** One real broker for the whole run, unless KAFKA_BROKERS names one. */
// eslint-disable-next-line no-restricted-exports -- jest asks for a default export
export default async function startServices(): Promise<void> {
  const given = process.env['KAFKA_BROKERS'];
  if (given !== undefined && given !== '') return;
  globalThis.localKafka = await startLocalKafka({
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  process.env['KAFKA_BROKERS'] = globalThis.localKafka.bootstrap.join(',');
}
