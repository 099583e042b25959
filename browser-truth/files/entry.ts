/** A file that Chromium draws and Moderato decodes. */
export interface TruthFile {
  /** Unique; the name of the fixture. */
  name: string;
  /** Files of one kind, to which one tolerance applies. */
  group: string;
  bytes: Buffer;
  /** Every frame is drawn, not the first alone. @default false */
  animated?: boolean;
}

/** The files of one group, named `<group>-<key>.<extension>`. */
export function filesOf(
  group: string,
  extension: string,
  bytes: Record<string, Buffer>,
  animated = false,
): TruthFile[] {
  return Object.entries(bytes).map(([key, file]) => ({
    name: `${group}-${key}.${extension}`,
    group,
    bytes: file,
    animated,
  }));
}
