import { spreadOf, type Spread } from '../statistics.ts';
import type { Contender } from './contenders.ts';

/** Images a second of each contender, by its name. They take turns in every round, after one that warms up. */
export async function measure(
  contenders: readonly Contender[],
  batch: number,
  { rounds, seconds }: { rounds: number; seconds: number },
): Promise<Map<string, Spread>> {
  const rates = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (const contender of contenders) await imagesPerSecond(contender, batch, 0);
  for (let round = 0; round < rounds; round++) {
    for (const contender of contenders) {
      rates.get(contender.name)?.push(await imagesPerSecond(contender, batch, seconds));
    }
  }
  return new Map([...rates].map(([name, values]) => [name, spreadOf(values)]));
}

/** Keeps as many batches under way as the contender works on at once; a batch that has begun is finished. */
async function imagesPerSecond(
  { concurrency, run }: Contender,
  batch: number,
  seconds: number,
): Promise<number> {
  const begun = performance.now();
  let images = 0;
  const lane = async (): Promise<void> => {
    do {
      await run(batch);
      images += batch;
    } while (performance.now() - begun < seconds * 1000);
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return (images * 1000) / (performance.now() - begun);
}
