import { findBroker, type Broker } from '../../src/demo/find-broker.ts';

declare global {
  /** The run's broker: KAFKA_BROKERS, or one started for it. */
  var broker: Broker | undefined;
}

/** One real broker for the whole run: KAFKA_BROKERS, else by Maven, else by Docker; else the run fails. */
// eslint-disable-next-line no-restricted-exports -- jest asks for a default export
export default async function startServices(): Promise<void> {
  const broker = await findBroker({ onProgress: (line) => process.stderr.write(`${line}\n`) });
  globalThis.broker = broker;
  process.env['KAFKA_BROKERS'] = broker.bootstrap.join(',');
}
