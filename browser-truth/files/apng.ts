import { filesOf, type TruthFile } from './entry.ts';
import { HEIGHT, WIDTH } from './picture.ts';
import { chunk, compressed, png } from './png-file.ts';
import { gamma } from './png.ts';

interface Frame {
  turnedBy: number;
  width?: number;
  height?: number;
  left?: number;
  top?: number;
  /** 0 none, 1 background, 2 previous. */
  dispose?: number;
  /** 0 source, 1 over. */
  blend?: number;
  delay?: [number, number];
}

/** Sequence numbers are counted over fcTL and fdAT; PNG (third edition), section 11.3.6. */
class Sequence {
  #next = 0;
  readonly #colour: 2 | 6;

  constructor(colour: 2 | 6) {
    this.#colour = colour;
  }

  control(frame: Frame): Buffer {
    const { width = WIDTH, height = HEIGHT, left = 0, top = 0, delay = [1, 10] } = frame;
    const data = Buffer.alloc(26);
    [this.#next++, width, height, left, top].forEach((value, i) =>
      data.writeUInt32BE(value, i * 4),
    );
    data.writeUInt16BE(delay[0], 20);
    data.writeUInt16BE(delay[1], 22);
    data.set([frame.dispose ?? 0, frame.blend ?? 0], 24);
    return chunk('fcTL', data);
  }

  data(rows: Buffer): Buffer {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(this.#next++);
    return chunk('fdAT', Buffer.concat([number, rows]));
  }

  rows({ turnedBy, width = WIDTH, height = HEIGHT }: Frame): Buffer {
    return compressed({ colour: this.#colour, turnedBy, width, height });
  }
}

const acTL = (frames: number, plays = 0): Buffer => {
  const data = Buffer.alloc(8);
  data.writeUInt32BE(frames);
  data.writeUInt32BE(plays, 4);
  return chunk('acTL', data);
};

/** With `hidden` the default image is no frame. */
function apng(
  frames: Frame[],
  {
    hidden = false,
    colour = 6,
    early = [],
    said = frames.length,
  }: Partial<{
    hidden: boolean;
    colour: 2 | 6;
    early: Buffer[];
    said: number;
  }> = {},
): Buffer {
  const sequence = new Sequence(colour);
  const [first, ...others] = frames as [Frame, ...Frame[]];
  const before = hidden ? [] : [sequence.control(first)];
  const rest = (hidden ? frames : others).flatMap((frame) => [
    sequence.control(frame),
    sequence.data(sequence.rows(frame)),
  ]);
  return png({
    colour,
    turnedBy: hidden ? 24 : first.turnedBy,
    early: [...early, acTL(said)],
    before,
    after: rest,
  });
}

const whole = (turnedBy: number, more: Partial<Frame> = {}): Frame => ({ turnedBy, ...more });
const part = (turnedBy: number, more: Partial<Frame> = {}): Frame => ({
  ...{ turnedBy, width: 16, height: 12, left: 10, top: 6 },
  ...more,
});

export function apngFiles(): TruthFile[] {
  const sound = {
    'default-hidden': apng([whole(8), whole(16)], { hidden: true }),
    'default-shown': apng([whole(0), whole(8), whole(16)]),
    rgb: apng([whole(0), part(8), part(16, { left: 30 })], { colour: 2 }),
    'source-none': apng([whole(0), part(8), part(30, { left: 28, top: 15 })]),
    'over-none': apng([whole(0), part(8, { blend: 1 }), part(30, { blend: 1, left: 28 })]),
    'over-background': apng([
      ...[whole(0), part(8, { blend: 1, dispose: 1 }), part(30, { blend: 1, left: 20 })],
    ]),
    'over-previous': apng([
      ...[whole(0), part(8, { blend: 1, dispose: 2 }), part(30, { blend: 1, left: 20 })],
    ]),
    'source-previous': apng([whole(0), part(8, { dispose: 2 }), part(30, { left: 20 })]),
    'first-previous': apng([whole(0, { dispose: 2 }), part(8), part(30, { left: 20 })]),
    'first-background': apng([whole(0, { dispose: 1 }), part(8, { blend: 1 })]),
    'hidden-parts': apng([whole(8), part(20, { blend: 1 }), part(4, { left: 2, dispose: 1 })], {
      hidden: true,
    }),
    gamma: apng([whole(0), part(8)], { early: [gamma(1)] }),
    'one-frame': apng([whole(0)]),
    delays: apng([
      ...[whole(0, { delay: [0, 0] }), whole(8, { delay: [5, 0] }), whole(16, { delay: [1, 3] })],
    ]),
  };
  const odd = {
    'frames-fewer-than-said': apng([whole(0), whole(8)], { said: 5 }),
    'frames-more-than-said': apng([whole(0), whole(8), whole(16)], { said: 2 }),
    'first-smaller': apng([part(8), whole(0)], { hidden: true }),
  };
  return [...filesOf('apng', 'png', sound, true), ...filesOf('apng-odd', 'png', odd, true)];
}
