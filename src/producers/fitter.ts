import type { MessageEncoder } from '../events/message-encoder.ts';
import type { OutgoingMessage } from '../kafka/outgoing-message.ts';
import type { TopicLimits } from '../kafka/topic-limits.ts';
import type { Logger } from '../logger.ts';
import { fitEmission } from './fit-emission.ts';
import type { OutputTopics } from './topic-routes.ts';
import type { Emission } from './verdict-sink.ts';

export interface FitterOptions {
  encoder: MessageEncoder;
  topics: OutputTopics;
  limits: TopicLimits;
  logger: Logger;
}

/** Encodes emissions and makes them fit the limits as they are known now. Throws what `fitEmission` throws. */
export function createFitter({
  encoder,
  topics,
  limits,
  logger,
}: FitterOptions): (emission: Emission) => Promise<OutgoingMessage[]> {
  return async (emission) => {
    await limits.learned();
    const { input } = emission.verdict;
    const fit = () =>
      fitEmission(emission, {
        encoder,
        topics,
        limitOf: (topic) => limits.limitOf(topic),
        onUnencodable: (error) =>
          logger.error(
            { err: error, ...input },
            'a message could not be encoded: this is a defect',
          ),
      });
    let fitted = await fit();
    if (fitted.shrunk.length > 0 && (await limits.refreshed())) fitted = await fit();
    const { messages, shrunk } = fitted;
    if (shrunk.length > 0) {
      logger.warn({ ...input, shrunk }, 'what was emitted for a record is shrunk to fit its topic');
    }
    return messages;
  };
}
