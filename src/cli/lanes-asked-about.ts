/** Which of the lanes a command is about. */
import type { Config } from '../config-schema.ts';
import { AppError } from '../errors.ts';
import { parseOrigin } from '../events/origin.ts';
import { parsePosition } from '../events/redrive-note.ts';
import type { InputPosition } from '../events/types.generated.ts';
import { firstInput, inputTopics } from '../topics.ts';

type Topics = Pick<Config['topics'], 'input'>;

/** The topic that `--topic` names, or those of all lanes. Throws AppError `usage` for a topic that is no lane. */
export function lanesAskedAbout(topics: Topics, asked: string | undefined): string[] {
  if (asked === undefined) return inputTopics(topics);
  requireLane(topics, asked);
  return [asked];
}

/**
 * The position of a record in an input topic: `<topic>/<partition>/<offset>`, or `<partition>/<offset>` where there is
 * one lane only. Throws AppError `usage` for any other text and for a topic that is no lane.
 */
export function positionInLanes(text: string, topics: Topics): InputPosition {
  const origin = parseOrigin(text);
  if (origin) {
    requireLane(topics, origin.topic);
    return origin;
  }
  const position = parsePosition(text);
  if (position && topics.input.length === 1) return { topic: firstInput(topics), ...position };
  throw new AppError(
    'usage',
    position
      ? `${text} could be in any of ${inputTopics(topics).join(', ')}: name the topic, such as ${firstInput(topics)}/${text}`
      : `${text} is no position in an input topic: expected <topic>/<partition>/<offset>, such as ${firstInput(topics)}/0/42`,
  );
}

function requireLane(topics: Topics, topic: string): void {
  const lanes = inputTopics(topics);
  if (lanes.includes(topic)) return;
  throw new AppError(
    'usage',
    `${topic} is no lane of topics.input; the lanes: ${lanes.join(', ')}`,
  );
}
