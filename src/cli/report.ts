import { open, readFile, stat } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import type { Verdict } from '../events/types.generated.ts';
import type { DecoderPool } from '../images/decoder-pool.ts';
import { reportChunks } from '../report/html-report.ts';
import type { ReportEntry } from '../report/report-model.ts';

/** Longest edge of a thumbnail, in pixels. */
const THUMBNAIL_EDGE = 400;

/** What the report says of one judged file. */
export async function reportEntry(
  images: DecoderPool,
  { file, name, verdict }: { file: string; name: string; verdict: Verdict },
): Promise<ReportEntry> {
  return { file: name, thumbnail: await thumbnailOf(images, file), verdict };
}

/** Writes the page of everything that was judged, into a folder that is there; nothing without a verdict. */
export async function writeReport(
  path: string,
  title: string,
  entries: readonly ReportEntry[],
): Promise<void> {
  const [first] = entries;
  if (first === undefined) return;
  const { bundle, model } = first.verdict;
  await using file = await open(path, 'w');
  const generatedAt = new Date();
  for (const part of reportChunks({ title, generatedAt, bundle, model, entries })) {
    await file.write(part);
  }
}

/** A data URI; null for an image that cannot be shown, as one that is not there any more. */
async function thumbnailOf(images: DecoderPool, file: string): Promise<string | null> {
  const bytes = await readRegular(file);
  if (bytes === null) return null;
  try {
    const webp = await images.thumbnail(bytes, THUMBNAIL_EDGE);
    return `data:image/webp;base64,${webp.toString('base64')}`;
  } catch (error) {
    if (error instanceof AppError && error.disposition === 'not-inspected') return null;
    throw error;
  }
}

/** Null for what cannot be read, and for a pipe or a device, which may have no end. */
async function readRegular(file: string): Promise<Buffer | null> {
  try {
    return (await stat(file)).isFile() ? await readFile(file) : null;
  } catch {
    return null;
  }
}
