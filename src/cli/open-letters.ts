import { createDeadLetterDecoder } from '../events/index.ts';
import type { LetterSource } from '../dead-letters/survey.ts';
import { connect, type Connection } from './connect.ts';
import { untilSignal } from './until-signal.ts';

/** The dead letters of a configuration. A signal ends the reading; a second one ends the process. */
export async function openLetters(
  configFile: string,
): Promise<{ source: LetterSource; loaded: Connection['loaded'] }> {
  const { loaded, kafka, registry } = await connect(configFile);
  const until = untilSignal();
  return {
    loaded,
    source: {
      kafka,
      topic: loaded.config.topics.deadLetters,
      decoder: createDeadLetterDecoder({ registry }),
      redriveKey: loaded.secrets.redriveKey,
      signal: until.signal,
    },
  };
}
