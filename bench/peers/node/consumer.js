// A zero-shot consumer as people write it today: kafkajs `eachMessage`, transformers.js, one image at a time.
// Its one argument is JSON; bench/naive.ts writes it.
import {
  AutoProcessor,
  AutoTokenizer,
  CLIPTextModelWithProjection,
  CLIPVisionModelWithProjection,
  RawImage,
  env,
} from '@huggingface/transformers';
import { Kafka, logLevel } from 'kafkajs';

const { brokers, groupId, input, output, models, model, neutral, policies, logitScale } =
  JSON.parse(process.argv[2]);

env.allowRemoteModels = false;
env.localModelPath = models;
env.useFSCache = false;

const unit = (vector) => {
  const length = Math.hypot(...vector);
  return vector.map((x) => x / length);
};

const tokenizer = await AutoTokenizer.from_pretrained(model);
const textModel = await CLIPTextModelWithProjection.from_pretrained(model, { dtype: 'fp32' });
const embedTexts = async (texts) => {
  if (texts.length === 0) return [];
  const tokens = tokenizer(texts, { padding: true, truncation: true });
  const { text_embeds } = await textModel(tokens);
  return text_embeds.tolist().map(unit);
};
const neutralPrompts = await embedTexts(neutral);
const bundle = [];
for (const { id, prompts, contrast, thresholds } of policies) {
  const rivals = [...(await embedTexts(contrast)), ...neutralPrompts];
  bundle.push({ id, thresholds, prompts: await embedTexts(prompts), rivals });
}
await textModel.dispose();

const processor = await AutoProcessor.from_pretrained(model);
const visionModel = await CLIPVisionModelWithProjection.from_pretrained(model, { dtype: 'fp32' });

async function judge(bytes) {
  const image = await RawImage.fromBlob(new Blob([bytes]));
  const { image_embeds } = await visionModel(await processor(image));
  const embedding = unit(Array.from(image_embeds.data));
  const cosine = (prompt) => prompt.reduce((sum, x, i) => sum + x * embedding[i], 0);
  const mass = (prompts) => prompts.reduce((sum, p) => sum + Math.exp(logitScale * cosine(p)), 0);
  return bundle.map(({ id, thresholds, prompts, rivals }) => {
    const own = mass(prompts);
    const score = own / (own + mass(rivals));
    const { review, block } = thresholds;
    const blocked = block !== undefined && score >= block;
    return { id, score, band: blocked ? 'block' : score >= review ? 'review' : 'allow' };
  });
}

const kafka = new Kafka({ clientId: 'naive', brokers, logLevel: logLevel.ERROR });
const consumer = kafka.consumer({ groupId });
const producer = kafka.producer();
await producer.connect();
await consumer.connect();
await consumer.subscribe({ topic: input, fromBeginning: true });
await consumer.run({
  eachMessage: async ({ message }) => {
    const event = JSON.parse(message.value.toString());
    const scores = await judge(Buffer.from(event.image.bytes, 'base64'));
    const bands = scores.map(({ band }) => band);
    const outcome = ['block', 'review'].find((band) => bands.includes(band)) ?? 'allow';
    const verdict = { eventId: event.eventId, outcome, policies: scores };
    await producer.send({
      topic: output,
      messages: [{ key: message.key, value: JSON.stringify(verdict) }],
    });
  },
});
