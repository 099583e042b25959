import { describe, expect, it } from '@jest/globals';
import { outputTopics, verdictTopic } from '../../src/producers/topic-routes.ts';

const topics = {
  verdicts: 'verdicts',
  routes: { block: 'blocked', allow: 'verdicts' },
  deadLetters: 'dead-letters',
};

describe('topic routes', () => {
  it('sends an outcome to its own topic where there is one, else to the verdicts', () => {
    expect(verdictTopic(topics, 'block')).toBe('blocked');
    expect(verdictTopic(topics, 'review')).toBe('verdicts');
    expect(verdictTopic(topics, 'not_inspected')).toBe('verdicts');
  });

  it('names every topic that may be written to, once', () => {
    expect(outputTopics(topics)).toEqual(['verdicts', 'blocked', 'dead-letters']);
    expect(outputTopics({ ...topics, embeddings: 'embeddings' })).toContain('embeddings');
  });
});
